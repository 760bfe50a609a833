"""`vita-model plot`: curves of runs as a page or a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vita_model.cli.output import as_json_option, reported, show

PAGE = "plot.html"


@click.command()
@click.argument(
    "runs", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, file_okay=False)
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Page (.html) or picture (.svg, .png); plot.html in the first folder unless given.",
)
@as_json_option
@reported
def plot(runs: tuple[Path, ...], out: Path | None, as_json: bool) -> None:
    """Draw losses, rates and validations of RUNS, those of one stage over each other.

    A folder of runs stands for all of them. Also for a run that is still going on.
    """
    from vita_model.plot.page import plot as draw

    found: dict[str, Any] = draw(runs, out or runs[0] / PAGE)
    show(found, as_json, f"{found['out']}: {', '.join(run['name'] for run in found['runs'])}")

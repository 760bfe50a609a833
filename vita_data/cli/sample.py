"""`vita-data sample`: the corpus that the project makes by itself."""

from __future__ import annotations

from pathlib import Path

import click

from vita_data.cli.output import json_option, print_json


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
def sample(folder: Path, as_json: bool) -> None:
    """Write the sample corpus into FOLDER: native layouts, planted faults, and the answer key beside them."""
    import json

    from vita_data.sample.make import make_sample

    make_sample(folder, lambda words: click.echo(words, err=True))
    key = json.loads((folder / "answer-key.json").read_text())
    if as_json:
        print_json({"folder": str(folder), **key["totals"]})
        return
    totals = ", ".join(f"{value:,} {name}" for name, value in key["totals"].items() if isinstance(value, int))
    click.echo(
        f"{folder}: {len(key['sources'])} sources, {totals}; what is wrong with it is in answer-key.json"
    )

"""`vita-model run`: all stages of a mixture, from manifests to scored checkpoints."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vita_data.errors import UsageError
from vita_model.cli.output import PRESET, as_json_option, complain, reported, show
from vita_model.train.launch import world_size

if TYPE_CHECKING:
    from vita_model.run.asked import Asked

BY_SIGNAL = 128  # a shell's status of a command that a signal has ended is this and the signal's number


@click.command()
@click.option("--mixture", required=True, help="Name of a mixture card, or a file.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder of the run: data/, runs/, eval/ and run/."
)
@click.option("--preset", type=PRESET, default="tiny", show_default=True, help="Model to train.")
@click.option("--stages", help="Stages to train, as 1.1-2.1a or 1.3,2.2; all that the mixture has data for.")
@click.option(
    "--init",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Run, checkpoint or folder of weights that the first stages start from; may be repeated.",
)
@click.option("--max-steps", type=click.IntRange(1), help="Stop every training after this step.")
@click.option(
    "--processes", type=click.IntRange(1), default=1, show_default=True, help="That share a training."
)
@click.option("--data-root", help="Folder or URL that holds the sources' folders.")
@click.option("--against", help="Folder or URL that holds benchmarks; samples that leak them leave.")
@click.option("--option", multiple=True, metavar="NAME", help="An option of the stages or the mixture.")
@click.option("--manifests", type=click.Path(path_type=Path), help="Folder with cards of your own.")
@click.option("--seed", default=0, show_default=True, help="Seed of the builds.")
@click.option(
    "--allow-short", is_flag=True, help="Take what there is where a source has less than its quota."
)
@click.option(
    "--workers", type=click.IntRange(1), help="Processes that build and encode; all cores unless given."
)
@click.option("--voice", help="Clip whose voice the model is to speak with.")
@click.option(
    "--limit", type=click.IntRange(1), help="Samples of each source that are scored; all unless given."
)
@click.option(
    "--go-on", is_flag=True, help="Accept a stage that has cost an earlier one more than its card allows."
)
@click.option("--dry-run", is_flag=True, help="Say what is to be done, and why, and do nothing.")
@click.option(
    "--differences", is_flag=True, help="Say where the mixture differs from the packaged cards, and end."
)
@as_json_option
@click.argument("train", nargs=-1, type=click.UNPROCESSED)
@reported
def run(as_json: bool, dry_run: bool, differences: bool, out: Path | None, **options: Any) -> None:
    """Build, train and score every stage of a mixture, each after those it starts from.

    What is done already is left alone, and a change does again only what follows from it. Ctrl-C and SIGTERM end the
    step at work with what it has; the same command goes on from there. What stands behind -- goes to every training.
    """
    if world_size() > 1:
        raise UsageError("vita-model run starts its processes itself; call it once, with --processes.")
    from vita_model.run.asked import Asked

    if differences:
        _differences(Asked(out=Path(), **options), as_json)
        return
    if out is None:
        raise UsageError("--out is missing; name the folder of the run.")
    asked = Asked(out=out, **options)
    if dry_run:
        _survey(asked, as_json)
        return
    from vita_model.run.program import run as go

    done = go(asked, complain)
    show(
        done,
        as_json,
        "\n".join(
            f"{each['step']:14} {each['status']:8} {each['seconds']:>10,.1f} s" for each in done["steps"]
        ),
    )
    if done["stopped"] is not None:
        sys.exit(BY_SIGNAL + done["stopped"])


def _survey(asked: Asked, as_json: bool) -> None:
    from vita_model.run.program import survey

    found = survey(asked, complain)
    steps = [
        {"step": step.name, "do": verdict.do, "why": verdict.why, "command": shlex.join(step.command)}
        for step, verdict in found
    ]
    words = "\n".join(f"{each['step']:14} {each['do']:9} {each['why']}".rstrip() for each in steps)
    show({"out": str(asked.out), "steps": steps}, as_json, words)


def _differences(asked: Asked, as_json: bool) -> None:
    from vita_model.run.table import difference_rows

    rows = difference_rows(asked)
    words = [f"{row['stage']:8} {each.words}" for row, each in rows]
    show(
        {"mixture": asked.mixture, "differs": [row for row, _ in rows]},
        as_json,
        "\n".join(words) or "nothing differs",
    )

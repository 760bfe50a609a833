"""`vita-model encode`: the speech of stage 3.2 as codec tokens."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from vita_model.cli.output import as_json_option, plain_stdout, reported, show


@click.command()
@click.option(
    "--codec",
    required=True,
    type=click.Path(path_type=Path),
    help="Run that has trained the codec, one of its checkpoints, or a released folder.",
)
@click.option("--data", required=True, help="Folder of the finished stage: DIR/stages/3.2.")
@click.option(
    "--voice", help="Clip whose voice is to be spoken with; without one the most ordinary of the stage."
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=os.cpu_count() or 1,
    show_default="all cores",
    help="Processes that encode.",
)
@as_json_option
@reported
def encode(as_json: bool, **options: Any) -> None:
    """Write the codec tokens of every utterance of a stage beside its shards, held-out ones too.

    Encodes what is missing, so a run that was stopped goes on. The tokens do not depend on --workers.
    """
    with plain_stdout():
        from vita_model.codes.program import Options
        from vita_model.codes.program import encode as run

        done = run(Options(**options), _tell)
        if sys.stderr.isatty():
            click.echo("\r\x1b[2K", nl=False, err=True)
    found = done["parts"].values()
    utterances, tokens = (sum(part[name] for part in found) for name in ("utterances", "tokens"))
    words = (
        f"{utterances:,} utterances, {tokens:,} codec tokens, {done['parts']['train']['codes_used']:,} of "
        f"{done['codec']['codes']:,} codes in use\nvoice: {' '.join(map(str, done['voice']))}\ncodes: {done['folder']}"
    )
    show(done, as_json, words)


def _tell(done: int, total: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[2Kshard {done} of {total}", nl=False, err=True)

"""`vita-model eval`: what a model has learned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vita_data.errors import UsageError
from vita_model.cli.output import PRESET, as_json_option, plain_stdout, reported, show


@click.command("eval")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--data", help="The --out folder of `vita-data build`; the stage lies in its stages/.")
@click.option("--stage", help="Stage that is asked, 2.1a for a half; the model's own unless given.")
@click.option("--preset", type=PRESET, help="Preset whose tiles and texts a folder of weights was made for.")
@click.option(
    "--part",
    type=click.Choice(["held-out", "all"]),
    default="held-out",
    show_default=True,
    help="The samples that no stage trains on, or those of the stage itself.",
)
@click.option(
    "--without",
    type=click.Choice(["sound", "sight"]),
    help="Ask with silence for every sound, or black for every picture.",
)
@click.option("--limit", type=click.IntRange(1), help="Samples of each source, chosen by a keyed hash.")
@click.option(
    "--speech",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder of recordings to write down instead of a stage.",
)
@click.option(
    "--strings",
    type=click.IntRange(1),
    help="With --speech: so many strings of one to five of its clips of digits.",
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="With --speech: what draws strings and intervals."
)
@click.option(
    "--against",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The answers.jsonl of another model, compared question by question.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder that gets eval.json and answers.jsonl.")
@as_json_option
@reported
def evaluate(as_json: bool, **options: Any) -> None:
    """Score RUN, a run, a checkpoint or a folder of weights, by what a stage teaches.

    Questions are answered greedily, every one with the turns before it as they were wanted; transcripts are written
    by the speech encoder alone (2.1a) or by the language model (2.1b); all with 95 % intervals. With --speech any
    folder of recordings is written down both ways.
    """
    if options["strings"] and options["speech"] is None:
        raise UsageError("--strings draws from a folder of digits; name it with --speech.")
    with plain_stdout():
        from vita_model.eval.program import Options
        from vita_model.eval.program import evaluate as run
        from vita_model.eval.table import speech_table, stage_table

        found = run(Options(**options))
    table = stage_table if options["speech"] is None else speech_table
    show(found, as_json, table(found))

"""`vita-model train`: one stage from its shards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vita_model.cli.output import PRESET, as_json_option, plain_stdout, reported, show


@click.command()
@click.option("--stage", required=True, help="Stage to train, 1.1 to 3.2.")
@click.option(
    "--data", required=True, help="The --out folder of `vita-data build`; the stage lies in its stages/."
)
@click.option("--preset", type=PRESET, default="tiny", show_default=True, help="Model to train.")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder of the run; empty or new."
)
@click.option(
    "--init",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Run, checkpoint or released weights that the stage starts from; once for each stage it needs.",
)
@click.option("--resume", is_flag=True, help="Go on from the last complete checkpoint in --out.")
@click.option(
    "--max-steps", type=click.IntRange(1), help="Stop after this step; the schedule still spans them all."
)
@click.option("--zero", type=click.IntRange(0, 3), help="ZeRO stage; 0 in fp32 and 1 in bf16 unless given.")
@click.option("--seed", type=int, help="Seed of weights, order and drop-path; the build's unless given.")
@click.option(
    "--save-every",
    type=click.IntRange(1),
    default=500,
    show_default=True,
    help="Steps from one checkpoint to the next.",
)
@click.option(
    "--precision", type=click.Choice(["fp32", "bf16"]), help="Number format; the stage card's unless given."
)
@click.option(
    "--save-memory", is_flag=True, help="Compute blocks again in the backward pass instead of keeping them."
)
@as_json_option
@click.option("--local_rank", hidden=True, help="Set by the deepspeed launcher.")
@reported
def train(as_json: bool, local_rank: str | None, **options: Any) -> None:
    """Train one stage, alone or under torchrun.

    Writes metrics.jsonl, checkpoints and, at the end, the held-out loss by source into --out. SIGTERM and
    Ctrl-C end the run after the current step with a checkpoint; --resume goes on from there with the same losses.
    """
    with plain_stdout():
        from vita_model.train.engine import stop_processes
        from vita_model.train.options import Options
        from vita_model.train.program import train as run

        summary = run(Options(**options))
        stop_processes()
    words = (
        f"stage {summary['stage']}: {summary['step']} of {summary['steps']} steps, loss {summary['loss']:.4f}"
    )
    if summary["eval"] is not None and summary["eval"]["loss"] is not None:
        words += f", held-out loss {summary['eval']['loss']:.4f}"
    show(summary, as_json, f"{words}\ncheckpoint: {summary['checkpoint']}")

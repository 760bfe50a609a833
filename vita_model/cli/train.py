"""`vita-model train`: one stage from its shards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vita_model.cli.dry_run import rehearsed_words
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
@click.option(
    "--states",
    type=click.IntRange(2, 3),
    help="Classes of a state head that has learned nothing yet; 2, written or spoken, as in the paper.",
)
@click.option(
    "--sample-timeout",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    default=120.0,
    show_default=True,
    help="A sample with a medium that takes longer to decode is left out by name.",
)
@click.option(
    "--skip-spikes",
    type=click.FloatRange(0, min_open=True),
    metavar="SIGMA",
    help="Leave out a step whose loss or gradient norm is so many deviations above the steps before; 6 is usual.",
)
@click.option(
    "--spike-window",
    type=click.IntRange(4),
    default=128,
    show_default=True,
    help="Steps before that a step is compared with.",
)
@click.option(
    "--validate-every",
    type=click.IntRange(1),
    metavar="STEPS",
    help="Score the held-out loss every so many steps, with a few answers, into validation.jsonl.",
)
@click.option(
    "--eval-samples",
    type=click.IntRange(0),
    default=200,
    show_default=True,
    help="Held-out samples of each source that are asked at the end, of this stage and of those before; 0 for none.",
)
@click.option(
    "--offload",
    type=click.Choice(["optimizer", "parameters", "both"]),
    help="Keep this in the machine's memory instead of the GPU's; parameters at ZeRO 3 only.",
)
@click.option(
    "--lora",
    "lora_rank",
    type=click.IntRange(1),
    metavar="RANK",
    help="Let the language model learn additions of this rank and keep its weights.",
)
@click.option("--lora-alpha", type=click.FloatRange(0, min_open=True), help="Alpha; twice the rank.")
@click.option(
    "--lora-target",
    "lora_targets",
    multiple=True,
    metavar="NAME",
    help="A linear layer that gets an addition, such as q_proj; every one of a block unless given.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Do one step as large as the largest of the plan, say what the training would be, and write nothing.",
)
@click.option("--wandb", metavar="PROJECT", help="Show the run in this project of Weights & Biases, too.")
@click.option(
    "--peak",
    type=click.FloatRange(0, min_open=True),
    metavar="TFLOPS",
    help="What one device could do in a second; published for known GPUs and measured on a CPU unless given.",
)
@as_json_option
@click.option("--local_rank", hidden=True, help="Set by the deepspeed launcher.")
@reported
def train(
    as_json: bool,
    dry_run: bool,
    local_rank: str | None,
    lora_rank: int | None,
    lora_alpha: float | None,
    lora_targets: tuple[str, ...],
    **options: Any,
) -> None:
    """Train one stage, alone or under torchrun.

    Writes metrics.jsonl, checkpoints and, at the end, what the held-out part says into --out. SIGTERM and
    Ctrl-C end the run after the current step with a checkpoint; --resume goes on from there with the same losses.
    Status 1 at the end, with all of it written, says that an earlier stage was forgotten beyond the card's tolerance.
    """
    with plain_stdout():
        from vita_model.config.lora import asked_lora
        from vita_model.train.engine import stop_processes
        from vita_model.train.options import Options
        from vita_model.train.program import train as run

        asked = Options(**options, lora=asked_lora(lora_rank, lora_alpha, lora_targets))
        if dry_run:
            from vita_model.rehearsal.program import rehearse

            found = rehearse(asked)
            words = rehearsed_words(found)
        else:
            found = run(asked)
            words = _trained_words(found)
        stop_processes()
    show(found, as_json, words)


def _trained_words(found: dict[str, Any]) -> str:
    words = f"stage {found['stage']}: {found['step']} of {found['steps']} steps, loss {found['loss']:.4f}"
    if found["eval"] is not None and found["eval"]["loss"] is not None:
        words += f", held-out loss {found['eval']['loss']:.4f}"
    return f"{words}\ncheckpoint: {found['checkpoint']}"

"""`vita-model`: train a stage, print the order of its samples, count a preset's parameters."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from vita_data.errors import UsageError, VitaError
from vita_model.config.presets import PRESETS

TRAINING_PACKAGES = ("torch", "transformers", "deepspeed", "safetensors")  # what the base install leaves out
PRESET = click.Choice(list(PRESETS))


@contextmanager
def _plain_stdout() -> Iterator[None]:
    """Sends what libraries print on standard output to standard error: the answer stands there alone."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def _first_rank() -> bool:
    return os.environ.get("RANK", "0") == "0"


def _reported(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose VitaError becomes one line and an exit status."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except VitaError as error:
            if _first_rank():
                click.echo(f"vita-model: {error}", err=True)
            sys.exit(error.status)
        except ModuleNotFoundError as error:
            if error.name not in TRAINING_PACKAGES:
                raise
            click.echo(
                f"vita-model: {error.name} is not installed; install the toolkit as '.[train]'.", err=True
            )
            sys.exit(2)

    return run


def _print(value: dict[str, Any], as_json: bool, words: str) -> None:
    if _first_rank():
        click.echo(json.dumps(value, ensure_ascii=False) if as_json else words)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vita-toolkit", prog_name="vita-model")
def main() -> None:
    """Train VITA from the stages that vita-data builds."""


@main.command()
@click.option("--stage", required=True, help="Stage to train: 1.1, 1.2 or 1.3.")
@click.option(
    "--data", required=True, help="The --out folder of `vita-data build`; the stage lies in its stages/."
)
@click.option("--preset", type=PRESET, default="tiny", show_default=True, help="Model to train.")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder of the run; empty or new."
)
@click.option(
    "--init", type=click.Path(path_type=Path), help="Run or checkpoint whose weights the stage starts from."
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
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
@click.option("--local_rank", hidden=True, help="Set by the deepspeed launcher.")
@_reported
def train(as_json: bool, local_rank: str | None, **options: Any) -> None:
    """Train one stage, alone or under torchrun.

    Writes metrics.jsonl, checkpoints and, at the end, the held-out loss by source into --out. SIGTERM and
    Ctrl-C end the run after the current step with a checkpoint; --resume goes on from there with the same losses.
    """
    with _plain_stdout():
        from vita_model.train.engine import stop_processes
        from vita_model.train.program import Options
        from vita_model.train.program import train as run

        summary = run(Options(**options))
        stop_processes()
    words = (
        f"stage {summary['stage']}: {summary['step']} of {summary['steps']} steps, loss {summary['loss']:.4f}"
    )
    if summary["eval"] is not None and summary["eval"]["loss"] is not None:
        words += f", held-out loss {summary['eval']['loss']:.4f}"
    _print(summary, as_json, f"{words}\ncheckpoint: {summary['checkpoint']}")


@main.command()
@click.option("--data", required=True, help="Folder of a finished stage: DIR/stages/S.")
@click.option(
    "--steps", required=True, metavar="A:B", help="Steps A up to, not including, B; the first is 0."
)
@click.option(
    "--world-size", type=click.IntRange(1), default=1, show_default=True, help="How many ranks share a step."
)
@click.option("--seed", type=int, help="Seed of the training; the build's unless given.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
@_reported
def order(data: str, steps: str, world_size: int, seed: int | None, as_json: bool) -> None:
    """Print the sample keys that each rank sees, without reading media."""
    from vita_data.shards.read import Stage
    from vita_model.batch.order import Order, keys, ranks

    stage = Stage(data)
    halves = stage.plan.get("halves")  # both read the same packs in the same batches
    schedule = next(iter(halves.values()))["schedule"] if halves else stage.plan["schedule"]
    whole = Order(
        stage.packs(),
        stage.plan["seed"] if seed is None else seed,
        schedule["global_batch"],
        schedule["epochs"],
    )
    found: list[dict[str, Any]] = []
    lines: list[str] = []
    for step in _span(steps, whole.steps):
        shares = [keys(slots) for slots in ranks(whole.step(step), world_size)]
        found.append({"step": step, "ranks": shares})
        lines += [f"step {step} rank {rank}: {' '.join(names)}" for rank, names in enumerate(shares)]
    _print({"steps": found}, as_json, "\n".join(lines))


def _span(text: str, steps: int) -> range:
    first, colon, last = text.partition(":")
    try:
        span = range(int(first), int(last)) if colon else range(int(first), int(first) + 1)
    except ValueError:
        raise UsageError(f"--steps {text} is no range; write two numbers as in 0:10.") from None
    if span.start < 0 or span.stop > steps or not len(span):
        raise UsageError(f"--steps {text} is not within the training's 0:{steps}; write a part of it.")
    return span


@main.command()
@click.option("--preset", "name", type=PRESET, required=True, help="Model to count.")
@click.option("--stage", help="Say what trains in this stage; without it, everything.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
@_reported
def info(name: str, stage: str | None, as_json: bool) -> None:
    """Count the parameters of a preset by part, without their memory."""
    from vita_data.manifest.find import load_stage
    from vita_model.config.model import PARTS
    from vita_model.config.presets import preset

    config = preset(name)
    trains = set(PARTS if stage is None else load_stage(stage).training().trains)
    with _plain_stdout():
        from vita_model.nets.vita import count

        counted = count(config)
    parts = [
        {"part": part, "parameters": number, "trainable": part in trains} for part, number in counted.items()
    ]
    total = sum(counted.values())
    lines = [
        f"{item['part']:16}{item['parameters']:>16,}{'  trains' if item['trainable'] else ''}"
        for item in parts
    ]
    _print(
        {"preset": name, "parts": parts, "total": total},
        as_json,
        "\n".join([*lines, f"{'total':16}{total:>16,}"]),
    )


if __name__ == "__main__":
    main()

"""`vita-model order`: who sees which samples when."""

from __future__ import annotations

from typing import Any

import click

from vita_data.errors import UsageError
from vita_model.cli.output import as_json_option, reported, show


@click.command()
@click.option("--data", required=True, help="Folder of a finished stage: DIR/stages/S.")
@click.option(
    "--steps", required=True, metavar="A:B", help="Steps A up to, not including, B; the first is 0."
)
@click.option(
    "--world-size", type=click.IntRange(1), default=1, show_default=True, help="How many ranks share a step."
)
@click.option("--seed", type=int, help="Seed of the training; the build's unless given.")
@as_json_option
@reported
def order(data: str, steps: str, world_size: int, seed: int | None, as_json: bool) -> None:
    """Print the sample keys that each rank sees, without reading media."""
    from vita_data.shards.read import Stage
    from vita_model.batch.order import keys, order_of

    stage = Stage(data)
    halves = stage.plan.get("halves")  # both read the same packs in the same batches
    run = next(iter(halves.values())) if halves else stage.plan
    whole = order_of(stage, run, stage.plan["seed"] if seed is None else seed)
    found: list[dict[str, Any]] = []
    lines: list[str] = []
    for step in _span(steps, whole.steps):
        shares = [keys(slot.pack for slot in share) for share in whole.shares(step, world_size)]
        found.append({"step": step, "ranks": shares})
        lines += [f"step {step} rank {rank}: {' '.join(names)}" for rank, names in enumerate(shares)]
    show({"steps": found}, as_json, "\n".join(lines))


def _span(text: str, steps: int) -> range:
    first, colon, last = text.partition(":")
    try:
        span = range(int(first), int(last)) if colon else range(int(first), int(first) + 1)
    except ValueError:
        raise UsageError(f"--steps {text} is no range; write two numbers as in 0:10.") from None
    if span.start < 0 or span.stop > steps or not len(span):
        raise UsageError(f"--steps {text} is not within the training's 0:{steps}; write a part of it.")
    return span

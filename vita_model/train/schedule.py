"""A stage card's schedule as the trainer uses it: the learning rate is a pure function of the step."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

from vita_data.errors import ShardError
from vita_data.manifest.schedule import Schedule

PRECISIONS = ("fp32", "bf16")
OPTIONAL = ("clip", "vision_learning_rate", "decay_rate", "discriminator_start")


def from_plan(said: dict[str, Any], precision: str | None = None) -> Schedule:
    """The schedule in a stage's plan, in another precision where one is given.

    Raises ShardError for keys or values that this trainer does not know.
    """
    odd = sorted({field.name for field in fields(Schedule)} ^ set(said))
    missing = [name for name in odd if name not in OPTIONAL]
    if missing:
        raise ShardError(
            f"the plan's schedule does not fit this trainer at: {', '.join(missing)}; build again."
        )
    schedule = Schedule(
        **{**said, "betas": tuple(said["betas"]), "precision": precision or said["precision"]}
    )
    if schedule.precision not in PRECISIONS:
        raise ShardError(
            f"the plan asks for precision {schedule.precision}, which this trainer does not keep exact; "
            "give --precision bf16 or fp32."
        )
    return schedule


def factor(schedule: Schedule, step: int, steps: int) -> float:
    """What the learning rates are multiplied with at a step (from 0) of a training of `steps`.

    A line from near 0 to 1 over the warm-up; then half a cosine or a line to 0 at the end, or constant, or a
    power of `decay_rate` (exponential, by epoch).
    """
    warmup = math.ceil(schedule.warmup_ratio * steps)
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(steps - warmup, 1)
    if schedule.decay == "cosine":
        return 0.5 * (1.0 + math.cos(math.pi * done))
    if schedule.decay == "linear":
        return 1.0 - done
    if schedule.decay == "exponential" and schedule.decay_rate is not None:
        return float(schedule.decay_rate ** (step * schedule.epochs // steps))
    return 1.0


def rates(schedule: Schedule, step: int, steps: int) -> tuple[float, float]:
    """The learning rate of the vision tower and of everything else at a step."""
    scale = factor(schedule, step, steps)
    vision = schedule.vision_learning_rate
    return (schedule.learning_rate if vision is None else vision) * scale, schedule.learning_rate * scale

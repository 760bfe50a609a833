"""How a stage is optimised: the values of its card, and what a mixture or an option changes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from vita_data.manifest.bind import SomeOf
from vita_data.manifest.values import Amount, Count, NotNegative, Part, Positive


@dataclass(frozen=True)
class Schedule:
    """AdamW with warmup and decay; `global_batch` counts packs of one optimiser step over all ranks.

    `vision_learning_rate` is the vision tower's own; `decay_rate` is the factor per epoch of `exponential`;
    `clip` is the gradient norm, none when absent; `discriminator_start` the step at which the discriminators of a
    codec begin to learn and to be heard, the first when absent.
    """

    learning_rate: Positive
    warmup_ratio: Part
    decay: Literal["cosine", "linear", "constant", "exponential"]
    weight_decay: NotNegative
    epochs: Count
    global_batch: Count
    betas: tuple[Part, Part]
    precision: Literal["bf16", "fp16", "fp32"]
    clip: Positive | None = None
    vision_learning_rate: Positive | None = None
    decay_rate: Part | None = None
    discriminator_start: Amount | None = None

    def complaint(self) -> tuple[str, str] | None:
        """An exponential decay has a rate, and no other has."""
        if (self.decay == "exponential") != (self.decay_rate is not None):
            return (
                "decay",
                f"decay {self.decay} does not fit decay_rate; write decay_rate with exponential only",
            )
        return None


ScheduleChange = Annotated[dict[str, Any], SomeOf(Schedule)]

"""Which layers of the language model learn a low-rank addition instead of their weights, and how large it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from vita_data.errors import UsageError

EVERY_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True)
class Lora:
    """Rank and alpha of Hu et al. (LoRA, 2021); `targets` are the last names of the layers that have an addition."""

    rank: int
    alpha: float
    targets: tuple[str, ...]

    @property
    def scale(self) -> float:
        """What the product of the two factors is multiplied by."""
        return self.alpha / self.rank

    def to_json(self) -> dict[str, Any]:
        """As a checkpoint says it."""
        return {**asdict(self), "targets": list(self.targets)}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Lora:
        """What `to_json` said."""
        return cls(int(said["rank"]), float(said["alpha"]), tuple(said["targets"]))


def asked_lora(rank: int | None, alpha: float | None, targets: tuple[str, ...]) -> Lora | None:
    """The additions that are asked for: in every linear layer and with alpha twice the rank unless said otherwise.

    UsageError for an alpha or targets without a rank.
    """
    if rank is None:
        if alpha is not None or targets:
            raise UsageError(
                "--lora-alpha and --lora-target say how --lora is done; give its rank with --lora."
            )
        return None
    return Lora(rank, 2.0 * rank if alpha is None else alpha, targets or EVERY_LINEAR)

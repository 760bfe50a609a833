"""What a stage minimises: its terms, and what each counts for."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from vita_data.errors import UsageError
from vita_data.manifest.loss import TERMS, complaint_about_weights, weights_of


def objective(loss: str, weights: Mapping[str, float] | None = None) -> dict[str, float]:
    """The weight of each term of a stage's loss, by what its plan says of them.

    UsageError for a loss that is trained by another loop, or a weight for a term that it has not.
    """
    if not TERMS.get(loss):
        trained = ", ".join(name for name, terms in TERMS.items() if terms)
        raise UsageError(f"loss {loss} is not one of {trained}; see the stage's card.")
    said = weights or {}
    wrong = complaint_about_weights(loss, said)
    if wrong is not None:
        raise UsageError(f"{wrong[0]} of the stage's plan: {wrong[1]}.")
    return weights_of(loss, said)


def weighted(
    losses: dict[str, torch.Tensor], weights: dict[str, float], counts: dict[str, float]
) -> torch.Tensor:
    """This pack's share of the global batch's loss: sums of each term over its count, weighted."""
    shares = [
        values.sum() * (weights[term] / counts[term]) if counts[term] else values.sum() * 0.0
        for term, values in losses.items()
    ]
    return torch.stack(shares).sum()

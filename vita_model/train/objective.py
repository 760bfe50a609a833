"""What a stage minimises: its terms, and what each counts for."""

from __future__ import annotations

import torch

from vita_data.errors import UsageError
from vita_model.nets.batch import CODES, CTC, LM, STATE

# Stage card's `loss` -> weight of each term. A term is a sum over the global batch divided by its own count.
OBJECTIVES: dict[str, dict[str, float]] = {
    "lm": {LM: 1.0},
    "lm+state": {LM: 1.0, STATE: 1.0},
    "ctc": {CTC: 1.0},
    "codec-tokens": {CODES: 1.0},
}


def objective(loss: str) -> dict[str, float]:
    """The weight of each term of a stage's loss; UsageError for a loss that is trained by another loop."""
    if loss not in OBJECTIVES:
        raise UsageError(f"loss {loss} is not one of {', '.join(OBJECTIVES)}; see the stage's card.")
    return OBJECTIVES[loss]


def weighted(
    losses: dict[str, torch.Tensor], weights: dict[str, float], counts: dict[str, float]
) -> torch.Tensor:
    """This pack's share of the global batch's loss: sums of each term over its count, weighted."""
    shares = [
        values.sum() * (weights[term] / counts[term]) if counts[term] else values.sum() * 0.0
        for term, values in losses.items()
    ]
    return torch.stack(shares).sum()

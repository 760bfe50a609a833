"""The state head: whether what was heard is meant for the model, read where the sound ends.

Classes 0 reply, 1 not addressed, 2 unused, weighted 1, 5 and 1, as in the public code. The paper names a head
of two classes, written or spoken; a model of two states is that one, and its places are the ends of all
questions.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

WEIGHTS = (1.0, 5.0, 1.0)


class StateHead(nn.Linear):
    """Linear(hidden -> states) with the weighted cross entropy of its classes."""

    def __init__(self, hidden: int, states: int) -> None:
        super().__init__(hidden, states)
        self.class_weights = WEIGHTS if states == len(WEIGHTS) else (1.0,) * states

    def forward(self, hidden: torch.Tensor, targets: torch.Tensor | None = None) -> torch.Tensor:
        """fp32 logits (N, states) of hidden states (N, D); with targets (N,) their weighted losses (N,)."""
        logits = functional.linear(hidden.float(), self.weight.float(), self.bias.float())
        if targets is None:
            return logits
        weights = torch.tensor(self.class_weights, device=logits.device)
        return functional.cross_entropy(logits, targets, weight=weights, reduction="none")

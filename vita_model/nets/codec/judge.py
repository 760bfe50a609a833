"""What a discriminator says of a waveform, and how every one of them is built: a chain of convolutions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional


@dataclass(frozen=True)
class Judgement:
    """One discriminator on N waveforms: scores (N, any), 1 for real, and the features (N, ...) on the way."""

    scores: torch.Tensor
    features: list[torch.Tensor]


class Chain(nn.Module):
    """Convolutions with a leaky rectifier after each, and a last one that makes the scores."""

    def __init__(self, layers: Iterable[nn.Module], last: nn.Module, slope: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.last = last
        self._slope = slope

    def forward(self, hidden: torch.Tensor) -> Judgement:
        """(N, C, ...) -> scores of every place, and what each layer gave."""
        features = []
        for layer in self.layers:
            hidden = functional.leaky_relu(layer(hidden), self._slope)
            features.append(hidden)
        scores = self.last(hidden)
        return Judgement(scores.flatten(1), features)

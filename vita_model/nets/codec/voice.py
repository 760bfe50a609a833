"""The global branch: what of an utterance does not change with time, mostly its speaker, as one vector."""

from __future__ import annotations

import torch
from torch import nn

from vita_model.config.codec import CodecConfig
from vita_model.nets.codec.blocks import SLOPE
from vita_model.nets.codec.norm import BatchNorm

KERNEL = 3
WEIGHT_DEVIATION = 0.01


class GlobalBranch(nn.Module):
    """Convolutions, the mean over time, and a normalised linear layer: (N, W, T) -> (N, W)."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        width, hidden = config.global_width, config.global_hidden
        convolutions: list[nn.Module] = []
        for inputs, outputs in ((width, hidden), (hidden, hidden), (hidden, width)):
            layer = nn.Conv1d(inputs, outputs, KERNEL, padding=KERNEL // 2, bias=False)
            nn.init.normal_(layer.weight, std=WEIGHT_DEVIATION)
            convolutions += [layer, nn.LeakyReLU(SLOPE)]
        self.over_time = nn.Sequential(*convolutions)
        self.of_mean = nn.Sequential(nn.Linear(width, width), nn.LeakyReLU(SLOPE), BatchNorm(width))

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """One vector an utterance; while training its norm is over the batch of all ranks."""
        vector: torch.Tensor = self.of_mean(self.over_time(hidden).mean(dim=2))
        return vector

"""What encoder and generator are both built of: weight-normed convolutions and HiFi-GAN's residual block.

Kong et al., "HiFi-GAN" (2020), the residual block of its first kind.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

SLOPE = 0.1
Layer = TypeVar("Layer", bound=nn.Module)


def normed(layer: Layer) -> Layer:
    """The layer with its weight as a direction and a length for each of its first axis."""
    with_norm: Layer = weight_norm(layer)
    return with_norm


def activate(hidden: torch.Tensor) -> torch.Tensor:
    """The leaky rectifier before nearly every convolution."""
    return functional.leaky_relu(hidden, SLOPE)


def same(inputs: int, outputs: int, kernel: int, dilation: int = 1) -> nn.Conv1d:
    """A convolution without norm that keeps the length, padded with zeros on both sides."""
    return nn.Conv1d(inputs, outputs, kernel, dilation=dilation, padding=(kernel - 1) // 2 * dilation)


class ResidualBlock(nn.Module):
    """Pairs of convolutions around a skip, the first of each pair dilated: (N, C, T) -> (N, C, T)."""

    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.dilated = nn.ModuleList(normed(same(channels, channels, kernel, each)) for each in dilations)
        self.plain = nn.ModuleList(normed(same(channels, channels, kernel)) for _ in dilations)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Each pair's output on top of its input."""
        for dilated, plain in zip(self.dilated, self.plain, strict=True):
            hidden = hidden + plain(activate(dilated(activate(hidden))))
        return hidden


def block_reach(kernel: int, dilations: tuple[int, ...]) -> int:
    """How many places to each side a residual block looks."""
    return (kernel - 1) // 2 * sum(each + 1 for each in dilations)

"""The generator: vectors of tokens back into a waveform, in the voice of a global vector. HiFi-GAN's."""

from __future__ import annotations

import torch
from torch import nn

from vita_model.config.codec import CodecConfig
from vita_model.nets.codec.blocks import ResidualBlock, activate, block_reach, normed, same

EDGE_KERNEL = 7


class Stage(nn.Module):
    """A transposed convolution that halves the channels, and the mean of residual blocks after it."""

    def __init__(self, inputs: int, stride: int, kernel: int, config: CodecConfig) -> None:
        super().__init__()
        width = inputs // 2
        self.up = normed(nn.ConvTranspose1d(inputs, width, kernel, stride, padding=(kernel - stride) // 2))
        self.blocks = nn.ModuleList(
            ResidualBlock(width, each, config.block_dilations) for each in config.block_kernels
        )

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """(N, C, T) -> (N, C / 2, T * stride)."""
        hidden = self.up(activate(hidden))
        total = torch.zeros_like(hidden)
        for block in self.blocks:
            total = total + block(hidden)
        return total / len(self.blocks)


class Generator(nn.Module):
    """HiFi-GAN with a global vector added after the stage that the config names by its index."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.config = config
        width = config.channels
        self.first = normed(same(width, width, EDGE_KERNEL))
        self.stages = nn.ModuleList()
        for stride, kernel in zip(config.strides, config.kernels, strict=True):
            self.stages.append(Stage(width, stride, kernel, config))
            width //= 2
        self.last = normed(same(width, 1, EDGE_KERNEL))

    def forward(self, vectors: torch.Tensor, voice: torch.Tensor) -> torch.Tensor:
        """Vectors (N, C, tokens) and global vectors (N, W) -> (N, 1, tokens * hop) within -1 and 1."""
        hidden = self.first(vectors)
        for number, stage in enumerate(self.stages):
            hidden = stage(hidden)
            if number == self.config.global_stage:
                hidden = hidden + voice.unsqueeze(-1)
        return torch.tanh(self.last(activate(hidden)))


def lookahead(config: CodecConfig) -> int:
    """Tokens to each side of one that its samples depend on: from the output inwards, layer by layer."""
    block = max(block_reach(kernel, config.block_dilations) for kernel in config.block_kernels)
    reach = EDGE_KERNEL // 2
    for stride, kernel in reversed(list(zip(config.strides, config.kernels, strict=True))):
        past_the_edge = reach + block + (kernel - stride) // 2
        reach = -(-past_the_edge // stride)
    return reach + EDGE_KERNEL // 2

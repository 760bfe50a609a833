"""The encoder: a waveform as one vector for every token, and one for the whole utterance."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from vita_model.config.codec import CodecConfig
from vita_model.nets.codec.blocks import ResidualBlock, activate, normed, same
from vita_model.nets.codec.voice import WEIGHT_DEVIATION, GlobalBranch

EDGE_KERNEL = 7
LAST_KERNEL = 3
LAST_SLOPE = 0.01
CHANNELS_A_GROUP = 16
EPSILON = 1e-6


class Stage(nn.Module):
    """A strided convolution that doubles the channels, and residual blocks of falling kernels after it.

    The group norm acts on the sum so far after each block, the mean is taken last: this, not the mean of normed
    blocks, is what released weights expect. The norm spans time, so zeros behind a shorter neighbour would
    change its vectors: utterances of different lengths never share a batch.
    """

    def __init__(self, inputs: int, stride: int, kernel: int, config: CodecConfig) -> None:
        super().__init__()
        width = 2 * inputs
        self.down = normed(nn.Conv1d(inputs, width, kernel, stride, padding=(kernel - stride) // 2))
        kernels = tuple(reversed(config.block_kernels))
        self.blocks = nn.ModuleList(ResidualBlock(width, each, config.block_dilations) for each in kernels)
        groups = max(1, width // CHANNELS_A_GROUP)
        self.norms = nn.ModuleList(nn.GroupNorm(groups, width, eps=EPSILON) for _ in kernels)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """(N, C, T) -> (N, 2 C, T / stride)."""
        hidden = self.down(activate(hidden))
        total = torch.zeros_like(hidden)
        for block, norm in zip(self.blocks, self.norms, strict=True):
            total = norm(total + block(hidden))
        return total / len(self.blocks)


class Encoder(nn.Module):
    """Strided stages from the waveform to tokens, with the global branch beside the stage of its width."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        width = config.channels >> len(config.strides)
        self.first = normed(same(1, width, EDGE_KERNEL))
        self.stages = nn.ModuleList()
        for stride, kernel in zip(reversed(config.strides), reversed(config.kernels), strict=True):
            self.stages.append(Stage(width, stride, kernel, config))
            width *= 2
        self.last = same(width, width, LAST_KERNEL)
        nn.init.normal_(self.last.weight, std=WEIGHT_DEVIATION)
        self.voice = GlobalBranch(config)
        # Where the encoder is as wide as the generator after its stage `global_stage`.
        self._voice_stage = len(config.strides) - 2 - config.global_stage

    def forward(self, waveform: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, 1, samples) -> vectors (N, C, tokens) and the global vector (N, W)."""
        half = self._halfway(waveform)
        hidden = half
        for stage in list(self.stages)[self._voice_stage + 1 :]:
            hidden = stage(hidden)
        return self.last(functional.leaky_relu(hidden, LAST_SLOPE)), self.voice(half)

    def global_vector(self, waveform: torch.Tensor) -> torch.Tensor:
        """The global vector (N, W) alone, without the stages that it does not need."""
        vector: torch.Tensor = self.voice(self._halfway(waveform))
        return vector

    def _halfway(self, waveform: torch.Tensor) -> torch.Tensor:
        hidden: torch.Tensor = self.first(waveform)
        for stage in list(self.stages)[: self._voice_stage + 1]:
            hidden = stage(hidden)
        return hidden

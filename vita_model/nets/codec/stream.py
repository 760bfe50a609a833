"""Decoding as tokens come: every layer keeps the inputs its next outputs need, so nothing is computed twice.

The generator looks ahead, so samples follow some tokens behind (`lookahead` of the generator). What is put
out, piece by piece, is what the whole decode gives, since a layer starts with the zeros that pad its left and
ends with those that pad its right, and otherwise only waits for inputs.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from vita_model.nets.codec import generator
from vita_model.nets.codec.blocks import ResidualBlock, activate


class Convolution:
    """A convolution of stride 1 that keeps the inputs which its next outputs look back at."""

    def __init__(self, layer: nn.Conv1d) -> None:
        self._layer = layer
        self._pad = int(layer.padding[0])
        self._held: torch.Tensor | None = None

    def push(self, hidden: torch.Tensor, last: bool) -> torch.Tensor:
        """(1, C, n) -> (1, C', m), where m is n but for the first and the last call."""
        edge = hidden.new_zeros(1, hidden.shape[1], self._pad)
        held = edge if self._held is None else self._held
        hidden = torch.cat([held, hidden, edge] if last else [held, hidden], dim=2)
        self._held = hidden[..., max(0, hidden.shape[2] - 2 * self._pad) :]
        if hidden.shape[2] <= 2 * self._pad:
            return hidden.new_zeros(1, self._layer.out_channels, 0)
        return functional.conv1d(hidden, self._layer.weight, self._layer.bias, dilation=self._layer.dilation)


class Upsampling:
    """A transposed convolution that keeps the end of its output until its neighbours have been added to it."""

    def __init__(self, layer: nn.ConvTranspose1d) -> None:
        self._layer = layer
        self._pad, self._stride = int(layer.padding[0]), int(layer.stride[0])
        self._skip = self._pad
        self._held: torch.Tensor | None = None

    def push(self, hidden: torch.Tensor, last: bool) -> torch.Tensor:
        """(1, C, n) -> (1, C', n * stride), less the padding at first and with the rest of it at last."""
        if hidden.shape[2]:
            spread = functional.conv_transpose1d(hidden, self._layer.weight, stride=self._stride)
        else:
            spread = hidden.new_zeros(1, self._layer.out_channels, 2 * self._pad)
        if self._held is not None:
            spread[..., : 2 * self._pad] += self._held
        done = hidden.shape[2] * self._stride
        self._held = spread[..., done:]
        whole = spread[..., : done + (self._pad if last else 0)]
        skipped = min(self._skip, whole.shape[2])
        self._skip -= skipped
        whole = whole[..., skipped:]
        return whole if self._layer.bias is None else whole + self._layer.bias[:, None]


class Waiting:
    """Inputs that wait for the outputs which belong to them."""

    def __init__(self) -> None:
        self._held: torch.Tensor | None = None

    def push(self, hidden: torch.Tensor) -> None:
        """Adds inputs behind those that wait."""
        self._held = hidden if self._held is None else torch.cat([self._held, hidden], dim=2)

    def __len__(self) -> int:
        return 0 if self._held is None else self._held.shape[2]

    def take(self, count: int) -> torch.Tensor:
        """The first `count` of them."""
        assert self._held is not None
        taken, self._held = self._held[..., :count], self._held[..., count:]
        return taken


class Residual:
    """A residual block."""

    def __init__(self, block: ResidualBlock) -> None:
        layers: list[Any] = [*zip(block.dilated, block.plain, strict=True)]
        self._pairs = [(Convolution(dilated), Convolution(plain), Waiting()) for dilated, plain in layers]

    def push(self, hidden: torch.Tensor, last: bool) -> torch.Tensor:
        """(1, C, n) -> (1, C, m)."""
        for dilated, plain, skipped in self._pairs:
            skipped.push(hidden)
            change = plain.push(activate(dilated.push(activate(hidden), last)), last)
            hidden = skipped.take(change.shape[2]) + change
        return hidden


class Stage:
    """A stage of the generator: the blocks run at different distances behind, their mean waits for the last."""

    def __init__(self, stage: generator.Stage) -> None:
        self._up = Upsampling(stage.up)
        blocks: list[Any] = list(stage.blocks)
        self._blocks = [(Residual(block), Waiting()) for block in blocks]

    def push(self, hidden: torch.Tensor, last: bool) -> torch.Tensor:
        """(1, C, n) -> (1, C / 2, m)."""
        hidden = self._up.push(activate(hidden), last)
        for block, done in self._blocks:
            done.push(block.push(hidden, last))
        ready = min(len(done) for _, done in self._blocks)
        return torch.stack([done.take(ready) for _, done in self._blocks]).sum(0) / len(self._blocks)


class GeneratorStream:
    """The generator over vectors that come in pieces, in one voice."""

    def __init__(self, network: generator.Generator, voice: torch.Tensor) -> None:
        self._network, self._voice = network, voice.unsqueeze(-1)
        self._first, self._last = Convolution(network.first), Convolution(network.last)
        stages: list[Any] = list(network.stages)
        self._stages = [Stage(stage) for stage in stages]

    @torch.no_grad()
    def push(self, vectors: torch.Tensor, last: bool) -> torch.Tensor:
        """Vectors (1, C, n), n from 0 -> the samples (m,) that are complete with them."""
        hidden = self._first.push(vectors, last)
        for number, stage in enumerate(self._stages):
            hidden = stage.push(hidden, last)
            if number == self._network.config.global_stage:
                hidden = hidden + self._voice
        return torch.tanh(self._last.push(activate(hidden), last))[0, 0]

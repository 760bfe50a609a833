"""The multi-period discriminator: samples a fixed distance apart beside each other (Kong et al., HiFi-GAN)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from vita_model.nets.codec.blocks import SLOPE, normed
from vita_model.nets.codec.judge import Chain, Judgement

PERIODS = (2, 3, 5, 7, 11)
KERNEL, LAST_KERNEL, STRIDE = 5, 3, 3


class PeriodDiscriminator(nn.Module):
    """Folds a waveform into rows of `period` samples and looks down each column: (N, 1, T) -> Judgement."""

    def __init__(self, period: int, width: int) -> None:
        super().__init__()
        self.period = period
        widths = (1, width, 4 * width, 16 * width, 32 * width)
        layers = [self._column(a, b, KERNEL, STRIDE) for a, b in pairwise(widths)]
        layers.append(self._column(widths[-1], widths[-1], KERNEL, 1))
        self.chain = Chain(layers, self._column(widths[-1], 1, LAST_KERNEL, 1), SLOPE)

    @staticmethod
    def _column(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Module:
        return normed(nn.Conv2d(inputs, outputs, (kernel, 1), (stride, 1), padding=(kernel // 2, 0)))

    def forward(self, waveform: torch.Tensor) -> Judgement:
        """The scores count among the features, as in the paper's code."""
        waveform = functional.pad(waveform, (0, -waveform.shape[2] % self.period), mode="reflect")
        judged: Judgement = self.chain(waveform.unflatten(2, (-1, self.period)))
        return Judgement(judged.scores, [*judged.features, judged.scores])

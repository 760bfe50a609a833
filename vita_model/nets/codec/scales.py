"""The multi-scale discriminator: the waveform, and what is left of it after averages (Kumar et al., MelGAN)."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from vita_model.nets.codec.blocks import SLOPE, normed
from vita_model.nets.codec.judge import Chain, Judgement

SCALES = 3
# Channels in widths, kernel, stride and groups of every layer after the first.
LAYERS = ((4, 41, 2, 4), (8, 41, 2, 16), (16, 41, 4, 16), (32, 41, 4, 16), (32, 41, 1, 16), (32, 5, 1, 1))
FIRST_KERNEL, LAST_KERNEL = 15, 3


class ScaleDiscriminator(nn.Module):
    """Strided convolutions in groups, weight-normed or, for the waveform itself, spectrally: (N, 1, T)."""

    def __init__(self, width: int, spectral: bool) -> None:
        super().__init__()
        norm = spectral_norm if spectral else normed
        layers = [norm(nn.Conv1d(1, 4 * width, FIRST_KERNEL, padding=FIRST_KERNEL // 2))]
        inputs = 4 * width
        for times, kernel, stride, groups in LAYERS:
            outputs = times * width
            layers.append(norm(nn.Conv1d(inputs, outputs, kernel, stride, kernel // 2, groups=groups)))
            inputs = outputs
        last = norm(nn.Conv1d(inputs, 1, LAST_KERNEL, padding=LAST_KERNEL // 2))
        self.chain = Chain(layers, last, SLOPE)

    def forward(self, waveform: torch.Tensor) -> Judgement:
        """The scores count among the features, as in the paper's code."""
        judged: Judgement = self.chain(waveform)
        return Judgement(judged.scores, [*judged.features, judged.scores])

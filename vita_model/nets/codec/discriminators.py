"""All discriminators that the codec is trained against."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from vita_model.config.codec import CodecConfig
from vita_model.nets.codec.judge import Judgement
from vita_model.nets.codec.periods import PERIODS, PeriodDiscriminator
from vita_model.nets.codec.scales import SCALES, ScaleDiscriminator
from vita_model.nets.codec.spectra import WINDOWS, SpectrumDiscriminator


class Discriminators(nn.Module):
    """Five periods, three scales (the first spectrally normed) and five spectra, of `discriminator_width`."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        width = config.discriminator_width
        self.periods = nn.ModuleList(PeriodDiscriminator(period, width) for period in PERIODS)
        self.scales = nn.ModuleList(ScaleDiscriminator(width, spectral=not n) for n in range(SCALES))
        self.spectra = nn.ModuleList(SpectrumDiscriminator(window, width) for window in WINDOWS)

    def forward(self, waveform: torch.Tensor) -> list[Judgement]:
        """What each says of waveforms (N, 1, T), T from 2,048: always in the same order."""
        judgements: list[Judgement] = [each(waveform) for each in self.periods]
        smoothed = waveform
        for number, each in enumerate(self.scales):
            if number:
                smoothed = functional.avg_pool1d(smoothed, kernel_size=4, stride=2, padding=2)
            judgements.append(each(smoothed))
        return judgements + [each(waveform) for each in self.spectra]

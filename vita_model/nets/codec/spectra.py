"""The multi-scale STFT discriminator: complex spectra of several window lengths (Defossez et al., EnCodec)."""

from __future__ import annotations

import torch
from torch import nn

from vita_model.nets.codec.blocks import normed
from vita_model.nets.codec.judge import Chain, Judgement

WINDOWS = (1024, 2048, 512, 256, 128)
WINDOWS_A_HOP = 4
SLOPE = 0.2
KERNEL, LAST_KERNEL = (3, 9), (3, 3)
DILATIONS = (1, 2, 4)


class SpectrumDiscriminator(nn.Module):
    """Convolutions over time and frequency of one complex spectrum: (N, 1, T) -> Judgement.

    Windows do not reach over the edges, so T is at least `window`. The spectrum is divided by the norm of the
    window. Frequency is halved by each dilated layer.
    """

    envelope: torch.Tensor

    def __init__(self, window: int, width: int) -> None:
        super().__init__()
        self.register_buffer("envelope", torch.hann_window(window), persistent=False)
        layers = [nn.Conv2d(2, width, KERNEL, padding=(1, 4))]
        for dilation in DILATIONS:
            layers.append(
                normed(nn.Conv2d(width, width, KERNEL, (1, 2), padding=(dilation, 4), dilation=(dilation, 1)))
            )
        layers.append(normed(nn.Conv2d(width, width, LAST_KERNEL, padding=1)))
        self.chain = Chain(layers, normed(nn.Conv2d(width, 1, LAST_KERNEL, padding=1)), SLOPE)

    def forward(self, waveform: torch.Tensor) -> Judgement:
        """Features without the scores."""
        window = len(self.envelope)
        spectrum = torch.stft(
            waveform.squeeze(1).float(),
            window,
            hop_length=window // WINDOWS_A_HOP,
            window=self.envelope,
            center=False,
            return_complex=True,
        )
        spectrum = spectrum.transpose(1, 2) / self.envelope.square().sum().sqrt()
        judged: Judgement = self.chain(torch.stack([spectrum.real, spectrum.imag], dim=1))
        return judged

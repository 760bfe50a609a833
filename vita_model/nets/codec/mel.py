"""The log-mel spectrogram by which a reconstruction is measured; mel bands as Slaney's Auditory Toolbox has them."""

from __future__ import annotations

from math import exp, log

import torch
from torch import nn
from torch.nn import functional

# Slaney's scale: straight up to 1,000 Hz at 200/3 Hz a mel, from there 27 mels to a factor of 6.4.
BREAK_HZ = 1000.0
HZ_A_MEL = 200.0 / 3.0
BREAK_MEL = BREAK_HZ / HZ_A_MEL
LOG_STEP = log(6.4) / 27.0

FLOOR = 1e-5
ENERGY_FLOOR = 1e-9


def hz_to_mel(hz: float) -> float:
    """Slaney's mel of a frequency in Hz."""
    return hz / HZ_A_MEL if hz < BREAK_HZ else BREAK_MEL + log(hz / BREAK_HZ) / LOG_STEP


def mel_to_hz(mel: float) -> float:
    """The frequency in Hz of Slaney's mel."""
    return mel * HZ_A_MEL if mel < BREAK_MEL else BREAK_HZ * exp((mel - BREAK_MEL) * LOG_STEP)


def filterbank(rate: int, window: int, bands: int, low: float, high: float) -> torch.Tensor:
    """Triangles over the bins of an FFT, (bands, window / 2 + 1), each of area 1 in Hz."""
    first, last = hz_to_mel(low), hz_to_mel(high)
    edges = [mel_to_hz(first + (last - first) * n / (bands + 1)) for n in range(bands + 2)]
    corners = torch.tensor(edges, dtype=torch.float64)[:, None]
    bins = torch.linspace(0.0, rate / 2, window // 2 + 1, dtype=torch.float64)[None]
    rising = (bins - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - bins) / (corners[2:] - corners[1:-1])
    triangles = torch.minimum(rising, falling).clamp(min=0.0)
    return (triangles * 2.0 / (corners[2:] - corners[:-2])).float()


class LogMel(nn.Module):
    """Waveforms (N, T) -> log-mel magnitudes (N, bands, T / hop), in fp32.

    The waveform is mirrored at its edges so that frame n stands in the middle of samples n * hop and on.
    """

    envelope: torch.Tensor
    filters: torch.Tensor

    def __init__(self, rate: int, window: int, hop: int, bands: int, top: float) -> None:
        super().__init__()
        self.hop = hop
        self.register_buffer("envelope", torch.hann_window(window), persistent=False)
        self.register_buffer("filters", filterbank(rate, window, bands, 0.0, top), persistent=False)

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """Natural logarithms, nothing below that of 1e-5."""
        window = len(self.envelope)
        edge = (window - self.hop) // 2
        spectrum = torch.stft(
            functional.pad(waveform.float(), (edge, edge), mode="reflect"),
            window,
            hop_length=self.hop,
            window=self.envelope,
            center=False,
            return_complex=True,
        )
        # The floor below the root keeps its gradient finite in silence.
        magnitude = (torch.view_as_real(spectrum).square().sum(-1) + ENERGY_FLOOR).sqrt()
        return (self.filters @ magnitude).clamp(min=FLOOR).log()

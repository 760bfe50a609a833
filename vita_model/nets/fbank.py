"""Filter-bank energies of 16 kHz speech as Kaldi computes them, for many clips at once, on any device.

Kaldi's `compute-fbank-feats` with a Povey window, snipped edges and no energy; see "The Kaldi speech recognition
toolkit" (Povey et al., 2011) and the source of its feature-window.cc and mel-computations.cc.
"""

from __future__ import annotations

import math

import torch

from vita_data.prompt.lengths import FBANK_SHIFT, FBANK_WINDOW
from vita_model.nets.precision import as_given

RATE = 16000
SIXTEEN_BITS = 32768.0  # Kaldi reads integers
PREEMPHASIS = 0.97
POVEY_POWER = 0.85
TRANSFORM = 512  # the window filled up to a power of two
LOWEST_HERTZ = 20.0


@torch.no_grad()
def fbank(
    waveforms: torch.Tensor, lengths: tuple[int, ...], mel_bins: int, dither: float = 0.0
) -> torch.Tensor:
    """Log mel energies float32 (sum of frames, mel_bins) of clips laid end to end.

    waveforms (samples,) from -1 to 1 at 16 kHz, `lengths` samples of each clip; a clip has `fbank_frames` of its
    length. `dither` is the deviation of the noise on each window, in 16-bit steps, drawn by torch's generator.
    """
    scaled = waveforms.float() * SIXTEEN_BITS
    windows = torch.cat([_windows(clip) for clip in scaled.split(lengths)])
    if not len(windows):
        return windows.new_zeros(0, mel_bins)
    if dither:
        windows = windows + dither * torch.randn_like(windows)
    windows = windows - windows.mean(dim=1, keepdim=True)
    before = torch.cat((windows[:, :1], windows[:, :-1]), dim=1)
    shaped = (windows - PREEMPHASIS * before) * _povey(waveforms.device)
    power = torch.fft.rfft(shaped, n=TRANSFORM).abs().square()
    with as_given(waveforms.device):
        energies = power[:, : TRANSFORM // 2] @ mel_filters(mel_bins, waveforms.device).T
    logs: torch.Tensor = energies.clamp_min(torch.finfo(torch.float32).eps).log()
    return logs


def _windows(clip: torch.Tensor) -> torch.Tensor:
    if len(clip) < FBANK_WINDOW:
        return clip.new_zeros(0, FBANK_WINDOW)
    return clip.unfold(0, FBANK_WINDOW, FBANK_SHIFT)


# These are made anew in every call, which costs next to nothing: as buffers they would lose their precision
# together with a model that is moved to bf16.
def _povey(device: torch.device) -> torch.Tensor:
    return torch.hann_window(FBANK_WINDOW, periodic=False, device=device).pow(POVEY_POWER)


def mel_filters(mel_bins: int, device: torch.device) -> torch.Tensor:
    """Triangles float32 (mel_bins, 256), equally wide in mel from 20 Hz to 8 kHz; no filter reaches the last line."""
    lowest, highest = _mel(LOWEST_HERTZ), _mel(RATE / 2)
    step = (highest - lowest) / (mel_bins + 1)
    left, centre, right = (
        lowest + step * (torch.arange(mel_bins, device=device) + n)[:, None] for n in range(3)
    )
    hertz = torch.arange(TRANSFORM // 2, device=device) * (RATE / TRANSFORM)
    mels = 1127.0 * (1.0 + hertz / 700.0).log()
    rising, falling = (mels - left) / (centre - left), (right - mels) / (right - centre)
    return torch.minimum(rising, falling).clamp_min(0.0)


def _mel(hertz: float) -> float:
    return 1127.0 * math.log1p(hertz / 700.0)

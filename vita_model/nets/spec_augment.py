"""What is hidden of the sounds that a speech encoder learns from: stretches of time and bands of pitch."""

from __future__ import annotations

import torch

from vita_model.config.speech import EncoderConfig

MOST_OF_A_CLIP = 5  # a stretch is at most a fifth of its clip


def spec_augment(features: torch.Tensor, lengths: tuple[int, ...], config: EncoderConfig) -> torch.Tensor:
    """Normalised frames (sum of lengths, mel_bins) of clips, some of them at their mean, drawn by torch's generator.

    Every clip has its own stretches and bands. Park et al., "SpecAugment" (2019), without the warping of time, which
    they found to matter least; `time_masks` and `mel_masks` are their m_T and m_F, the widest ones T and F.
    """
    hidden = torch.zeros(features.shape, dtype=torch.bool)
    first = 0
    for length in lengths:
        clip = hidden[first : first + length]
        for _ in range(config.time_masks):
            start, end = _stretch(length, min(config.widest_time_mask, length // MOST_OF_A_CLIP))
            clip[start:end] = True
        for _ in range(config.mel_masks):
            start, end = _stretch(config.mel_bins, min(config.widest_mel_mask, config.mel_bins))
            clip[:, start:end] = True
        first += length
    return features.masked_fill(hidden.to(features.device), 0.0)


def _stretch(places: int, widest: int) -> tuple[int, int]:
    width = int(torch.randint(widest + 1, ()))
    start = int(torch.randint(places - width + 1, ()))
    return start, start + width

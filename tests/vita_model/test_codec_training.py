"""The codec learns: half a second of sound over-fitted against its discriminators, and codes put to use."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from vita_model.config.presets import preset
from vita_model.nets.codec.codec import Codec
from vita_model.nets.codec.discriminators import Discriminators
from vita_model.nets.codec.losses import MelDistances, codec_terms, discriminator_terms, weighted

TINY = preset("tiny").codec


def vowels(segments: int, samples: int) -> torch.Tensor:
    """Harmonics of a gliding voice through a moving formant, (segments, 1, samples)."""
    time = torch.arange(segments * samples) / TINY.rate
    phase = 2 * torch.pi * torch.cumsum(140 + 30 * torch.sin(4 * time), 0) / TINY.rate
    formant = 900 + 500 * torch.sin(9 * time)
    sound = torch.zeros_like(time)
    for number in range(1, 25):
        sound += torch.exp(-(((140 * number - formant) / 400) ** 2)) * torch.sin(number * phase)
    return (0.2 * sound).view(segments, 1, samples)


@pytest.mark.slow
def test_half_a_second_is_over_fitted_and_the_mel_distance_falls():
    torch.manual_seed(0)
    codec, judges = Codec(TINY).train(), Discriminators(TINY).train()
    mels, segments = MelDistances(TINY), vowels(3, 3600)
    to_codec = torch.optim.Adam(codec.parameters(), 2e-3, betas=(0.5, 0.9))
    to_judges = torch.optim.Adam(judges.parameters(), 2e-4, betas=(0.5, 0.9))
    distances = []
    for step in range(25):
        made = codec(segments, segments.roll(1, 0))
        judged = discriminator_terms(judges(segments), judges(made.waveform.detach()))
        to_judges.zero_grad()
        (sum(judged.values()) / len(segments)).backward()
        to_judges.step()
        judges.requires_grad_(False)
        apart = mels(made.waveform, segments)
        terms = codec_terms(made, apart, judges(segments), judges(made.waveform))
        to_codec.zero_grad()
        (weighted(terms) / len(segments)).backward()
        to_codec.step()
        judges.requires_grad_(True)
        codec.refresh(step)
        distances.append(float(apart["mel_1024"].detach()) / len(segments))
    assert sum(distances[-5:]) / 5 < 0.6 * distances[0], distances


def test_idle_codes_are_brought_into_use():
    def codes_used(restart_after: int) -> int:
        torch.manual_seed(0)
        config = replace(TINY, codes=64, voice=(0,) * 8, restart_after=restart_after)
        codec, segments = Codec(config).train(), vowels(4, 6000)
        for step in range(6):
            made = codec(segments, segments)
            codec.refresh(step)
        return made.quantised.frame_codes.unique().numel()

    assert codes_used(0) <= 5
    assert codes_used(1) >= 10

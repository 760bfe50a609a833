"""Mel bands, discriminators and loss terms against other definitions, closed forms and each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers.audio_utils import mel_filter_bank

from vita_data.errors import UsageError
from vita_model.config.presets import preset
from vita_model.nets.codec.codec import Codec
from vita_model.nets.codec.discriminators import Discriminators
from vita_model.nets.codec.losses import (
    WEIGHTS,
    MelDistances,
    codec_terms,
    discriminator_terms,
    weighted,
)
from vita_model.nets.codec.mel import LogMel, filterbank, hz_to_mel, mel_to_hz

TINY = preset("tiny").codec


@pytest.mark.parametrize("window", [1024, 512, 256])
@pytest.mark.parametrize("top", [8000.0, 12000.0])
def test_mel_bands_are_slaneys(window, top):
    bands = mel_filter_bank(window // 2 + 1, 80, 0.0, top, 24000, norm="slaney", mel_scale="slaney")
    assert np.abs(filterbank(24000, window, 80, 0.0, top).numpy() - bands.T).max() < 1e-7


def test_a_mel_is_two_thirds_of_a_tenth_of_a_kilohertz_and_then_a_ratio():
    assert mel_to_hz(3.0) == pytest.approx(200.0) and hz_to_mel(6400.0) == pytest.approx(42.0)
    for hz in (0.0, 440.0, 999.9, 1000.0, 7999.0):
        assert mel_to_hz(hz_to_mel(hz)) == pytest.approx(hz)


def test_a_tone_is_loudest_in_its_band_and_silence_is_the_floor():
    mel = LogMel(24000, 1024, 240, 80, 8000.0)
    tone = torch.sin(2 * torch.pi * 1500.0 * torch.arange(4800) / 24000)
    bands = mel(torch.stack([tone, torch.zeros(4800)]))
    assert bands.shape == (2, 80, 20)
    centres = torch.tensor([mel_to_hz(hz_to_mel(8000.0) * (n + 1) / 81) for n in range(80)])
    loudest = int(bands[0, :, 10].argmax())
    assert loudest == int((centres - 1500.0).abs().argmin())
    # A sine's line is half the window's sum high, here in the bin of exactly 64 cycles.
    line = filterbank(24000, 1024, 80, 0.0, 8000.0)[loudest, 63:66] @ torch.tensor([0.5, 1.0, 0.5]) * 256
    assert bands[0, loudest, 10].exp() == pytest.approx(float(line), rel=1e-3)
    assert torch.allclose(bands[1], torch.tensor(1e-5).log())


def test_the_gradient_in_silence_is_finite():
    waveform = torch.zeros(1, 4800, requires_grad=True)
    (LogMel(24000, 1024, 240, 80, 8000.0)(waveform) + 0.0).sum().backward()
    assert torch.isfinite(waveform.grad).all()


@pytest.fixture(scope="module")
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return 0.1 * torch.randn(3, 1, 3600), 0.1 * torch.randn(3, 1, 3600)


@pytest.fixture(scope="module")
def discriminators() -> Discriminators:
    torch.manual_seed(1)
    return Discriminators(TINY).eval()


def test_there_are_thirteen_discriminators_of_the_configured_width(discriminators, batch):
    judgements = discriminators(batch[0])
    assert [len(each.features) for each in judgements] == [6] * 5 + [8] * 3 + [5] * 5
    assert all(len(each.scores) == 3 for each in judgements)
    assert judgements[0].features[0].shape == (3, 4, 600, 2)  # period 2, every third row
    assert judgements[7].features[0].shape == (3, 16, 901)  # averaged twice by two
    assert judgements[8].features[0].shape == (3, 4, 11, 513)  # frames, bins


def test_the_full_width_counts_its_parameters():
    with torch.device("meta"):
        full = Discriminators(preset("vita-1.5").codec)
    counts = {name: sum(w.numel() for w in part.parameters()) for name, part in full.named_children()}
    assert counts == {"periods": 41105770, "scales": 29618821, "spectra": 472330}


def test_a_discriminator_judges_each_segment_by_itself(discriminators, batch):
    together = discriminators(batch[0])
    for number in range(3):
        alone = discriminators(batch[0][number : number + 1])
        for one, all_ in zip(alone, together, strict=True):
            assert torch.allclose(one.scores[0], all_.scores[number], atol=1e-5)


def test_terms_are_sums_over_segments(discriminators, batch):
    torch.manual_seed(2)
    codec, mels = Codec(TINY).eval(), MelDistances(TINY)

    def terms(rows: slice) -> dict[str, torch.Tensor]:
        segments, others = batch[0][rows], batch[1][rows]
        made = codec(segments, others)
        real, fake = discriminators(segments), discriminators(made.waveform)
        found = codec_terms(made, mels(made.waveform, segments), real, fake)
        return {**found, **discriminator_terms(real, fake)}

    whole, parts = terms(slice(0, 3)), [terms(slice(0, 1)), terms(slice(1, 3))]
    assert set(whole) == {*WEIGHTS, "real", "fake"}
    for name, value in whole.items():
        assert torch.allclose(value, sum(part[name] for part in parts), rtol=1e-4), name


def test_a_perfect_copy_costs_nothing_in_mel_and_features(discriminators, batch):
    segments = batch[0]
    assert all(float(each) == 0.0 for each in MelDistances(TINY)(segments, segments).values())
    codec = Codec(TINY).eval()
    real = discriminators(segments)
    terms = codec_terms(codec(segments, segments), {}, real, real)
    assert float(terms["features"]) == 0.0 and abs(float(terms["likeness"])) < 1e-5


def test_least_squares_by_hand():
    from vita_model.nets.codec.judge import Judgement

    real = [Judgement(torch.tensor([[1.0, 0.0], [3.0, 1.0]]), [])]
    fake = [Judgement(torch.tensor([[0.0, 2.0], [1.0, 1.0]]), [])]
    terms = discriminator_terms(real, fake)
    assert float(terms["real"]) == 0.5 + 2.0 and float(terms["fake"]) == 2.0 + 1.0


def test_the_codecs_loss_leaves_the_judgement_of_real_segments_alone(discriminators, batch):
    segments = batch[0].clone().requires_grad_()
    codec = Codec(TINY).eval()
    made = codec(batch[0], batch[1])
    terms = codec_terms(made, {}, discriminators(segments), discriminators(made.waveform))
    weighted(terms).backward()
    assert segments.grad is None
    assert all(weight.grad is not None for weight in codec.parameters())


def test_the_other_segment_only_draws_and_is_not_drawn(batch):
    codec = Codec(TINY).train()
    made = codec(batch[0], batch[1])
    assert made.voice.requires_grad and not made.other_voice.requires_grad


def test_training_on_one_segment_is_refused(batch):
    with pytest.raises(UsageError, match="two segments a rank"):
        Codec(TINY).train()(batch[0][:1], batch[1][:1])

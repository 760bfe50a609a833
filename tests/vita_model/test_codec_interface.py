"""Waveforms into codes and back: shapes, refusals, and codes that do not depend on the neighbours."""

from __future__ import annotations

import pytest
import torch

from vita_data.errors import UsageError
from vita_model.config.codec import CodecConfig
from vita_model.config.presets import preset
from vita_model.nets.codec.codec import Codec

TINY = preset("tiny").codec


def voiced(samples: int, seed: int) -> torch.Tensor:
    """A gliding voice of harmonics with some breath, always the same for a seed."""
    random = torch.Generator().manual_seed(seed)
    time = torch.arange(samples) / TINY.rate
    phase = 2 * torch.pi * torch.cumsum(110 + 20 * seed + 30 * torch.sin(5 * time + seed), 0) / TINY.rate
    sound = torch.stack([torch.sin(number * phase) / number for number in range(1, 12)]).sum(0)
    return 0.1 * sound + 0.02 * torch.randn(samples, generator=random)


def trained_looking(config: CodecConfig = TINY) -> Codec:
    """A codec of random weights whose codebooks lie where its vectors do, so that codes differ."""
    torch.manual_seed(3)
    codec = Codec(config)
    with torch.no_grad():
        vectors, _ = codec.encoder(torch.stack([voiced(6000, n)[None] for n in range(3)]))
        rows = vectors.transpose(1, 2).flatten(0, 1)
        noise = rows.std(0) * torch.randn(config.codes, rows.shape[1])
        codec.quantiser.frames.vectors.copy_(rows[torch.randint(len(rows), (config.codes,))] + 0.3 * noise)
        for book in codec.quantiser.voice:
            book.vectors.normal_()
    return codec.eval()


@pytest.fixture(scope="module")
def codec() -> Codec:
    return trained_looking()


def test_an_utterance_is_forty_codes_a_second_and_eight_for_its_voice(codec):
    frames, voice = codec.encode([voiced(18000, 1)])[0]
    assert frames.shape == (30,) and voice.shape == (8,)
    assert codec.decode(frames, voice).shape == (18000,)
    assert frames.unique().numel() > 10, "the test's codec must tell frames apart"


def test_a_started_token_is_filled_up_with_zeros(codec):
    waveform = voiced(1801, 2)
    frames, voice = codec.encode([waveform])[0]
    padded, _ = codec.encode([torch.cat([waveform, torch.zeros(599)])])[0]
    assert len(frames) == 4 and torch.equal(frames, padded)
    assert codec.decode(frames, voice).shape == (2400,)


def test_codes_do_not_depend_on_the_batch(codec):
    waveforms = [voiced(samples, number) for number, samples in enumerate([2400, 1, 2400, 3001, 600])]
    for waveform, (frames, voice) in zip(waveforms, codec.encode(waveforms), strict=True):
        ((alone, voice_alone),) = codec.encode([waveform])
        assert torch.equal(frames, alone) and torch.equal(voice, voice_alone)


def test_encoding_during_training_uses_the_norms_of_inference_and_leaves_them(codec):
    waveforms = [voiced(2400, 1), voiced(2400, 2)]
    wanted = codec.encode(waveforms)
    before = {name: value.clone() for name, value in codec.state_dict().items()}
    codec.train()
    found = codec.encode(waveforms)
    assert codec.training
    codec.eval()
    assert all(
        torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in zip(wanted, found, strict=True)
    )
    assert all(torch.equal(value, before[name]) for name, value in codec.state_dict().items())


def test_the_voice_changes_the_waveform_in_every_preset():
    for name in ("tiny", "proof"):
        config = preset(name).codec
        codec = trained_looking(config)
        frames = torch.arange(30)
        first = codec.decode(frames, torch.tensor(config.voice))
        second = codec.decode(frames, torch.tensor(config.voice).flip(0))
        assert (first - second).abs().max() > 1e-6


@pytest.mark.parametrize("code", [1024, 1026, -1])
def test_a_special_of_the_decoder_is_no_code(codec, code):
    voice = torch.tensor(TINY.voice)
    with pytest.raises(UsageError, match=f"code {code} is none of the codec's 1024"):
        codec.decode(torch.tensor([3, code]), voice)
    with pytest.raises(UsageError, match=f"code {code} is none"):
        codec.stream(voice).push(torch.tensor([code]))


def test_what_is_no_single_channel_is_refused(codec):
    with pytest.raises(UsageError, match=r"waveform 1 has the shape \(2, 600\)"):
        codec.encode([torch.zeros(600), torch.zeros(2, 600)])
    with pytest.raises(UsageError, match=r"waveform 0 has the shape \(0,\)"):
        codec.encode([torch.zeros(0)])
    with pytest.raises(UsageError, match="a voice is 8 codes"):
        codec.decode(torch.tensor([1]), torch.zeros(7, dtype=torch.int64))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"kernels": (16, 11, 11, 4)}, "even number"),
        ({"kernels": (16, 11, 11)}, "as many kernels"),
        ({"global_stage": 3}, "from 0 to 2"),
        ({"global_codes": 7, "voice": (1,) * 7}, "its codes divide"),
        ({"voice": (1024,) * 8}, "a voice of 8 codes below 1024"),
        ({"segment": 24001}, "whole tokens of 600 samples"),
        ({"discriminator_width": 6}, "that 4 divides"),
    ],
)
def test_a_config_that_does_not_fit_together_is_refused(change, what):
    with pytest.raises(UsageError, match=what):
        CodecConfig(**change)

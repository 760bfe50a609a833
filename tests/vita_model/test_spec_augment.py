"""What is hidden of a sound in training: its own stretches and bands, drawn by the seed, and nothing in use."""

from __future__ import annotations

from dataclasses import replace

import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.vita_model.formulas import hum
from vita_model.config.speech import EncoderConfig
from vita_model.nets.spec_augment import spec_augment
from vita_model.nets.whale import SpeechEncoder

MASKED = EncoderConfig(
    hidden=16,
    layers=1,
    heads=2,
    intermediate=32,
    dropout=0.0,
    dither=0.0,
    time_masks=2,
    widest_time_mask=20,
    mel_masks=2,
    widest_mel_mask=8,
)


def hidden_of(lengths: tuple[int, ...], config: EncoderConfig = MASKED, seed: int = 0) -> torch.Tensor:
    """Where ones were hidden."""
    torch.manual_seed(seed)
    return spec_augment(torch.ones(sum(lengths), config.mel_bins), lengths, config) == 0.0


@given(st.lists(st.integers(0, 200), min_size=1, max_size=4).map(tuple), st.integers(0, 1000))
def test_each_clip_has_whole_stretches_and_bands_of_its_own_no_wider_than_asked(
    lengths: tuple[int, ...], seed: int
) -> None:
    for clip in hidden_of(lengths, seed=seed).split(lengths):
        if not len(clip):
            continue
        rows, bins = clip.all(dim=1), clip.all(dim=0)
        assert int(rows.sum()) <= 2 * min(20, len(clip) // 5)
        if not bool(rows.all()):
            assert int(bins.sum()) <= 2 * 8
            assert torch.equal(clip, rows[:, None] | bins[None, :])


def test_masks_are_drawn_by_the_seed_anew_for_every_clip() -> None:
    assert torch.equal(hidden_of((90, 90)), hidden_of((90, 90)))
    assert not torch.equal(hidden_of((90, 90)), hidden_of((90, 90), seed=1))
    first, second = hidden_of((90, 90)).split(90)
    assert first.any() and second.any() and not torch.equal(first, second)
    only_bands = hidden_of((90,), replace(MASKED, time_masks=0))
    assert only_bands.any() and torch.equal(only_bands.all(dim=0), only_bands.any(dim=0))


def test_nothing_is_hidden_where_none_is_asked_or_from_a_model_in_use() -> None:
    torch.manual_seed(0)
    encoder = SpeechEncoder(MASKED)
    plain = SpeechEncoder(replace(MASKED, time_masks=0, mel_masks=0))
    plain.load_state_dict(encoder.state_dict())
    clip = hum(16000)

    def states(model: SpeechEncoder) -> torch.Tensor:
        return model(clip, (len(clip),))[0]

    assert torch.equal(states(encoder.eval()), states(plain.eval()))
    assert not torch.equal(states(encoder.train()), states(plain.train()))
    assert torch.equal(states(plain), states(plain))

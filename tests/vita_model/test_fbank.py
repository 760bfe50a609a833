"""Filter-bank energies and their normalisation: Kaldi's numbers, for any batch, in any precision."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vita_model.formulas import hum, noise
from vita_data.errors import VitaError
from vita_data.prompt.lengths import fbank_frames
from vita_model.nets.cmvn import Cmvn, Moments, read_moments
from vita_model.nets.fbank import fbank

# torchaudio 2.11.0, compliance.kaldi.fbank of hum(12000) * 32768: 80 bins, 25 ms every 10 ms, no dither, energy
# floor 0. Frame -> every eighth bin.
KALDI = {
    0: [14.2606, 12.3716, 7.3348, 2.8405, 2.7423, 7.4111, 11.0222, 2.7371, -0.6367, -3.1395],
    40: [12.993, 19.3439, 8.5583, 5.0289, 4.005, 8.079, 11.6305, 3.1796, -0.3129, -2.605],
    72: [11.5809, 23.088, 10.4487, 4.8418, 5.1424, 9.654, 13.1774, 4.6105, 1.0697, -1.3913],
}
FLOOR = math.log(torch.finfo(torch.float32).eps)
KALDI_TEXT = " [\n  10.0 20.0 2 \n  52.0 202.0 0 ]\n"
JSON_TEXT = '{"mean_stat": [10.0, 20.0], "var_stat": [52.0, 202.0], "frame_num": 2}'


def test_energies_are_those_of_the_kaldi_compliant_reference() -> None:
    found = fbank(hum(12000), (12000,), 80)
    for frame, bins in KALDI.items():
        torch.testing.assert_close(found[frame, ::8], torch.tensor(bins), atol=2e-3, rtol=0)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 2000), min_size=1, max_size=4))
def test_every_clip_has_the_frames_that_the_build_counts(lengths: list[int]) -> None:
    assert len(fbank(noise(sum(lengths)), tuple(lengths), 80)) == sum(map(fbank_frames, lengths))


def test_a_clips_energies_do_not_depend_on_its_neighbours() -> None:
    clips = [hum(5000), noise(399), hum(9000) * 0.1, noise(800)]
    together = fbank(torch.cat(clips), tuple(map(len, clips)), 80)
    assert torch.equal(together, torch.cat([fbank(clip, (len(clip),), 80) for clip in clips]))


def test_silence_lies_on_the_floor_and_a_constant_is_silence() -> None:
    assert fbank(torch.full((800,), 0.25), (800,), 80).unique().tolist() == pytest.approx([FLOOR])


def test_dither_is_drawn_by_torchs_generator_in_steps_of_sixteen_bits() -> None:
    def drawn(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return fbank(torch.zeros(16000), (16000,), 80, dither=1.0)

    assert torch.equal(drawn(1), drawn(1)) and not torch.equal(drawn(1), drawn(2))
    torch.manual_seed(1)
    step = fbank(torch.randn(16000) / 32768, (16000,), 80)
    assert drawn(1).mean().item() == pytest.approx(step.mean().item(), abs=0.1)


def test_energies_keep_their_precision_where_autocast_would_take_it() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        found = fbank(hum(4000), (4000,), 80)
    assert torch.equal(found, fbank(hum(4000), (4000,), 80))


def test_both_forms_of_statistics_say_the_same() -> None:
    for text in (KALDI_TEXT, JSON_TEXT):
        moments = read_moments(text, "global_cmvn", 2)
        assert moments.mean.tolist() == [5.0, 10.0]
        assert moments.istd.tolist() == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize(
    "text", ["\0B matrix", "[ 1 2 3 4 ", "{}", '{"mean_stat": "x"}', "[ 1 2 x 3 4 0 ]", ""]
)
def test_what_is_no_statistics_is_refused_with_the_name_of_its_file(text: str) -> None:
    with pytest.raises(VitaError, match="global_cmvn: no CMVN statistics"):
        read_moments(text, "global_cmvn", 2)


def test_statistics_that_do_not_fit_are_refused() -> None:
    with pytest.raises(VitaError, match="2 mel bins for an encoder of 80"):
        read_moments(JSON_TEXT, "global_cmvn", 80)
    with pytest.raises(VitaError, match="0 frames"):
        read_moments(JSON_TEXT.replace(": 2", ": 0"), "global_cmvn", 2)
    with pytest.raises(VitaError, match="not finite"):
        read_moments(KALDI_TEXT.replace("52.0", "nan"), "global_cmvn", 2)


def test_measured_statistics_make_mean_zero_and_deviation_one() -> None:
    first, second = fbank(hum(9000), (9000,), 80), fbank(noise(7000), (7000,), 80)
    moments = Moments.of(first) + Moments.of(second)
    cmvn = Cmvn(80)
    assert torch.equal(cmvn(first), first)
    cmvn.take(read_moments(moments.to_text(), "here", 80))
    found = cmvn(torch.cat((first, second)))
    torch.testing.assert_close(found.mean(0), torch.zeros(80), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.std(0, unbiased=False), torch.ones(80), atol=1e-4, rtol=0)


def test_a_bin_that_never_changes_gives_no_infinity() -> None:
    assert Moments.of(torch.full((5, 2), 3.0)).istd.isfinite().all()


def test_a_model_in_bf16_keeps_its_statistics_exact() -> None:
    cmvn = Cmvn(80)
    cmvn.take(Moments.of(fbank(hum(9000), (9000,), 80)))
    mean = cmvn.mean.clone()
    assert torch.equal(cmvn.to(torch.bfloat16).mean, mean) and cmvn.istd.dtype == torch.float32
    assert set(cmvn.state_dict()) == {"mean", "istd"} and not list(cmvn.parameters())

"""Decoding in pieces gives what decoding at once gives, and how far the released overlap of ten tokens is off."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vita_model.config.codec import CodecConfig
from vita_model.config.presets import preset
from vita_model.nets.codec.codec import Codec
from vita_model.nets.codec.generator import Generator, lookahead

TINY = preset("tiny").codec
# The same layers with fewer samples behind them.
SMALL = CodecConfig(strides=(4, 3, 2), kernels=(8, 7, 2), channels=32, global_stage=1, segment=24)
VOICE = torch.tensor(TINY.voice)


def with_spread_codes(config: CodecConfig) -> Codec:
    """A codec of random weights whose codes are far apart."""
    torch.manual_seed(1)
    codec = Codec(config).eval()
    with torch.no_grad():
        codec.quantiser.frames.vectors.normal_()
        for book in codec.quantiser.voice:
            book.vectors.normal_()
    return codec


@pytest.fixture(scope="module")
def tiny() -> Codec:
    return with_spread_codes(TINY)


@pytest.fixture(scope="module")
def small() -> Codec:
    return with_spread_codes(SMALL)


def codes(count: int) -> torch.Tensor:
    """Different codes in a fixed order."""
    return torch.arange(count) * 389 % TINY.codes


def in_pieces(codec: Codec, sizes: list[int]) -> list[torch.Tensor]:
    """What a stream gives out for pieces of these sizes, the rest at last."""
    stream = codec.stream(VOICE)
    pieces = codes(sum(sizes)).split(sizes) if sizes else ()
    return [*(stream.push(piece) for piece in pieces), stream.finish()]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 17), max_size=12))
def test_any_cut_of_the_tokens_gives_the_waveform_of_all(small, sizes):
    wanted = small.decode(codes(sum(sizes)), VOICE)
    found = torch.cat(in_pieces(small, sizes))
    assert found.shape == wanted.shape
    assert not len(wanted) or (found - wanted).abs().max() <= 1e-5 * wanted.abs().max()


@pytest.mark.parametrize("sizes", [[1] * 30, [20, 10], [30]])
def test_the_presets_stages_stream_as_they_decode(tiny, sizes):
    wanted = tiny.decode(codes(30), VOICE)
    assert (torch.cat(in_pieces(tiny, sizes)) - wanted).abs().max() <= 1e-5 * wanted.abs().max()


def test_samples_follow_the_tokens_at_the_generators_reach(small):
    lengths = [len(piece) for piece in in_pieces(small, [1] * 40)]
    for number in range(1, 41):
        whole_tokens = sum(lengths[:number]) // SMALL.hop
        assert whole_tokens == max(0, number - lookahead(SMALL))


@pytest.mark.parametrize(
    "strides", [((8, 5, 5, 3), (16, 11, 11, 5)), ((4, 3), (8, 5)), ((2, 2, 2), (4, 6, 8))]
)
def test_the_reach_is_that_of_the_gradient(strides):
    rates, kernels = strides
    config = CodecConfig(
        strides=rates,
        kernels=kernels,
        channels=16,
        global_stage=0,
        global_codes=2,
        voice=(0, 0),
        segment=1200,
    )
    generator = Generator(config).double()
    with torch.no_grad():
        for weight in generator.parameters():
            weight.fill_(1e-3)
    tokens = 2 * lookahead(config) + 5
    vectors = torch.ones(1, 16, tokens, dtype=torch.float64, requires_grad=True)
    middle = tokens // 2
    samples = generator(vectors, torch.ones(1, 8, dtype=torch.float64))
    assert samples.shape == (1, 1, tokens * config.hop)
    samples[..., middle * config.hop : (middle + 1) * config.hop].sum().backward()
    touched = vectors.grad.abs().sum((0, 1)).nonzero().flatten()
    assert (int(touched[0]), int(touched[-1])) == (middle - lookahead(config), middle + lookahead(config))


def in_windows(codec: Codec, tokens: torch.Tensor, chunk: int, overlap: int) -> torch.Tensor:
    """Chunks decoded with `overlap` tokens on each side, which are cut off again: the released way to stream."""
    hop, pieces = codec.config.hop, []
    for first in range(0, len(tokens), chunk):
        start = max(0, first - overlap)
        window = codec.decode(tokens[start : first + chunk + overlap], VOICE)
        pieces.append(window[(first - start) * hop :][: len(tokens[first : first + chunk]) * hop])
    return torch.cat(pieces)


def test_windows_are_exact_with_the_whole_reach_on_each_side_and_not_with_ten_tokens(record_property):
    codec, tokens = with_spread_codes(TINY).double(), codes(60)
    wanted = codec.decode(tokens, VOICE)
    errors = {
        overlap: float((in_windows(codec, tokens, 20, overlap) - wanted).norm() / wanted.norm())
        for overlap in (0, 10, lookahead(TINY))
    }
    record_property("relative error by overlap", errors)
    assert errors[lookahead(TINY)] < 1e-14
    assert errors[0] > errors[10] > 1e-12


def test_a_stream_without_tokens_is_silent(tiny):
    assert tiny.stream(VOICE).finish().shape == (0,)

"""Lengths are counted exactly as the model will see them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vita_data.errors import RecordError
from vita_data.manifest.geometry import Geometry
from vita_data.prompt.lengths import (
    audio_tokens,
    codec_tokens,
    fbank_frames,
    fit_grids,
    measure,
)
from vita_data.prompt.template import MediumPiece, TextPiece, Turn, count_placeholders, encode_chat
from vita_data.prompt.tiling import choose_grid, tiles_of
from vita_data.prompt.tokenizer import CUT, FULL, load_tokenizer

PAPER = Geometry()
TINY = Geometry(tokenizer=CUT, tile_pixels=112, tile_tokens=16, max_tiles=3, max_length=2048)
TOKENIZER = load_tokenizer(CUT)
WORDS = st.text(max_size=40).filter(
    lambda words: not any(count_placeholders([{"from": "human", "value": words}]).values())
)
SIZES = st.lists(st.tuples(st.integers(1, 3000), st.integers(1, 3000)), max_size=3)


def _turns(pictures: int, question: str = "What is this?", answer: str = "A fox.") -> list[Turn]:
    return [
        {"from": "human", "value": "<image>\n" * pictures + question},
        {"from": "gpt", "value": answer},
    ]


@given(sizes=SIZES, question=WORDS, answer=st.text(max_size=40), state=st.booleans())
def test_a_length_is_that_of_the_encoded_pieces_and_tiles(
    sizes: list[tuple[int, int]], question: str, answer: str, state: bool
) -> None:
    turns = _turns(len(sizes), question, answer)
    lengths = measure(turns, sizes, TINY, TOKENIZER, state)
    pieces = encode_chat(turns, TOKENIZER, state)
    text = sum(len(piece.ids) for piece in pieces if isinstance(piece, TextPiece))
    tiles = [
        tiles_of(choose_grid(*sizes[piece.index], 3, 112), True)
        for piece in pieces
        if isinstance(piece, MediumPiece)
    ]
    assert lengths.length == text + 16 * sum(tiles) == lengths.text_tokens + lengths.visual_tokens


def test_films_cost_a_tile_a_frame_and_sounds_their_tokens_beside_the_pictures() -> None:
    turns: list[Turn] = [
        {"from": "human", "value": "<video><image><audio><audio>"},
        {"from": "gpt", "value": "A."},
    ]
    plain = measure([{"from": "human", "value": "<image>"}, turns[1]], [(300, 200)], TINY, TOKENIZER)
    lengths = measure(turns, [(300, 200)], TINY, TOKENIZER, frames=[5], heard=[16_000, 32_000])
    assert lengths.visual_tokens == plain.visual_tokens + 5 * 16
    assert lengths.grids == [*plain.grids, *[(1, 1)] * 5]
    assert lengths.audio_tokens == audio_tokens(16_000) + audio_tokens(32_000)
    assert lengths.length == lengths.text_tokens + lengths.visual_tokens + lengths.audio_tokens
    spoken = measure([turns[1]], [], TINY, TOKENIZER, spoken=[24_000])
    assert spoken.audio_tokens == 40


def test_a_sound_of_no_tokens_and_a_film_that_is_not_there_are_refused() -> None:
    turns: list[Turn] = [{"from": "human", "value": "<audio>"}, {"from": "gpt", "value": "A."}]
    for heard, rule in (([300], "audio_too_short"), ([], "placeholder_count")):
        with pytest.raises(RecordError) as error:
            measure(turns, [], TINY, TOKENIZER, heard=heard)
        assert error.value.rule == rule


def test_a_photograph_costs_thirteen_tiles_in_the_papers_geometry() -> None:
    lengths = measure(_turns(1), [(640, 480)], PAPER, load_tokenizer(FULL))
    assert (lengths.visual_tokens, lengths.grids) == (13 * 256, [(4, 3)])


def test_a_sample_that_is_too_long_gets_fewer_tiles_and_no_fewer_than_needed() -> None:
    sizes = [(640, 480), (640, 480)]
    lengths = measure(_turns(2), sizes, PAPER, load_tokenizer(FULL))
    assert lengths.length <= PAPER.max_length
    assert fit_grids(sizes, lengths.text_tokens, PAPER) == lengths.grids
    full = [choose_grid(640, 480, 12, 448)] * 2
    assert lengths.grids != full
    fewer = [replace(PAPER, max_tiles=cap) for cap in range(1, 13)]
    fitting = [g for g in fewer if lengths.text_tokens + _visual(sizes, g) <= PAPER.max_length]
    assert _visual(sizes, fitting[-1]) == lengths.visual_tokens


def test_a_sample_that_never_fits_is_refused_with_its_least_length() -> None:
    geometry = replace(TINY, max_length=100)
    with pytest.raises(RecordError) as refusal:
        measure(_turns(5), [(500, 300)] * 5, geometry, TOKENIZER)
    least = measure(_turns(5), [(500, 300)] * 5, replace(TINY, max_tiles=1), TOKENIZER).length
    assert (refusal.value.rule, refusal.value.value, refusal.value.threshold) == (
        "too_long",
        str(least),
        "100",
    )


def test_long_text_alone_is_refused_and_exactly_full_is_not() -> None:
    length = measure(_turns(0), [], TINY, TOKENIZER).length
    assert measure(_turns(0), [], replace(TINY, max_length=length), TOKENIZER).length == length
    with pytest.raises(RecordError, match=f"{length} tokens"):
        measure(_turns(0), [], replace(TINY, max_length=length - 1), TOKENIZER)


@pytest.mark.parametrize("sizes", [[], [(10, 10), (10, 10)]])
def test_pictures_and_placeholders_must_agree_in_number(sizes: list[tuple[int, int]]) -> None:
    with pytest.raises(RecordError) as refusal:
        measure(_turns(1), sizes, TINY, TOKENIZER)
    assert refusal.value.rule == "placeholder_count"


def test_audio_of_352_frames_has_44_tokens() -> None:
    samples = 400 + 351 * 160
    assert (fbank_frames(samples), audio_tokens(samples)) == (352, 44)
    assert (fbank_frames(samples - 1), fbank_frames(399), fbank_frames(400)) == (351, 0, 1)


def test_audio_too_short_for_the_convolutions_has_no_tokens() -> None:
    assert [audio_tokens(400 + 160 * (frames - 1)) for frames in range(1, 8)] == [0, 0, 0, 0, 0, 0, 1]
    assert audio_tokens(0) == 0


@given(samples=st.integers(0, 16000 * 600))
def test_audio_tokens_come_at_about_twelve_and_a_half_a_second(samples: int) -> None:
    assert abs(audio_tokens(samples) - samples / 16000 * 12.5) <= 1.5


def test_codec_tokens_come_at_forty_a_second_the_last_one_filled_up() -> None:
    assert [codec_tokens(n) for n in (0, 1, 600, 601, 24000)] == [0, 1, 1, 2, 40]


def _visual(sizes: list[tuple[int, int]], geometry: Geometry) -> int:
    grids = [choose_grid(width, height, geometry.max_tiles, geometry.tile_pixels) for width, height in sizes]
    return geometry.tile_tokens * sum(tiles_of(grid, True) for grid in grids)

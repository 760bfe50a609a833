"""Whatever bytes arrive, a film is read or refused, soon, and nothing else happens."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vita_data.films import KINDS, film_of
from vita_data.errors import RecordError
from vita_data.media.film import Film, FrameRule
from vita_data.media.video import read_frames

RULE = FrameRule(max_pixels=1_000_000)
SECONDS = 20  # a film of these takes some milliseconds; the machine may be busy
FLIPS = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=8)
WORDS = st.sampled_from([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\1"])


def _read(data: bytes, start: float | None = None) -> Film | RecordError:
    """The film, whole, or the refusal, which says its rule, each within its time; anything else is raised."""
    began = time.monotonic()
    try:
        film = read_frames(data, RULE, start)
    except RecordError as refusal:
        assert refusal.rule.startswith(("video_", "clip_")) and "0x" not in str(refusal)
        return refusal
    finally:
        assert time.monotonic() - began < SECONDS
    assert 1 <= len(film.frames) <= RULE.max_frames and film.duration > 0
    assert all(frame.data.startswith(b"\xff\xd8") for frame in film.frames)
    return film


@pytest.mark.parametrize("kind", KINDS)
def test_a_film_cut_anywhere_is_read_or_refused(kind: str) -> None:
    data = film_of(kind, 20)
    assert isinstance(_read(data), Film)
    for length in range(0, len(data), len(data) // 30):
        assert isinstance(_read(data[:length]), Film | RecordError)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=40)
@given(flips=FLIPS, start=st.none() | st.floats(0, 2))
def test_a_film_with_flipped_bytes_is_read_or_refused(
    kind: str, flips: list[tuple[float, int]], start: float | None
) -> None:
    data = bytearray(film_of(kind, 20))
    for place, mask in flips:
        # Squared, because headers lie in front and are where flips do most.
        data[int(place * place * len(data))] ^= mask
    assert isinstance(_read(bytes(data), start), Film | RecordError)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=40)
@given(place=st.floats(0, 1, exclude_max=True), word=WORDS, gone=st.integers(0, 64))
def test_a_film_with_absurd_numbers_is_read_or_refused(
    kind: str, place: float, word: bytes, gone: int
) -> None:
    data = film_of(kind, 20)
    at = int(place * len(data))
    assert isinstance(_read(data[:at] + word + data[at + max(gone, len(word)) :]), Film | RecordError)

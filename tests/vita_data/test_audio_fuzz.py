"""Whatever bytes arrive, a sound is read or refused; nothing else happens."""

from __future__ import annotations

import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import sounds
from vita_data.errors import RecordError
from vita_data.media.audio import Sound, read_sound

KINDS = (*sounds.WRITTEN, *sounds.ENCODED)
CHANGES = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.sampled_from(("flip", "ones", "zeros", "cut")),
        st.integers(1, 255),
    ),
    min_size=1,
    max_size=6,
)
TIMES = st.one_of(st.none(), st.floats(0, 1.2))


@functools.cache
def _made(kind: str) -> bytes:
    rate = {"opus": 48000, "webm": 48000, "gsm": 8000}.get(kind, 16000)
    return sounds.made(kind, sounds.speechlike(1, rate), rate)


def _changed(data: bytes, changes: list[tuple[float, str, int]]) -> bytes:
    changed = bytearray(data)
    for place, what, number in changes:
        # Cubed, because headers lie in front and are where changes do most.
        at = int(place**3 * len(changed))
        if what == "flip":
            changed[at : at + 1] = bytes(byte ^ number for byte in changed[at : at + 1])
        elif what == "cut":
            del changed[at : at + number]
        else:
            changed[at : at + 4] = (b"\xff" if what == "ones" else b"\0") * 4
    return bytes(changed)


def _read(data: bytes, start: float | None = None, end: float | None = None) -> Sound | RecordError:
    """The sound, whole and within its bounds, or the refusal, which says its rule; anything else is raised."""
    try:
        sound = read_sound(data, 16000, start, end, most_seconds=5)
    except RecordError as refusal:
        assert refusal.rule and str(refusal) and " at 0x" not in str(refusal)
        return refusal
    assert len(sounds.stored(sound.flac).shape) == 1 and 0 < sound.samples <= 80_000
    return sound


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=60)
@given(changes=CHANGES, start=TIMES, end=TIMES)
def test_a_changed_file_is_read_or_refused(
    kind: str, changes: list[tuple[float, str, int]], start: float | None, end: float | None
) -> None:
    assert isinstance(_read(_changed(_made(kind), changes), start, end), Sound | RecordError)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_cut_anywhere_is_read_or_refused(kind: str) -> None:
    data = _made(kind)
    for length in range(0, len(data), max(1, len(data) // 60)):
        assert isinstance(_read(data[:length]), Sound | RecordError)


@settings(deadline=None)
@given(kind=st.sampled_from(KINDS), head=st.integers(2, 60), tail=st.binary(max_size=300))
def test_garbage_behind_a_true_signature_is_read_or_refused(kind: str, head: int, tail: bytes) -> None:
    assert isinstance(_read(_made(kind)[:head] + tail), Sound | RecordError)

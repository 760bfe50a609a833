"""What a Matroska film's own blocks say of it is what demuxing gives, or it is not heeded."""

from __future__ import annotations

import io
from functools import cache
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vita_data.films import film, film_of, number_in, remuxed
from vita_data.errors import RecordError
from vita_data.media import blocks, reel
from vita_data.media.film import Film
from vita_data.media.reel import NO_STAMP, Packets, Reel
from vita_data.media.video import read_frames

_MOST = 10_000
_PLAIN = ("VP9", "VP8", "with sound", "in many clusters", "with uneven frames")


@cache
def _film(kind: str) -> bytes:
    """Films whose every frame stands in a SimpleBlock of its own."""
    options = {"g": "12", "cpu-used": "8", "lag-in-frames": "0"}
    if kind == "VP8":
        return film(40, "libvpx", "webm", options=options)
    if kind == "with sound":
        return film(40, "libvpx-vp9", "webm", options=options, sound=True)
    if kind == "in many clusters":
        return film(40, "libvpx-vp9", "matroska", options=options, muxer={"cluster_time_limit": "300"})
    if kind == "with uneven frames":
        return film([0, 7, 300, 1100, 1150, 4000, 4001], "libvpx-vp9", "webm", options=options)
    return film(40, "libvpx-vp9", "webm", options=options)


def _skimmed(data: bytes, most: int = _MOST) -> Packets | None:
    return Reel(io.BytesIO(data), 10**6).skim(most)


def _scanned(data: bytes) -> Packets:
    return Reel(io.BytesIO(data), 10**6).scan(_MOST)


def _facts(packets: Packets) -> tuple[object, ...]:
    return packets.pts, packets.place, packets.size, packets.hidden


def _read(data: bytes, start: float | None, monkeypatch: pytest.MonkeyPatch | None = None) -> Film | str:
    try:
        if monkeypatch is None:
            return read_frames(data, start=start)
        with monkeypatch.context() as patch:
            patch.setattr(Reel, "skim", lambda read, most: None)
            return read_frames(data, start=start)
    except RecordError as refusal:
        return str(refusal)


@pytest.mark.parametrize("kind", _PLAIN)
@pytest.mark.parametrize("window", [1 << 17, 64, 33])
def test_the_blocks_of_a_plain_film_are_its_packets(
    kind: str, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "_WINDOW", window)
    skimmed, scanned = _skimmed(_film(kind)), _scanned(_film(kind))
    assert skimmed is not None and _facts(skimmed) == _facts(scanned)
    assert skimmed.key == scanned.key and skimmed.key[0]
    assert skimmed.duration[-1] == scanned.duration[-1] and set(skimmed.dts) == {NO_STAMP}


@pytest.mark.parametrize("kind", _PLAIN)
def test_a_plain_film_is_not_demuxed_as_a_whole(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def scan(read: Reel, most: int) -> Packets:
        raise AssertionError("a plain film was scanned")

    expected = _read(_film(kind), None, monkeypatch)
    monkeypatch.setattr(Reel, "scan", scan)
    assert isinstance(expected, Film) and read_frames(_film(kind)) == expected


def test_a_file_that_is_not_plain_is_left_to_the_demuxer() -> None:
    plain = _film("in many clusters")
    cluster = plain.rindex(b"\x1f\x43\xb6\x75")
    head = _scanned(plain).place[5]
    odd = {
        "sizes unknown": remuxed(plain, "webm", live="1"),
        "reordered frames": film_of("H.264 in Matroska without an index", 20),
        "cut": plain[: cluster + 40],
        "bytes behind the end": plain + b"\0",
        "an element nobody knows": _changed(plain, cluster, b"\x1f\x43\xb6\x76"),
        "a block of another kind": _changed(plain, plain.rindex(b"\xa3", 0, head), b"\xa4"),
        "lacing": _changed(plain, head + 3, b"\x02"),
        "invisible": _changed(plain, head + 3, b"\x08"),
        "another track": _changed(plain, head, b"\x82"),
        "stamps that do not rise": _changed(plain, head + 1, b"\xff\xff"),
    }
    assert _skimmed(plain) is not None
    assert [name for name, data in odd.items() if _skimmed(data) is not None] == []
    for name in ("sizes unknown", "invisible", "bytes behind the end"):
        assert [number_in(frame.data) for frame in read_frames(odd[name]).frames] == [0, 10, 20, 30], name


def _changed(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def test_a_film_of_more_frames_than_are_read_is_left_to_the_demuxer() -> None:
    assert _skimmed(_film("VP9"), 40) is not None and _skimmed(_film("VP9"), 39) is None


def test_a_key_mark_that_lies_is_found_out_and_the_film_scanned() -> None:
    data = bytearray(_film("VP9"))
    scanned = _scanned(bytes(data))
    data[scanned.place[6] + 3] = 0x80
    skimmed = _skimmed(bytes(data))
    assert skimmed is not None and skimmed.key[6] and not scanned.key[6]
    assert number_in(read_frames(bytes(data), start=0.8).frames[0].data) == 8


@pytest.mark.parametrize("gone", [0, 2, 20, 39])
def test_blocks_that_the_demuxer_does_not_confirm_are_not_believed(
    gone: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lying(file: BinaryIO, place: int, tracks: int, most: int) -> blocks.Blocks | None:
        found = blocks.blocks_of(file, place, tracks, most)
        for column in (found.stamps, found.places, found.sizes, found.keys) if found else ():
            del column[gone]
        return found

    expected = read_frames(_film("VP9"), start=max(0, gone - 1) / 10)
    monkeypatch.setattr(reel, "blocks_of", lying)
    assert read_frames(_film("VP9"), start=max(0, gone - 1) / 10) == expected


def test_the_file_stays_where_it_was() -> None:
    for data in (_film("VP9"), _film("VP9") + b"\0"):
        file = io.BytesIO(data)
        file.seek(77)
        assert (blocks.blocks_of(file, _scanned(data).place[0], 1, _MOST) is None) == data.endswith(b"\0")
        assert file.tell() == 77


def test_a_file_of_endless_small_elements_is_given_up() -> None:
    stuffed = _with_voids(_film("VP9"), 30)
    skimmed = _skimmed(stuffed, 50)
    assert skimmed is not None and _facts(skimmed) == _facts(_scanned(stuffed))
    assert _skimmed(_with_voids(_film("VP9"), 60), 50) is None


def _with_voids(data: bytes, count: int) -> bytes:
    """Empty elements before the first cluster, the size of the segment mended; what points behind them is off."""
    at = data.index(b"\x1f\x43\xb6\x75")
    size = data.index(b"\x18\x53\x80\x67") + 4
    longer = (int.from_bytes(data[size : size + 8], "big") + 2 * count).to_bytes(8, "big")
    return _changed(data, size, longer)[:at] + b"\xec\x80" * count + data[at:]


@pytest.mark.parametrize("kind", _PLAIN)
@settings(deadline=None, max_examples=60)
@given(
    spots=st.lists(
        st.tuples(st.integers(0, 10**6), st.integers(-6, 6), st.integers(1, 255)), min_size=1, max_size=3
    ),
    start=st.none() | st.floats(0, 3),
)
def test_whatever_the_heads_of_blocks_say_the_frames_are_those_of_demuxing(
    kind: str, spots: list[tuple[int, int, int]], start: float | None
) -> None:
    data = bytearray(_film(kind))
    heads = _scanned(bytes(data)).place
    for number, near, mask in spots:
        data[heads[number % len(heads)] + near] ^= mask
    with pytest.MonkeyPatch.context() as monkeypatch:
        assert _read(bytes(data), start) == _read(bytes(data), start, monkeypatch)
    skimmed = _skimmed(bytes(data))
    assert skimmed is None or _facts(skimmed) == _facts(_scanned(bytes(data)))

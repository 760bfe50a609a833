"""A film or a sound inside an archive is read where it lies, a few blocks at a time, like a file of its own."""

from __future__ import annotations

import io
import os
import random
import threading
import tracemalloc
import zipfile
import zlib
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import sounds
from tests.archives import members_of, opened, patched, tar_of, zip_of
from tests.vita_data.films import film, film_of
from vita_data import files
from vita_data.catalog.media import MediaReader
from vita_data.catalog.task import CatalogTask
from vita_data.errors import RecordError, VitaError
from vita_data.media import inflate, members
from vita_data.media.audio import LongSound
from vita_data.media.containers import window
from vita_data.media.containers.window import Window
from vita_data.media.inflate import inflated
from vita_data.media.members import Members, gather_members
from vita_data.media.video import read_frames
from vita_data.records.places import MediaPlaces, Place
from vita_data.sources.base import Medium

LIMIT = 64 << 30
DATA = random.Random(7).randbytes(10_000)
PACKED = {
    "tar": tar_of,
    "stored.zip": lambda pairs: zip_of(pairs, zipfile.ZIP_STORED),
    "deflated.zip": zip_of,
}


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every medium is large."""
    monkeypatch.setattr(members, "HELD_BYTES", 0)
    monkeypatch.setattr(window, "BLOCK", 1000)
    monkeypatch.setattr(inflate, "_BLOCK", 1000)


def streamed(found: Members, name: str) -> Any:
    member = found.find(name)
    assert member is not None
    return found.stream(member, LIMIT)


SEEKS = st.tuples(st.integers(-1200, 1200), st.sampled_from([io.SEEK_SET, io.SEEK_CUR, io.SEEK_END]))
STEPS = st.lists(st.one_of(st.integers(-1, 400), SEEKS), max_size=30)


@given(STEPS, st.integers(0, 1000), st.integers(1, 300), st.integers(0, 500))
def test_a_window_reads_like_a_file_of_its_bytes_and_never_outside_of_them(
    steps: list[Any], length: int, block: int, before: int
) -> None:
    whole, asked = DATA[:2000], []

    def fetch(offset: int, count: int) -> bytes:
        asked.append((offset, count))
        return whole[before + offset : before + offset + count]

    seen, plain = Window(fetch, length, block), io.BytesIO(whole[before : before + length])
    for step in steps:
        if isinstance(step, int):
            assert seen.read(step) == plain.read(step)
        else:
            assert _sought(seen, *step) == _sought(plain, *step)
        assert seen.tell() == plain.tell()
    assert all(offset >= 0 and offset + count <= length and count <= block for offset, count in asked)


def _sought(stream: io.IOBase, offset: int, whence: int) -> int | str:
    try:
        return stream.seek(offset, whence)
    except ValueError:
        return "refused"


def test_a_window_keeps_few_blocks_and_reads_none_twice_in_a_row() -> None:
    asked: list[int] = []

    def fetch(offset: int, count: int) -> bytes:
        asked.append(offset)
        return bytes(count)

    seen = Window(fetch, 100_000, 1000)
    for _ in range(3):
        seen.seek(0)
        seen.read(window.BLOCKS * 1000)
    assert asked == [0, 1000, 2000, 3000]
    tracemalloc.start()
    seen.seek(0)
    while seen.read(100):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < (window.BLOCKS + 6) * 1000 + 20_000


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("kind", PACKED)
@pytest.mark.parametrize("name", ["H.264 with B-frames in MP4", "VP9 in WebM", "H.264 in AVI", "GIF"])
def test_a_film_in_an_archive_gives_the_frames_of_the_plain_file(
    tmp_path: Path, kind: str, name: str
) -> None:
    data = film_of(name, 40)
    found = members_of(tmp_path, f"a.{kind}", PACKED[kind]([("x", DATA), ("a.film", data), ("y", DATA)]))
    with streamed(found, "a.film") as stream:
        assert read_frames(stream) == read_frames(data)
    with streamed(found, "a.film") as stream:
        assert read_frames(stream, None, 1.0, 2.5) == read_frames(data, None, 1.0, 2.5)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("kind", PACKED)
@pytest.mark.parametrize("form", ["wav", "flac", "mp3", "opus"])
def test_a_sound_in_an_archive_gives_the_samples_of_the_plain_file(
    tmp_path: Path, kind: str, form: str
) -> None:
    data = sounds.made(form, sounds.speechlike(3.0, sounds.rate_of(form)), sounds.rate_of(form))
    found = members_of(tmp_path, f"a.{kind}", PACKED[kind]([("x", DATA), ("a", data), ("y", DATA)]))
    with streamed(found, "a") as stream, LongSound(stream) as seen, LongSound(data) as plain:
        for part in ((None, None), (0.5, 1.25), (2.0, None)):
            assert seen.cut(16_000, *part) == plain.cut(16_000, *part)


LARGE = 2 << 30


def _tar_with_large_film(path: Path, data: bytes) -> None:
    """A film of two gigabytes, nearly all of them a hole behind the film, without writing them."""
    padding = LARGE - len(data)
    box = (1).to_bytes(4, "big") + b"free" + padding.to_bytes(8, "big")
    head = tar_of([("a.mp4", b"")])[:512]
    size = b"%011o\0" % LARGE
    block = bytearray(patched(head, 124, size))
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    with open(path, "wb") as stream:
        stream.write(bytes(block) + data + box)
        stream.truncate(512 + LARGE)
        stream.seek(512 + LARGE)
        stream.write(tar_of([("b.txt", b"behind")]))


def _reader(root: Path, inside: str) -> MediaReader:
    media = MediaPlaces((Place(inside),))
    opened(media, root, root / "catalog").close()
    path = gather_members(media, str(root), str(root / "catalog"))
    return MediaReader(_task(root, path), _Nowhere())


def _task(root: Path, archives: str) -> CatalogTask:
    texts = dict.fromkeys(("source", "row", "licence", "adapter"), "made")
    media = {"places": [], "fallback": (), "missing": "reject", "on_cut": "error"}
    return CatalogTask(
        **texts,
        kind="qa",
        language="en",
        options={},
        media=media,
        seconds={"least": 0.1, "most": 60.0},
        frames={},
        case="as_written",
        root=str(root),
        folder=str(root / "catalog"),
        slices=[],
        buckets=1,
        archives=archives,
    )


class _Nowhere:
    """A tar that keeps nothing."""

    name = "none"

    def add(self, name: str, data: bytes) -> int:
        return 0


def test_a_film_of_gigabytes_in_a_tar_is_catalogued_in_a_few_blocks_of_memory(tmp_path: Path) -> None:
    data = film(30, options={"x264-params": "threads=1"})
    _tar_with_large_film(tmp_path / "a.tar", data)
    plain = read_frames(data)
    with _reader(tmp_path, "a.tar") as reader:
        tracemalloc.start()
        rows, _ = reader.rows_or_text(0, [Medium("video", "a.mp4")], [])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 12 * window.BLOCK
    assert [row["time"] for row in rows] == [frame.time for frame in plain.frames]
    assert {row["content"] for row in rows} == {plain.content}


def test_a_stored_zip_member_is_verified_in_blocks_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bytes(48 << 20)
    found = members_of(tmp_path, "a.zip", PACKED["stored.zip"]([("a.mp4", data)]))
    tracemalloc.start()
    with streamed(found, "a.mp4") as stream:
        assert stream.read(10) == bytes(10)
    assert tracemalloc.get_traced_memory()[1] < 8 * window.BLOCK
    tracemalloc.stop()
    summed: list[int] = []
    monkeypatch.setattr(members.zlib, "crc32", lambda *asked: summed.append(1) or zlib.crc32(*asked))
    with streamed(found, "a.mp4") as stream:
        assert stream.seek(0, io.SEEK_END) == len(data)
    assert not summed


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("kind", ["stored.zip", "deflated.zip"])
def test_a_damaged_member_is_refused_before_any_of_it_is_read(tmp_path: Path, kind: str) -> None:
    archive = bytearray(PACKED[kind]([("a.mp4", DATA)]))
    archive[5000] ^= 1
    found = members_of(tmp_path, "a.zip", bytes(archive))
    for _ in range(2):
        with pytest.raises(RecordError, match=r"a\.mp4 in a\.zip (is not what|cannot be inflated)") as error:
            streamed(found, "a.mp4").__enter__()
        assert error.value.rule == "media_unreadable"


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("kind", PACKED)
def test_a_member_above_the_limit_is_not_opened(tmp_path: Path, kind: str) -> None:
    found = members_of(tmp_path, f"a.{kind}", PACKED[kind]([("a.mp4", DATA)]))
    member = found.find("a.mp4")
    assert member is not None
    with pytest.raises(RecordError, match="has 10") as error:
        found.stream(member, 9_999).__enter__()
    assert error.value.rule == "media_too_large"


@given(
    st.lists(st.binary(max_size=80).map(lambda part: part * 40), max_size=5),
    st.integers(1, 700),
    st.integers(1, 500),
)
def test_inflating_block_by_block_gives_what_was_packed_and_never_more(
    parts: list[bytes], cut: int, block: int
) -> None:
    data = b"".join(parts)
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = engine.compress(data) + engine.flush()
    pieces = [packed[at : at + cut] for at in range(0, len(packed), cut)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inflate, "_BLOCK", block)
        blocks = list(inflated(pieces, len(data)))
        assert b"".join(blocks) == data and all(len(each) <= block for each in blocks)
        if data:
            with pytest.raises(ValueError, match="more than its archive says"):
                list(inflated(pieces, len(data) - 1))


def test_a_disk_that_is_full_is_not_the_fault_of_a_film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "HELD_BYTES", 0)
    monkeypatch.setattr(inflate.tempfile, "TemporaryFile", partial(open, "/dev/full", "w+b"))
    found = members_of(tmp_path, "a.zip", zip_of([("a.mp4", DATA)]))
    with pytest.raises(VitaError, match="free space there") as error:
        streamed(found, "a.mp4").__enter__()
    assert not isinstance(error.value, RecordError)


@pytest.mark.usefixtures("small_blocks")
def test_streams_over_one_archive_do_not_disturb_each_other(tmp_path: Path) -> None:
    contents = [(f"{n}.mp4", random.Random(n).randbytes(30_000 + n)) for n in range(8)]
    found = members_of(tmp_path, "a.tar", tar_of(contents))
    wrong: list[str] = []

    def read(name: str, data: bytes) -> None:
        rng = random.Random(name)
        with streamed(found, name) as stream:
            for _ in range(400):
                at, count = rng.randrange(len(data)), rng.randrange(3000)
                stream.seek(at)
                if stream.read(count) != data[at : at + count]:
                    wrong.append(name)

    threads = [threading.Thread(target=read, args=each) for each in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.usefixtures("small_blocks")
def test_an_archive_that_shrinks_while_it_is_read_makes_its_media_unreadable(tmp_path: Path) -> None:
    data = film_of("H.264 with B-frames in MP4", 40)
    voice = sounds.written("wav", sounds.speechlike(3.0, 16_000), 16_000)
    found = members_of(tmp_path, "a.tar", tar_of([("a.mp4", data), ("a.wav", voice)]))
    with streamed(found, "a.mp4") as pictures, streamed(found, "a.wav") as sound:
        os.truncate(tmp_path / "root" / "a.tar", 2000)
        with pytest.raises(RecordError, match="cannot be read") as error:
            read_frames(pictures)
        assert error.value.rule == "media_unreadable"
        with pytest.raises(RecordError, match="cannot be read") as error, LongSound(sound) as long:
            long.cut(16_000)
        assert error.value.rule == "media_unreadable"


def test_a_large_member_at_a_url_is_read_by_ranges_within_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "HELD_BYTES", 0)
    monkeypatch.setattr(window, "REMOTE_BLOCK", 5000)
    data = film_of("H.264 with B-frames in MP4", 40)
    base = f"memory://streams-{tmp_path.name}"
    files.write_bytes(f"{base}/a.tar", tar_of([("x", DATA), ("a.mp4", data), ("y", DATA)]))
    found = opened(MediaPlaces((Place("a.tar"),)), base, f"{base}/catalog")
    asked: list[tuple[int, int]] = []
    plain = files.RangeReader.read

    def noted(self: files.RangeReader, path: str, offset: int, length: int) -> bytes:
        asked.append((offset, length))
        return plain(self, path, offset, length)

    monkeypatch.setattr(files.RangeReader, "read", noted)
    member = found.find("a.mp4")
    assert member is not None
    with found.stream(member, LIMIT) as stream:
        assert read_frames(stream) == read_frames(data)
    start = member.hit.offset
    assert all(start <= at and at + count <= start + len(data) and count <= 5000 for at, count in asked)
    assert len(asked) < 6 * len(data) / 5000


def test_a_small_member_at_a_url_costs_one_request_as_a_file_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = f"memory://small-{tmp_path.name}"
    files.write_bytes(f"{base}/a.zip", zip_of([("a.wav", DATA)], zipfile.ZIP_STORED))
    found = opened(MediaPlaces((Place("a.zip"),)), base, f"{base}/catalog")
    asked: list[int] = []
    plain = files.RangeReader.read
    monkeypatch.setattr(files.RangeReader, "read", lambda *args: asked.append(1) or plain(*args))
    with streamed(found, "a.wav") as stream:
        assert stream.read() == DATA
    assert len(asked) == 1

"""Our tars as the standard library's tarfile sees them."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vita_data.errors import ShardError
from vita_data.shards.tar import BLOCK, TarWriter, header, padded, walk

names = st.text("abcdefghijklmnop-_.0123456789é图", min_size=1, max_size=30).filter(
    lambda name: len(name.encode()) <= 100
)
members = st.dictionaries(names, st.binary(max_size=1600), max_size=6)


def tar_of(contents: dict[str, bytes]) -> tuple[bytes, dict[str, int]]:
    """A tar and the offsets that its writer told."""
    stream = io.BytesIO()
    writer = TarWriter(stream)
    offsets = {name: writer.add(name, data) for name, data in contents.items()}
    writer.close()
    assert writer.size == len(stream.getvalue())
    return stream.getvalue(), offsets


@given(members)
def test_tarfile_finds_the_members_at_the_offsets_that_the_writer_tells(contents: dict[str, bytes]) -> None:
    data, offsets = tar_of(contents)
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
        found = tar.getmembers()
        read = {member.name: tar.extractfile(member).read() for member in found}  # type: ignore[union-attr]
    assert read == contents
    assert [member.name for member in found] == list(contents)
    assert {member.name: member.offset_data for member in found} == offsets
    assert all((m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) == (0, 0, 0, "", "", 0o644) for m in found)


@given(members)
def test_walking_a_tar_gives_what_was_put_in(contents: dict[str, bytes]) -> None:
    data, offsets = tar_of(contents)
    walked = list(walk(io.BytesIO(data)))
    assert walked == [(name, offsets[name], len(contents[name])) for name in contents]
    assert len(data) == sum(padded(len(content)) for content in contents.values()) + 2 * BLOCK


@given(names, st.integers(0, (1 << 33) - 1))
def test_tarfile_reads_every_header_and_finds_its_checksum_right(name: str, size: int) -> None:
    info = tarfile.TarInfo.frombuf(header(name, size), "utf-8", "strict")
    assert (info.name, info.size, info.isreg()) == (name, size, True)


@pytest.mark.parametrize(("name", "size"), [("a" * 101, 1), ("é" * 51, 1), ("a", 1 << 33)])
def test_a_member_that_a_header_cannot_hold_is_refused(name: str, size: int) -> None:
    with pytest.raises(ShardError, match="does not fit a tar header"):
        header(name, size)


@settings(max_examples=300)
@given(st.data())
def test_a_changed_byte_outside_the_members_is_noticed_by_walking(data: st.DataObject) -> None:
    tar, _ = tar_of({"a.json": b"x" * 700, "a.0.jpg": b"y" * 10})
    spans = [range(0, 512), range(1212, 2048), range(2058, 3584)]
    at = data.draw(st.sampled_from([place for span in spans for place in span]))
    damaged = bytearray(tar)
    damaged[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ShardError):
        list(walk(io.BytesIO(bytes(damaged))))


@given(st.integers(0, 3583))
def test_a_cut_tar_is_noticed_by_walking(length: int) -> None:
    tar, _ = tar_of({"a.json": b"x" * 700, "a.0.jpg": b"y" * 10})
    with pytest.raises(ShardError):
        list(walk(io.BytesIO(tar[:length])))


def test_what_follows_the_end_is_noticed_by_walking() -> None:
    tar, _ = tar_of({"a.json": b"{}"})
    with pytest.raises(ShardError, match="end"):
        list(walk(io.BytesIO(tar + b"\0")))

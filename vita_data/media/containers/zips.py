"""The central directory of a zip, and the local header before a member's bytes.

Format: APPNOTE.TXT 6.3.10 (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT), zip64 included.
The directory alone is read, so a listing costs the same however large the members are.
"""

from __future__ import annotations

import io
import stat
import struct
import zlib
from array import array
from collections.abc import Iterator
from typing import IO, NamedTuple

from vita_data.errors import SourceError
from vita_data.media.containers.entry import LARGEST, Entry, Way
from vita_data.media.containers.zip_names import decoded

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
LOCAL_BYTES = _LOCAL.size
_COMMENT = 0xFFFF
_BLOCK = 1 << 20
_ENCRYPTED, _DESCRIPTOR, _UTF8 = 0x2041, 0x8, 0x800  # bits 0, 6 and 13 all mean encryption
_METHODS = {0: Way.STORED, 8: Way.DEFLATED}
_UNIX = 3


class Local(NamedTuple):
    """What a local header says: its name, the way of its bytes, and (size, packed size, crc) if they stand there."""

    name: str
    way: Way
    facts: tuple[int, int, int] | None
    header: int  # bytes from its start to the member's data; more than are there when it was given in part


def walk(stream: IO[bytes], path: str, size: int) -> Iterator[Entry]:
    """Yields the files of a zip in directory order; folders are left out, what cannot be read is refused.

    Raises SourceError when the directory is missing (a cut file) or damaged, when the zip is one part of
    several, and when members share bytes, as only bombs make them.
    """
    start, length, count, base = _directory(stream, path, size)
    starts, ends, seen = array("q"), array("q"), 0
    for fields, raw, extra in _records(stream, path, start, length):
        seen += 1
        entry, begin = _entry(fields, raw, extra, path)
        end = base + begin + LOCAL_BYTES + len(raw) + entry.length
        if end > start:
            raise _damaged(path, f"the member {entry.name!r} reaches into its directory")
        starts.append(base + begin)
        ends.append(end)
        if not raw.endswith((b"/", b"\\")):
            yield entry._replace(offset=base + begin)
    if seen & 0xFFFF != count & 0xFFFF:
        raise _damaged(path, f"its directory has {seen} members and not {count}")
    _refuse_overlaps(starts, ends, path)


def read_local(head: bytes) -> Local:
    """The local header that `head` begins with; raises ValueError when there is none."""
    if len(head) < LOCAL_BYTES:
        raise ValueError("its local header is cut")
    signature, _, flags, method, _, _, crc, packed, size, name, extra = _LOCAL.unpack_from(head)
    if signature != b"PK\3\4":
        raise ValueError("there is no local header where its directory says")
    raw = head[LOCAL_BYTES : LOCAL_BYTES + name]
    fields = head[LOCAL_BYTES + name : LOCAL_BYTES + name + extra]
    facts: tuple[int, int, int] | None = None
    if not flags & _DESCRIPTOR:
        size, packed, _ = _zip64(fields, size, packed, 0)
        facts = (size, packed, crc)
    return Local(
        decoded(raw, bool(flags & _UTF8), _unicode_path(raw, fields)),
        _way(flags, method),
        facts,
        LOCAL_BYTES + name + extra,
    )


def has_end(stream: IO[bytes]) -> bool:
    """Whether a file ends as a zip does; one may have something else before it, such as a program."""
    return _end_record(stream, stream.seek(0, io.SEEK_END)) is not None


def _end_record(stream: IO[bytes], size: int) -> tuple[int, bytes] | None:
    """Where the end record lies, and its fixed part; a comment of up to 64 KiB may follow it."""
    start = max(0, size - _END.size - _COMMENT)
    stream.seek(start)
    tail = stream.read(size - start)
    at = tail.rfind(b"PK\5\6", 0, max(0, len(tail) - _END.size + 4))
    return None if at < 0 else (start + at, tail[at : at + _END.size])


def _damaged(path: str, what: str) -> SourceError:
    return SourceError(f"{path} is no whole zip: {what}; fetch it again.")


def _directory(stream: IO[bytes], path: str, size: int) -> tuple[int, int, int, int]:
    """(start, bytes, members) of the central directory, and how far the whole zip lies behind the file's start."""
    found = _end_record(stream, size)
    if found is None:
        raise _damaged(path, "it has no directory at its end, so it is cut")
    end, record = found
    _, disk, first_disk, _, count, length, offset, _ = _END.unpack(record)
    wide = _directory64(stream, path, end) if end >= _LOCATOR.size else None
    if wide is not None:
        end, count, length, offset, disk, first_disk = wide
    if disk or first_disk:
        raise SourceError(
            f"{path} is the last disk of a zip of many; join them with `zip -s 0 {path} --out joined.zip`, and name "
            "the joined one in the card's `media`."
        )
    start = end - length
    if start < 0 or start < offset:
        raise _damaged(path, "its directory lies outside of the file")
    return start, length, count, start - offset


def _directory64(stream: IO[bytes], path: str, end: int) -> tuple[int, int, int, int, int, int] | None:
    """The zip64 end record, if a locator before the end record names one: where it lies, and what it says."""
    stream.seek(end - _LOCATOR.size)
    signature, _, offset, _ = _LOCATOR.unpack(stream.read(_LOCATOR.size))
    if signature != b"PK\6\7":
        return None
    for place in (offset, end - _LOCATOR.size - _END64.size):  # the second when something lies before the zip
        if 0 <= place <= end - _END64.size:
            stream.seek(place)
            record = _END64.unpack(stream.read(_END64.size))
            if record[0] == b"PK\6\6":
                return place, record[7], record[8], record[9], record[4], record[5]
    raise _damaged(path, "its zip64 end record is not where it should be")


def _records(
    stream: IO[bytes], path: str, start: int, length: int
) -> Iterator[tuple[tuple[int, ...], bytes, bytes]]:
    """(fixed fields, name, extra field) of every directory record, a block of the directory in memory at a time."""
    stream.seek(start)
    held, at, left = b"", 0, length
    while left or at < len(held):
        if left and len(held) - at < _CENTRAL.size + 3 * 0xFFFF:
            block = stream.read(min(_BLOCK, left))
            if not block:
                raise _damaged(path, "its directory is cut")
            held, at, left = held[at:] + block, 0, left - len(block)
            continue
        if len(held) - at < _CENTRAL.size or held[at : at + 4] != b"PK\1\2":
            raise _damaged(path, "its directory holds what is no record")
        fields = _CENTRAL.unpack_from(held, at)
        name_at = at + _CENTRAL.size
        extra_at = name_at + fields[10]
        at = extra_at + fields[11] + fields[12]
        if at > len(held):
            raise _damaged(path, "its directory is cut")
        yield fields[1:], held[name_at:extra_at], held[extra_at : extra_at + fields[11]]


def _entry(fields: tuple[int, ...], raw: bytes, extra: bytes, path: str) -> tuple[Entry, int]:
    made, _, flags, method, _, _, crc, packed, size, _, _, _, _, _, attributes, offset = fields
    try:
        size, packed, offset = _zip64(extra, size, packed, offset)
    except ValueError as error:
        raise _damaged(path, str(error)) from error
    if size > LARGEST:
        raise _damaged(path, f"a member states {size} bytes")
    way = _way(flags, method)
    if made >> 8 == _UNIX and stat.S_ISLNK(attributes >> 16):
        way = Way.LINK
    return Entry(
        decoded(raw, bool(flags & _UTF8), _unicode_path(raw, extra)), offset, packed, size, crc, way
    ), offset


def _way(flags: int, method: int) -> Way:
    return Way.ENCRYPTED if flags & _ENCRYPTED else _METHODS.get(method, Way.METHOD)


def _extras(extra: bytes) -> Iterator[tuple[int, bytes]]:
    while len(extra) >= 4:
        tag, length = struct.unpack_from("<2H", extra)
        yield tag, extra[4 : 4 + length]
        extra = extra[4 + length :]


def _zip64(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """The three numbers, with those that did not fit 32 bits from the zip64 extra field (tag 1)."""
    if 0xFFFFFFFF not in (size, packed, offset):
        return size, packed, offset
    wide = next((data for tag, data in _extras(extra) if tag == 1), b"")
    numbers = []
    for number in (size, packed, offset):
        if number == 0xFFFFFFFF:
            if len(wide) < 8:
                raise ValueError("a zip64 size is missing")
            number, wide = int.from_bytes(wide[:8], "little"), wide[8:]
        numbers.append(number)
    return numbers[0], numbers[1], numbers[2]


def _unicode_path(raw: bytes, extra: bytes) -> bytes | None:
    """The name in the Unicode path field, unless another name was written over the one that it belongs to."""
    for tag, data in _extras(extra):
        if tag == 0x7075 and data[1:5] == zlib.crc32(raw).to_bytes(4, "little"):
            return data[5:]
    return None


def _refuse_overlaps(starts: array[int], ends: array[int], path: str) -> None:
    import numpy as np

    begin, end = np.frombuffer(starts, np.int64), np.frombuffer(ends, np.int64)
    order = np.argsort(begin, kind="stable")
    if len(order) and (end[order][:-1] > begin[order][1:]).any():
        raise SourceError(
            f"{path} holds members that share bytes, as only an archive bomb does; fetch it again."
        )

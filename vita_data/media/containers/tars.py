"""The headers of a tar, member by member: ustar, GNU and pax.

Formats: POSIX.1-2001 pax (https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html) and
https://www.gnu.org/software/tar/manual/html_node/Standard.html. Numbers are octal or base-256.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO

from vita_data.media.containers.entry import LARGEST, CutError, Entry, Way

BLOCK = 512
_ZERO = bytes(BLOCK)
EXTENSION_BYTES = 1 << 20  # of a pax or long-name header; real ones have a few hundred
_SIGNED = struct.Struct("148b8x356b")
_SHORT = "it ends in the middle of a member"
# Links, devices, folders and pipes have no data, whatever their size field says.
_LINKS, _SPECIAL, _FOLDER = b"12", b"346", b"5"
_EXTENSIONS = b"xgXLK"


def is_header(block: bytes) -> bool:
    """Whether 512 bytes are the header of a tar member: their checksum says so."""
    return len(block) == BLOCK and _checks(block)


def walk(stream: IO[bytes], path: str, size: int | None = None) -> Iterator[Entry]:
    """Yields the files of a tar in order, with links, devices and sparse files as refused; folders are left out.

    The stream is only ever moved forward and stands at a member's data when it is yielded. `size` is the
    file's, where it is known: a member that reaches beyond it is not yielded. Raises CutError where the tar
    ends without its end mark or holds what is no header.
    """
    position, members = 0, 0
    extended: dict[str, bytes] = {}
    always: dict[str, bytes] = {}
    while True:
        stream.seek(position)
        block = stream.read(BLOCK)
        if block == _ZERO and not extended:
            return
        try:
            kind, length = _checked(block, position)
            if kind in _EXTENSIONS:
                data = _extension(stream, length, position)
                (always if kind == b"g" else extended).update(_meaning(kind, data))
                position += BLOCK + _padded(length)
                continue
            entry, start, position = _member(stream, block, kind, length, position, {**always, **extended})
        except ValueError as error:
            raise CutError(path, str(error), members) from error
        if size is not None and start + (0 if entry is None else entry.length) > size:
            raise CutError(path, _SHORT, members)
        extended = {}
        members += 1
        if entry is not None:
            yield entry


def _member(
    stream: IO[bytes], block: bytes, kind: bytes, length: int, position: int, extended: dict[str, bytes]
) -> tuple[Entry | None, int, int]:
    """The member of a header (None for a folder), where its data begin, and where the next header is."""
    start = position + BLOCK
    if "size" in extended:
        length = _decimal(extended["size"])
    name = _name(block, kind, extended)
    if kind == b"S":
        start = _behind_sparse_map(stream, block, start)
    sparse = kind == b"S" or any(key.startswith("GNU.sparse.") for key in extended)
    if kind in _FOLDER or (kind == b"\0" and name is not None and name.endswith("/")):
        return None, start, start
    if kind in _LINKS or kind in _SPECIAL:
        return Entry(name, start, 0, 0, 0, Way.LINK if kind in _LINKS else Way.SPECIAL), start, start
    way = Way.SPARSE if sparse else Way.SPECIAL if kind in b"DMVN" else Way.PLAIN
    return Entry(name, start, length, length, 0, way), start, start + _padded(length)


def _padded(length: int) -> int:
    return length + (-length % BLOCK)


def _checks(block: bytes) -> bool:
    try:
        stated = _octal(block[148:156])
    except ValueError:
        return False
    return stated == sum(block) - sum(block[148:156]) + 8 * 32 or (
        stated == sum(_SIGNED.unpack(block)) + 8 * 32  # some old writers summed signed bytes
    )


def _checked(block: bytes, position: int) -> tuple[bytes, int]:
    """The type and size of a header; raises ValueError saying what is wrong."""
    if not block:
        raise ValueError(f"no end mark at byte {position}")
    if len(block) < BLOCK:
        raise ValueError(_SHORT)
    if not _checks(block):
        raise ValueError(f"no header at byte {position}")
    try:
        return block[156:157], _number(block[124:136])
    except ValueError as error:
        raise ValueError(f"the header at byte {position} states {error}") from error


def _octal(field: bytes) -> int:
    digits = field.partition(b"\0")[0].strip()
    if digits.strip(b"01234567"):
        raise ValueError("a size that is no number")
    return int(digits or b"0", 8)


def _number(field: bytes) -> int:
    """Octal text or, where the first bit is set, a big-endian two's complement number."""
    if not field[0] & 0x80:
        return _octal(field)
    if field[0] & 0x40:
        raise ValueError("a negative size")
    return _bounded(int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big"))


def _decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > 20:
        raise ValueError("a size that is no number")
    return _bounded(int(text))


def _bounded(number: int) -> int:
    if number > LARGEST:
        raise ValueError(f"a size of {number} bytes")
    return number


def _extension(stream: IO[bytes], length: int, position: int) -> bytes:
    if length > EXTENSION_BYTES:
        raise ValueError(f"a name of {length} bytes at byte {position}")
    data = stream.read(length)
    if len(data) < length:
        raise ValueError(_SHORT)
    return data


def _meaning(kind: bytes, data: bytes) -> dict[str, bytes]:
    """What an extension header says of the next member: a GNU long name, or the records of a pax header."""
    if kind == b"L":
        return {"path": data.partition(b"\0")[0]}
    return {} if kind == b"K" else dict(_pax(data))


def _pax(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Records of the form `<length> <key>=<value>` and a newline, the length counting the whole record."""
    position = 0
    while position < len(data) and data[position]:
        digits, space, _ = data[position : position + 20].partition(b" ")
        if not space or not digits.isdigit():
            raise ValueError("a pax header that makes no sense")
        end = position + int(digits)
        key, equals, value = data[position + len(digits) + 1 : end - 1].partition(b"=")
        if not equals or data[end - 1 : end] != b"\n":
            raise ValueError("a pax header that makes no sense")
        yield key.decode("utf-8", "replace"), value
        position = end


def _name(block: bytes, kind: bytes, extended: dict[str, bytes]) -> str | None:
    raw = extended.get("GNU.sparse.name", extended.get("path"))
    if raw is None:
        raw = block[:100].partition(b"\0")[0]
        prefix = block[345:500].partition(b"\0")[0]
        if prefix and block[257:263] == b"ustar\0" and kind != b"S":
            raw = prefix + b"/" + raw
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _behind_sparse_map(stream: IO[bytes], block: bytes, start: int) -> int:
    """Where the data of an old GNU sparse file begin: its map may go on in blocks of its own."""
    more = block[482]
    while more:
        block = stream.read(BLOCK)
        if len(block) < BLOCK:
            raise ValueError(_SHORT)
        start += BLOCK
        more = block[504]
    return start

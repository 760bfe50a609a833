"""A ustar writer that knows where every member's bytes lie.

Headers carry no owner and no time, so equal members give equal bytes. The header is one template with
name, size and checksum filled in, which is several times faster than the standard library's.
Format: POSIX.1-1988 ustar, names up to 100 bytes, members below 8 GiB.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from vita_data.errors import ShardError

BLOCK = 512
END = bytes(2 * BLOCK)
NAME_LIMIT = 100
SIZE_LIMIT = 1 << 33
_MODE_TO_GID = b"0000644\0" + b"0000000\0" + b"0000000\0"
_MTIME = b"00000000000\0"
_AFTER_CHECKSUM = b"\0 0" + bytes(100) + b"ustar\x0000" + bytes(64) + b"0000000\0" * 2 + bytes(167)
_FIXED_SUM = sum(_MODE_TO_GID) + sum(_MTIME) + 8 * ord(" ") + sum(_AFTER_CHECKSUM[2:])
_PADDING = [bytes(-size % BLOCK) for size in range(BLOCK)]


def padded(size: int) -> int:
    """Bytes that a member of this size takes, header and padding included."""
    return BLOCK + size + (-size % BLOCK)


def header(name: str, size: int) -> bytes:
    """The 512-byte header of a regular file."""
    raw = name.encode()
    if len(raw) > NAME_LIMIT or size >= SIZE_LIMIT:
        raise ShardError(
            f"member {name} of {size} bytes does not fit a tar header; shorten the source's name."
        )
    octal = b"%011o\0" % size
    checksum = _FIXED_SUM + sum(raw) + sum(octal)
    return b"".join(
        (raw.ljust(NAME_LIMIT, b"\0"), _MODE_TO_GID, octal, _MTIME, b"%06o" % checksum, _AFTER_CHECKSUM)
    )


class TarWriter:
    """Writes members one after the other and says at which byte each one's data begin."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._write = stream.write
        self.size = 0

    def add(self, name: str, data: bytes) -> int:
        """Appends a member; returns the offset of its data."""
        size = len(data)
        self._write(header(name, size))
        self._write(data)
        self._write(_PADDING[size % BLOCK])
        offset = self.size + BLOCK
        self.size = offset + size + (-size % BLOCK)
        return offset

    def close(self) -> None:
        """Writes the two empty blocks that end an archive; the stream stays open."""
        self._write(END)
        self.size += len(END)


def walk(stream: IO[bytes]) -> Iterator[tuple[str, int, int]]:
    """Yields (name, offset of data, size) of every member, checking headers; the stream must be seekable."""
    position = 0
    while True:
        stream.seek(position)
        block = stream.read(BLOCK)
        if block == bytes(BLOCK):
            if stream.read(BLOCK) != bytes(BLOCK) or stream.read(1):
                raise ShardError(f"the archive's end at byte {position} is damaged.")
            return
        if len(block) != BLOCK or block[257:263] != b"ustar\0":
            raise ShardError(f"no tar header at byte {position}.")
        try:
            name = block[:NAME_LIMIT].rstrip(b"\0").decode()
            size = int(block[124:135], 8)
        except ValueError as error:
            raise ShardError(f"the tar header at byte {position} is damaged.") from error
        if header(name, size) != block:
            raise ShardError(f"the tar header at byte {position} is damaged.")
        yield name, position + BLOCK, size
        position += padded(size)
        stream.seek(position - (-size % BLOCK))
        if stream.read(-size % BLOCK) != _PADDING[size % BLOCK]:
            raise ShardError(f"the padding before byte {position} is damaged.")

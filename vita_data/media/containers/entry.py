"""What an archive's directory says of one member."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from vita_data.errors import SourceError

# How what is compressed as a whole begins.
MAGIC = {
    b"\x1f\x8b\x08": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x50\x2a\x4d\x18": "zstd",  # the frame that pzstd begins with, which is skipped
}
LARGEST = 1 << 60  # bytes that a header may state; more is damage


class Way(IntEnum):
    """How a member's bytes are reached; from ENCRYPTED on they are not."""

    PLAIN = 0  # as they are, at `offset`
    STORED = 1  # as they are, behind the local zip header at `offset`
    DEFLATED = 2  # raw deflate, behind the local zip header at `offset`
    ENCRYPTED = 16
    METHOD = 17
    LINK = 18
    SPECIAL = 19
    SPARSE = 20
    TOO_LARGE = 21
    NO_BYTES = 22


REFUSED = {
    Way.ENCRYPTED: "is encrypted",
    Way.METHOD: "is compressed by a method other than deflate",
    Way.LINK: "is a link to another file",
    Way.SPECIAL: "is a device or a pipe",
    Way.SPARSE: "is a sparse file",
    Way.TOO_LARGE: "is larger than what may be copied out of its archive",
    Way.NO_BYTES: "has a row but no bytes in its table",
}


class Entry(NamedTuple):
    """A member: `length` bytes at `offset` of the archive, `size` once inflated; no name: it is not UTF-8."""

    name: str | None
    offset: int
    length: int
    size: int
    crc: int
    way: Way


class CutError(SourceError):
    """An archive ends, or stops making sense, behind members that are whole."""

    def __init__(self, path: str, what: str, members: int) -> None:
        super().__init__(
            f"{path} is cut or damaged ({what}) after {members} members; fetch it again, "
            "or write `on_cut: keep` under the card's `media` to go on with these."
        )

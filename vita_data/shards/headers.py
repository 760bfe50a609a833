"""How large a stored picture is and how long a stored sound, from their headers alone: what a recount needs of them.

Formats: JPEG (ITU-T T.81, annex B), PNG (ISO/IEC 15948, chunk IHDR) and FLAC (RFC 9639, STREAMINFO); a stage
stores no others.
"""

from __future__ import annotations

from collections.abc import Iterator

from vita_data.errors import ShardError

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_START_OF_SCAN = 0xDA
_BARE = {0xC8, *range(0xD0, 0xDA), *range(0xF0, 0xFE)}  # markers without a length
_FRAMES = {*range(0xC0, 0xD0), 0xDE} - {0xC4, 0xC8, 0xCC}


def picture_size(data: bytes) -> tuple[int, int]:
    """(width, height) of a JPEG or PNG; raises ShardError for anything else."""
    size = None
    if data.startswith(_PNG):
        size = next((_two(data[at : at + 8], 4) for kind, at in _chunks(data) if kind == b"IHDR"), None)
    elif data.startswith(_JPEG):
        for marker, at in _segments(data):
            if marker in _FRAMES:
                height, width = _two(data[at + 1 : at + 5], 2)
                size = width, height
    if size is None or not all(size):
        raise ShardError("the picture has no header that says its size")
    return size


def sound_length(data: bytes) -> tuple[int, int]:
    """(samples, samples a second) of a FLAC file; raises ShardError for anything else."""
    rate, samples = (
        int.from_bytes(data[18:21], "big") >> 4,
        int.from_bytes(data[21:26], "big") & (1 << 36) - 1,
    )
    if data[:4] != b"fLaC" or not rate:
        raise ShardError("the sound has no header that says its length")
    return samples, rate


def _two(data: bytes, width: int) -> tuple[int, int]:
    return int.from_bytes(data[:width], "big"), int.from_bytes(data[width:], "big")


def _chunks(data: bytes) -> Iterator[tuple[bytes, int]]:
    """(type, where its data begin) of a PNG's chunks."""
    at = len(_PNG)
    while at + 8 <= len(data):
        yield data[at + 4 : at + 8], at + 8
        at += 12 + int.from_bytes(data[at : at + 4], "big")


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """(marker, where its data begin) of a JPEG's segments before the first scan; junk between them is passed over."""
    at = 2
    while at + 4 <= len(data):
        marker = data[at + 1]
        if data[at] != 0xFF or marker in (0x00, 0xFF):
            at += 1
        elif marker in _BARE:
            at += 2
        elif marker == _START_OF_SCAN:
            return
        else:
            yield marker, at + 4
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")

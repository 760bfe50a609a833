"""How many samples the header of a file says it holds, where decoders only say how many are there."""

from __future__ import annotations

import struct

from vita_data.media.sound_source import SoundSource

_ONE_SAMPLE_BLOCKS = (1, 3, 6, 7, 0xFFFE)  # PCM, float, A-law, mu-law, and "see the extension"
_UNSET_BYTES = 0x7FFFF000  # writers to a pipe put a size from here on, for want of a true one
_TAG_WITHIN = 256  # bytes of the first MP3 frame


def samples_in_wav_header(head: bytes) -> int | None:
    """Samples of a WAV without compression by the size of its data chunk.

    None for other files, where `head` does not reach that chunk, and where a writer left the size unset.
    """
    if not head.startswith(b"RIFF"):
        return None
    at, width = 12, 0
    while at + 8 <= len(head):
        kind, size = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], "little")
        if kind == b"fmt " and int.from_bytes(head[at + 8 : at + 10], "little") in _ONE_SAMPLE_BLOCKS:
            width = int.from_bytes(head[at + 20 : at + 22], "little")
        if kind == b"data":
            return size // width if width and size < _UNSET_BYTES else None
        at += 8 + size + size % 2
    return None


def samples_in_mp3_header(source: SoundSource) -> int | None:
    """Samples of an MP3 by the count of frames that LAME and others write into its first frame.

    None without such a frame. FFmpeg does not believe it when the file is shorter than it should be, which
    is what is asked here. ("MP3 Info Tag rev 1", LAME; the Xing header that it extends.)
    """
    before = source.tell()
    source.seek(0)
    head = source.read(10)
    size = 0
    if head.startswith(b"ID3") and len(head) == 10:
        size = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    source.seek(size)
    frame = source.read(_TAG_WITHIN)
    source.seek(before)
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    if at < 0 or len(frame) < at + 12:
        return None
    flags, frames = struct.unpack_from(">II", frame, at + 4)
    is_mpeg1 = frame[1] & 0x18 == 0x18
    return frames * (1152 if is_mpeg1 else 576) if flags & 1 else None

"""The packets of a plain Matroska film, found by the heads of its blocks: a third of what demuxing costs.

Plain is a file (RFC 9559) of one segment that ends with it, every size known, a track's frames each in a
SimpleBlock of its own. A demuxer gives the same for such a file; any other is left to it.
"""

from __future__ import annotations

import io
import struct
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import lt
from typing import Any, BinaryIO

_EBML, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
_TIMESTAMP, _SIMPLE_BLOCK, _BLOCK_GROUP, _BLOCK = 0xE7, 0xA3, 0xA0, 0xA1
# SeekHead, Info, Tracks, Cues, Tags, Chapters, Attachments, Void, CRC-32
_BESIDE = (0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1254C367, 0x1043A770, 0x1941A469, 0xEC, 0xBF)
_WITHIN = (0xEC, 0xBF, 0xAB, 0xA7)  # Void, CRC-32, PrevSize, Position
_ID_BYTES, _SIZE_BYTES, _NUMBER_BYTES = 4, 8, 8

_BLOCK_HEAD = 4  # track number, two bytes of time, flags
_FIRST_TRACK, _LAST_TRACK = 0x81, 0xFE  # numbers of one byte
_LAST_STAMP = 1 << 48
_KEY_FLAG, _LACED = 0x80, 0x06
_PLAIN_FLAGS = bytes([0, _KEY_FLAG])  # nothing laced, invisible or to be dropped
_IS_KEY = bytes(flags >= _KEY_FLAG for flags in range(256))

_WINDOW = 1 << 17
_LONGEST_HEAD = 32  # of a block in a group, with all its sizes written at length

Head = Callable[[Any, int], tuple[Any, ...]]


class _OddError(Exception):
    """The file is not plain."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """A track's blocks in stored order: ticks, where each begins, bytes of its frame, 1 for a key frame else 0."""

    stamps: array[int] = field(default_factory=lambda: array("q"))
    places: array[int] = field(default_factory=lambda: array("q"))
    sizes: array[int] = field(default_factory=lambda: array("q"))
    keys: bytearray = field(default_factory=bytearray)


def blocks_of(file: BinaryIO, place: int, tracks: int, most: int) -> Blocks | None:
    """The blocks of the track whose first block begins at `place`, with rising stamps; None if the file is odd.

    Odd are files with blocks of more than so many `tracks`, and with more than `most` blocks of this one or
    other elements too. The file stays where it was.
    """
    before = file.tell()
    try:
        return _Walk(file, place, tracks, most).whole_film()
    except _OddError:
        return None
    finally:
        file.seek(before)


def _odd_head(_window: bytes, _offset: int) -> tuple[int, int, int, int]:
    raise _OddError


def _form(lead: int) -> tuple[Head, int, int]:
    width = 9 - lead.bit_length()
    layout = {1: ">HBhB", 2: ">xHBhB", 3: ">IBhB", 4: ">xIBhB"}.get(width)
    unpack = struct.Struct(layout).unpack_from if layout else _odd_head
    return unpack, (1 << 7 * width) - 1, 1 + width


# By the first byte of a SimpleBlock's size: how its head unpacks, what of the first number is size, where that ends.
_FORMS = [_form(lead) for lead in range(256)]
_IN_BLOCK: Head = struct.Struct(">BhB").unpack_from


class _Walk:
    """One walk over a file, which is read in windows: most blocks are so small that seeking would cost more."""

    def __init__(self, file: BinaryIO, place: int, tracks: int, most: int) -> None:
        self._file, self._most_tracks, self._most = file, tracks, most
        self._size = file.seek(0, io.SEEK_END)
        self._load(place)
        self._track = self._window[0]
        self._others, self._tracks = 0, {self._track}
        self._found, self._flags = Blocks(), bytearray()

    def whole_film(self) -> Blocks:
        """The blocks of the whole file; raises _OddError."""
        kind, _, end = self._element(0)
        inside, at, stop = self._element(end)
        if kind != _EBML or inside != _SEGMENT or stop != self._size:
            raise _OddError
        while at < stop:
            kind, begin, at = self._element(at)
            if kind == _CLUSTER:
                self._read_cluster(begin, at)
            elif kind not in _BESIDE:
                raise _OddError
        if at != stop:
            raise _OddError
        self._check_all()
        self._found.keys.extend(self._flags.translate(_IS_KEY))
        return self._found

    def _check_all(self) -> None:
        """What can be checked of all blocks at once."""
        stamps, flags = self._found.stamps, self._flags
        is_one_of_few = _FIRST_TRACK <= self._track <= _LAST_TRACK and len(self._tracks) <= self._most_tracks
        is_rising = 0 < len(stamps) <= self._most and stamps[0] >= 0 and all(map(lt, stamps, stamps[1:]))
        is_plain = not flags.translate(None, _PLAIN_FLAGS) and min(self._found.sizes, default=0) > 0
        if not (is_one_of_few and is_rising and is_plain):
            raise _OddError

    def _load(self, at: int) -> None:
        """Read from a place on; past the end of the file zeros follow, which are no element."""
        self._file.seek(at)
        window = self._file.read(_WINDOW)
        while len(window) < _WINDOW and (more := self._file.read(_WINDOW - len(window))):
            window += more
        if len(window) < _WINDOW:
            window += bytes(_LONGEST_HEAD)
        self._window, self._base = window, at

    def _element(self, at: int) -> tuple[int, int, int]:
        """What an element is, and where its data begin and end."""
        self._count_other()
        if not 0 <= at - self._base <= len(self._window) - _LONGEST_HEAD:
            self._load(at)
        begin, first = at - self._base, self._window[at - self._base]
        middle = begin + 9 - first.bit_length()
        end = middle + 9 - self._window[middle].bit_length()
        size = int.from_bytes(self._window[middle:end], "big")
        full = (1 << 7 * (end - middle)) - 1
        if middle - begin > _ID_BYTES or end - middle > _SIZE_BYTES or size & full == full:
            raise _OddError
        kind = int.from_bytes(self._window[begin:middle], "big")
        return kind, self._base + end, self._base + end + (size & full)

    def _count_other(self) -> None:
        self._others += 1
        if self._others > self._most:
            raise _OddError

    def _pass_other(self, at: int) -> int:
        """Where an element of a cluster ends that holds nothing of the track."""
        kind, begin, after = self._element(at)
        if kind == _BLOCK_GROUP:
            kind, begin, end = self._element(begin)
            track, _, flags = _IN_BLOCK(self._window, begin - self._base)
            if kind != _BLOCK or track == self._track:
                raise _OddError
            self._pass_block(track, end - begin, flags)
        elif kind not in _WITHIN:
            raise _OddError
        return after

    def _pass_block(self, track: int, size: int, flags: int) -> None:
        self._count_other()
        self._tracks.add(track)
        if size <= _BLOCK_HEAD or flags & _LACED:
            raise _OddError

    def _read_cluster(self, begin: int, end: int) -> None:
        """A cluster's time, and then its blocks."""
        kind, begin, after = self._element(begin)
        while kind in _WITHIN:
            kind, begin, after = self._element(after)
        if kind != _TIMESTAMP or not 0 < after - begin <= _NUMBER_BYTES:
            raise _OddError
        if after - self._base > len(self._window):
            self._load(begin)
        now = int.from_bytes(self._window[begin - self._base : after - self._base], "big")
        if now > _LAST_STAMP:
            raise _OddError
        self._read_blocks(now, after, end)

    def _read_blocks(self, now: int, at: int, end: int) -> None:
        """The blocks of a cluster. A film has many: what can be checked of all at once is checked later."""
        window, base, track, found = self._window, self._base, self._track, self._found
        last = len(window) - _LONGEST_HEAD
        stamp, place, length = found.stamps.append, found.places.append, found.sizes.append
        flag, forms = self._flags.append, _FORMS
        offset, stop = at - base, end - base
        while offset < stop:
            if offset > last:
                if len(found.sizes) > self._most:
                    raise _OddError
                self._load(base + offset)
                window, base, offset, stop = self._window, self._base, 0, end - self._base
                last = len(window) - _LONGEST_HEAD
            if window[offset] != _SIMPLE_BLOCK:
                offset = self._pass_other(base + offset) - base
                continue
            unpack, full, head = forms[window[offset + 1]]
            size, number, since, flags = unpack(window, offset)
            size &= full
            offset += head
            if number == track:
                stamp(now + since)
                place(base + offset)
                length(size - _BLOCK_HEAD)
                flag(flags)
            else:
                self._pass_block(number, size, flags)
            if size == full:  # unknown
                raise _OddError
            offset += size
        if offset != stop:
            raise _OddError

"""Neighbouring members of a tar that share a name but for their extension, and their bytes when they are read.

The listing of a plain tar is copied as lines, so that a slice is a range of groups and reads only its own
bytes; a compressed tar is one slice, unpacked from the start in bounded memory.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from vita_data import files
from vita_data.errors import RecordError, SourceError
from vita_data.media.containers import tars
from vita_data.media.containers.compressed import walk_compressed
from vita_data.media.containers.entry import MAGIC, CutError, Entry, Way
from vita_data.media.containers.names import is_litter
from vita_data.sources import jsonfiles, jsonvalues
from vita_data.sources.base import Slice, Split, worker_died
from vita_data.sources.copies import Copies

MEMBER_BYTES = 64 << 20
GROUP_BYTES = 128 << 20


@dataclass
class Group:
    """The members of one key by their extensions, in order; `refused` says why their bytes are not there."""

    key: str
    names: dict[str, str] = field(default_factory=dict)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)  # offset and length in a plain tar
    data: dict[str, bytes] = field(default_factory=dict)
    size: int = 0
    refused: RecordError | None = None

    def refuse(self, error: RecordError) -> None:
        """Keeps the first reason and drops the bytes."""
        self.refused = self.refused or error
        self.data.clear()


def split(
    root: str, annotation: str, scratch: str, wanted: frozenset[str], first_dot: bool, keep_cut: bool
) -> Split:
    """Lists the groups of a tar; raises SourceError for what is no tar, and for a cut one unless it is kept."""
    path = files.join(root, annotation)
    copies, count, text_bytes = Copies(annotation, scratch), 0, 0
    packed = _is_compressed(path)
    words = None
    try:
        for group in _groups(_members(path), wanted, first_dot):
            count += 1
            text_bytes += sum(
                length for extension, (_, length) in group.places.items() if extension in ("txt", "json")
            )
            if not packed:
                copies.add(_line(group), media_bytes=group.size)
    except CutError as error:
        words = str(error)
        if not keep_cut:
            raise SourceError(
                f"{path} is cut or damaged after sample {count} or is no tar; fetch it again, or set `on_cut: keep` "
                f"in its card to go on with what is readable ({words})."
            ) from error
    if not packed:
        if words is not None:
            copies.fault(RecordError("annotation_cut", "the tar is cut or damaged here."))
        return copies.split(jsonvalues.digest(path), text_bytes)
    size = files.identity(path)["size"]
    slices = [Slice(annotation, path, 0, size, 0)] if count else []
    if words is not None:
        slices.append(Slice(annotation, path, size, size, count))
    return Split(slices, jsonvalues.digest(path), text_bytes, count + (words is not None))


def read(
    root: str, part: Slice, wanted: frozenset[str], first_dot: bool
) -> Iterator[tuple[int, Group | RecordError]]:
    """Yields (position, group) with the bytes of its wanted members, or an error in its place."""
    path = files.join(root, part.annotation)
    if part.path == path:
        yield from _read_compressed(part, wanted, first_dot)
        return
    with files.open_read(path) as stream:
        for position, line in jsonfiles.read_lines(part):
            if isinstance(line, RecordError):
                yield position, line
                continue
            group = Group(line["key"], line["names"], line["places"])
            if line["refused"] is not None:
                group.refuse(RecordError(*line["refused"]))
            else:
                _fill(group, stream, path)
            yield position, group


def _read_compressed(
    part: Slice, wanted: frozenset[str], first_dot: bool
) -> Iterator[tuple[int, Group | RecordError]]:
    if part.start == part.stop:
        yield part.first, RecordError("annotation_cut", "the tar is cut or damaged here.")
        return
    position = part.first
    try:
        for group in _groups(_members(part.path), wanted, first_dot):
            yield position, worker_died() if position in part.aside else group
            position += 1
    except CutError:
        return  # the split has said so, and has a place for it


def _fill(group: Group, stream: IO[bytes], path: str) -> None:
    for extension, (offset, length) in group.places.items():
        stream.seek(offset)
        group.data[extension] = stream.read(length)
        if len(group.data[extension]) != length:
            raise SourceError(f"{path} ends before byte {offset + length}; it changed since it was split.")


def _line(group: Group) -> dict[str, object]:
    refused = group.refused
    return {
        "key": group.key,
        "names": group.names,
        "places": group.places,
        "refused": None if refused is None else [refused.rule, str(refused)],
    }


def _is_compressed(path: str) -> bool:
    with files.open_read(path) as stream:
        return stream.read(8).startswith(tuple(MAGIC))


def _members(path: str) -> Iterator[tuple[Entry, bytes | None]]:
    """The members in order; with their bytes where those cannot be fetched again, as in a compressed tar."""
    if _is_compressed(path):
        yield from walk_compressed(path, MEMBER_BYTES)
        return
    with files.open_read(path) as stream:
        for entry in tars.walk(stream, path, files.identity(path)["size"]):
            yield entry, None


def _groups(
    members: Iterator[tuple[Entry, bytes | None]], wanted: frozenset[str], first_dot: bool
) -> Iterator[Group]:
    """Puts neighbours of one key together; a second member of one extension begins another group."""
    group: Group | None = None
    for entry, data in members:
        name = entry.name
        if name is not None and is_litter(name):
            continue
        key, extension = ("", "") if name is None else _parts(name, first_dot)
        if group is None or key != group.key or extension in group.names or name is None:
            if group is not None:
                yield group
            group = Group(key)
        _take(group, entry, extension, data, wanted)
    if group is not None:
        yield group


def _take(group: Group, entry: Entry, extension: str, data: bytes | None, wanted: frozenset[str]) -> None:
    group.names[extension] = entry.name or ""
    if entry.name is None:
        group.refuse(RecordError("not_utf8", "the member's name is not UTF-8."))
        return
    if extension not in wanted:
        return
    group.size += entry.length
    if entry.way == Way.TOO_LARGE or entry.length > MEMBER_BYTES or group.size > GROUP_BYTES:
        group.refuse(
            RecordError(
                "media_too_large", f"{entry.name} has {entry.length} bytes.", entry.length, MEMBER_BYTES
            )
        )
    elif entry.way != Way.PLAIN:
        group.refuse(RecordError("media_unreadable", f"{entry.name} is a link or no plain file.", entry.name))
    elif group.refused is None:
        group.places[extension] = (entry.offset, entry.length)
        if data is not None:
            group.data[extension] = data


def _parts(name: str, first_dot: bool) -> tuple[str, str]:
    """What the members of a sample have in common, and the extension in lower case."""
    folder, file = posixpath.split(name)
    stem, dot, extension = file.partition(".") if first_dot else file.rpartition(".")
    if not dot:
        stem, extension = file, ""
    return posixpath.join(folder, stem), extension.lower()

"""A member of an archive: where its bytes lie, and why it is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vita_data import files
from vita_data.errors import RecordError
from vita_data.media.containers.entry import REFUSED
from vita_data.media.containers.index import Hit
from vita_data.media.containers.parts import Part
from vita_data.media.containers.window import block_of
from vita_data.records.places import Place


@dataclass(frozen=True)
class Archive:
    """The files that hold a member's bytes, mostly one, with the places that catalogs name them by.

    A place is `root:` or `catalog:` and a path below the one or the other. `name` is the archive as its publisher
    gave it, which is another file where members were copied out.
    """

    name: str
    places: Sequence[str]
    parts: Sequence[Part]

    @property
    def bytes(self) -> int:
        """Bytes of the archive."""
        return sum(part.bytes for part in self.parts)


@dataclass(frozen=True)
class Member:
    """A medium in an archive: `length` bytes at `offset`, `size` once inflated."""

    archive: Archive
    place: Place
    hit: Hit

    @property
    def name(self) -> str:
        """The part of its name that counts in its place."""
        return self.hit.name

    @property
    def block(self) -> int:
        """The bytes that are read of it at a time."""
        return block_of(self.archive.parts[0].path)

    def check(self, limit: int) -> None:
        """Raises RecordError when its bytes cannot be had, or are more than `limit`."""
        if self.hit.way in REFUSED:
            raise self.unreadable(REFUSED[self.hit.way])
        largest = max(self.hit.size, self.hit.length)
        if largest > limit:
            raise RecordError("media_too_large", f"{self.name} has {largest} bytes.", largest, limit)

    def unreadable(self, what: str) -> RecordError:
        """The reject that says what is wrong with it."""
        return RecordError("media_unreadable", f"{self.name} in {self.archive.name} {what}.", self.name)


def archive_at(name: str, found: list[tuple[str, int]], root: str, folder: str) -> Archive:
    """The archive of this name whose files have these places and sizes."""
    parts = [Part(_path(place, root, folder), size) for place, size in found]
    return Archive(name, [place for place, _ in found], parts)


def _path(place: str, root: str, folder: str) -> str:
    base, _, rest = place.partition(":")
    return files.join(root if base == "root" else folder, rest)

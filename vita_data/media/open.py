"""Opening a medium by the name an annotation gives it: embedded, in an archive, or a file below the root.

The exact name is looked for in the archives and then in the folder; after that the card's fallbacks are
tried in both, another case before another extension as the card orders them.
"""

from __future__ import annotations

import io
import os
import posixpath
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, Protocol

from vita_data import files
from vita_data.errors import RecordError
from vita_data.media.containers.names import fold, other_extensions
from vita_data.media.member import Member
from vita_data.media.members import Members
from vita_data.media.resolve import file_of, relative_name, resolve, unreadable


class Opened(Protocol):
    """A medium that was found; its bytes are touched when they are asked for."""

    @property
    def place(self) -> tuple[str, int, int] | None:
        """(path as catalogs name files, offset, length) where the bytes lie as they are."""

    def read(self) -> bytes:
        """All bytes; raises RecordError media_too_large or media_unreadable."""

    def stream(self) -> AbstractContextManager[IO[bytes]]:
        """A seekable file, for media that are not read as a whole; the same errors."""


@dataclass(frozen=True)
class Embedded:
    """A medium whose bytes stand in its record."""

    data: bytes
    place = None

    def read(self) -> bytes:
        """The bytes."""
        return self.data

    def stream(self) -> AbstractContextManager[IO[bytes]]:
        """The bytes as a file."""
        return io.BytesIO(self.data)


@dataclass(frozen=True)
class _InFolder:
    path: str
    name: str
    limit: int
    place: tuple[str, int, int]

    def read(self) -> bytes:
        with self.stream() as stream:
            return stream.read()

    def stream(self) -> AbstractContextManager[IO[bytes]]:
        return file_of(self.path, self.name, self.limit)


@dataclass(frozen=True)
class _InArchive:
    members: Members
    member: Member
    limit: int

    @property
    def place(self) -> tuple[str, int, int] | None:
        return self.members.locate(self.member)

    def read(self) -> bytes:
        return self.members.read(self.member, self.limit)

    def stream(self) -> AbstractContextManager[IO[bytes]]:
        return self.members.stream(self.member, self.limit)


class MediaFinder:
    """Finds the media of a source below its root and in the archives that its card names."""

    def __init__(self, root: str, members: Members | None = None, fallback: tuple[str, ...] = ()) -> None:
        self._root = root
        self._members = members
        self._fallback = fallback

    def open(self, name: str, kind: str, limit: int) -> Opened:
        """The medium of that name; raises RecordError media_missing, media_too_large, path_outside_root and others."""
        found = self._in_archives(name, kind, limit, exact=True) or self._in_folder(name, limit)
        if found is None and self._fallback:
            found = self._in_archives(name, kind, limit, exact=False)
            found = found or next(
                filter(None, (self._in_folder(n, limit) for n in self._others(name, kind))), None
            )
        if found is None:
            raise RecordError("media_missing", f"{name} is not there.", name)
        return found

    def _in_archives(self, name: str, kind: str, limit: int, exact: bool) -> Opened | None:
        member = self._members.find(name, kind, exact) if self._members is not None else None
        if member is None or self._members is None:
            return None
        return _InArchive(self._members, member, limit)

    def _in_folder(self, name: str, limit: int) -> Opened | None:
        path = resolve(self._root, name)
        try:
            size = files.identity(path)["size"]
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise unreadable(name, error) from error
        return _InFolder(path, name, limit, (f"root:{relative_name(name)}", 0, size))

    def _others(self, name: str, kind: str) -> Iterator[str]:
        clean = relative_name(name)
        for fallback in self._fallback:
            if fallback == "case":
                yield from _in_another_case(self._root, clean)
            else:
                for other in other_extensions(clean, kind):
                    yield other
                    if "case" in self._fallback:
                        yield from _in_another_case(self._root, other)


def _in_another_case(root: str, name: str) -> Iterator[str]:
    if files.is_url(root):
        return
    folder, _, base = name.rpartition("/")
    found = _names(posixpath.join(root, folder)).get(fold(base))
    if found is not None and found != base:
        yield posixpath.join(folder, found)


@lru_cache(maxsize=16)
def _names(folder: str) -> dict[str, str]:
    """The files of a folder by their folded names; of two that differ in case only, the first in order."""
    try:
        return {fold(name): name for name in sorted(os.listdir(folder), reverse=True)}
    except OSError:
        return {}

"""What an adapter is: it splits an annotation file into slices and reads a slice as native records.

An adapter knows one format and nothing else: no media are opened, no rule is applied, nothing is kept.
A user's own adapter is a class with the same two methods, named `package.module:Class` in a card.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from vita_data.errors import RecordError


@dataclass(frozen=True)
class Slice:
    """A part of an annotation file that one worker reads: bytes, lines or row groups from `start` to `stop`."""

    annotation: str  # relative to the source's root, as keys name it
    path: str  # the file to open: the annotation itself, or a copy of a part of it made for splitting
    start: int
    stop: int
    first: int  # position of the slice's first record in the annotation
    aside: tuple[
        int, ...
    ] = ()  # positions whose reading ended a worker twice: yielded as faults, never touched


@dataclass(frozen=True)
class Split:
    """An annotation file as slices, with its digest and a guess at how many bytes of text it holds."""

    slices: list[Slice]
    sha256: str
    text_bytes: int
    records: int  # about how many there are, for showing progress


@dataclass(frozen=True)
class Picture:
    """An image of a record: its name in the annotation, and its bytes where they are embedded."""

    name: str
    data: bytes | None = None


@dataclass(frozen=True)
class Native:
    """One record of a native file: turns as {from, value} with native roles, and its pictures in order."""

    position: int
    native_id: str | None  # as JSON text
    turns: list[dict[str, Any]]
    images: list[Picture] = field(default_factory=list)


@dataclass(frozen=True)
class Fault:
    """A place in a native file where no usable record could be read, and why."""

    position: int
    error: RecordError
    native_id: str | None = None


class Adapter(Protocol):
    """One native format."""

    def split(self, root: str, annotation: str, scratch: str) -> Split:
        """Reads an annotation file once and names its slices; may write copies of parts below `scratch`."""

    def read(self, root: str, part: Slice) -> Iterator[Native | Fault]:
        """Yields the records of a slice in order, and a fault for what could not be read or is put aside."""


def worker_died() -> RecordError:
    """What a record is refused with whose reading ended the process twice, as a decoder's crash does."""
    return RecordError("worker_died", "reading this record ended the worker twice.")

"""What an adapter is: it splits an annotation file into slices and reads a slice as native records.

An adapter knows one format and nothing else: no media are opened, no rule is applied, nothing is kept.
A user's own adapter is a class with the same two methods, named `package.module:Class` in a card.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

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


MediumKind = Literal["image", "video", "audio"]


@dataclass(frozen=True)
class Medium:
    """A picture, film or sound of a record: its name in the annotation, and its bytes where they are embedded.

    `start` and `end` in seconds, counted from the file's first frame or sample, say which part is meant.
    """

    kind: MediumKind
    name: str
    data: bytes | None = None
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True)
class Native:
    """One record of a native file: turns as {from, value} with native roles, and its media.

    Media of one kind stand in the order of their placeholders. `speaker` is whose voice is heard, as the
    corpus names it; `language` is given where a corpus says it of each record; `inserted_id` is the number
    of an answer to sound that was not meant for the model (VITA's own format). `split` is the publisher's own
    name of the split or subset that the record comes from; None where nothing tells.
    """

    position: int
    native_id: str | None  # as JSON text
    turns: list[dict[str, Any]]
    media: list[Medium] = field(default_factory=list)
    speaker: str | None = None
    language: str | None = None
    inserted_id: int | None = None
    split: str | None = None


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


def no_prompts(prompts: tuple[str, ...]) -> tuple[str, str] | None:
    """The complaint of options that ask by one of several prompts, when there is none."""
    return None if prompts else ("prompts", "prompts is an empty list; write at least one, or leave it out")


def transcript(
    position: int,
    native_id: str | None,
    text: str,
    sound: Medium,
    speaker: str | None = None,
    language: str | None = None,
    split: str | None = None,
) -> Native:
    """The record of a sound with what is said in it, as every speech corpus gives it: heard, then written."""
    turns = [{"from": "human", "value": "<audio>"}, {"from": "gpt", "value": text}]
    return Native(position, native_id, turns, [sound], speaker, language, split=split)

"""The media of one record, opened once: what is stored of each, where it lies, and what was measured.

Pictures that are fine as they are stay where they lie. What is dear to derive or cannot be addressed goes
into the tar of the batch: converted or embedded pictures, the frames of films, sounds cut and resampled.
Pictures come first, then the frames of films, then sounds, each kind in the order of its placeholders.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, Self, cast

from vita_data.catalog.task import IMAGE_PIXELS, MEDIUM_BYTES, CatalogTask
from vita_data.curate.structure import MARKS, Turns
from vita_data.errors import RecordError
from vita_data.media.film import FrameRule
from vita_data.media.image import examine_image
from vita_data.media.members import Members
from vita_data.media.open import Embedded, MediaFinder, Opened
from vita_data.records.places import MediaPlaces, Place
from vita_data.sources.base import Medium

if TYPE_CHECKING:
    from vita_data.media.audio import LongSound

FILM_BYTES = 64 << 30  # of a film or a sound file, which is read in blocks; more is none


class Tar(Protocol):
    """Where derived media go."""

    name: str

    def add(self, name: str, data: bytes) -> int:
        """Puts bytes under a member name; returns where they begin."""


class MediaReader:
    """Opens the media of the records of a batch of slices, and puts what is derived into its tar."""

    def __init__(self, task: CatalogTask, tar: Tar) -> None:
        self._task = task
        self._tar = tar
        self._members = Members(task.archives, task.root, task.folder) if task.archives else None
        self._places = MediaPlaces(
            **{**task.media, "places": tuple(Place(**p) for p in task.media["places"])}
        )
        self._finder = MediaFinder(task.root, self._members, self._places.fallback)
        self._rule = FrameRule(**task.frames)
        self._long: tuple[str, LongSound] | None = None
        self._file = ExitStack()  # of that sound
        self._prefix = ""
        self._added = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._let_go()
        if self._members is not None:
            self._members.close()

    def rows_or_text(
        self, position: int, media: list[Medium], turns: Turns
    ) -> tuple[list[dict[str, Any]], Turns]:
        """The MEDIUM rows of a record with its turns; raises RecordError for a medium that cannot be used.

        Where the card says `missing: keep-text` and no medium of the record is there, it goes on as text.
        """
        try:
            return self._rows(position, media), turns
        except RecordError as error:
            if (
                error.rule != "media_missing"
                or self._places.missing != "keep-text"
                or not self._none_is_there(media)
            ):
                raise
            return [], [{**turn, "value": _without_marks(turn["value"])} for turn in turns]

    def _none_is_there(self, media: list[Medium]) -> bool:
        for medium in media:
            try:
                self._open(medium, FILM_BYTES)
                return False
            except RecordError as error:
                if error.rule != "media_missing":
                    return False
        return True

    def _rows(self, position: int, media: list[Medium]) -> list[dict[str, Any]]:
        self._prefix, self._added = str(position), 0
        rows: list[dict[str, Any]] = []
        for kind, read in (("image", self._image), ("video", self._film), ("audio", self._sound)):
            for number, medium in enumerate(medium for medium in media if medium.kind == kind):
                rows += [{"part_of": number, "native": printable(medium.name), **row} for row in read(medium)]
        return rows

    def _open(self, medium: Medium, limit: int) -> Opened:
        if medium.data is not None:
            return Embedded(medium.data)
        return self._finder.open(medium.name, medium.kind, limit)

    def _image(self, medium: Medium) -> Iterator[dict[str, Any]]:
        opened = self._open(medium, MEDIUM_BYTES)
        facts = examine_image(opened.read(), IMAGE_PIXELS)
        where = opened.place if facts.converted is None else None
        row = self._row("image", facts.data, facts.content, facts.extension, where)
        yield row | {"width": facts.width, "height": facts.height}

    def _film(self, medium: Medium) -> Iterator[dict[str, Any]]:
        from vita_data.media.video import (
            read_frames,
        )  # decoders are loaded where there is something to decode

        with self._open(medium, FILM_BYTES).stream() as stream:
            film = read_frames(cast(BinaryIO, stream), self._rule, medium.start, medium.end)
        for frame in film.frames:
            row = self._row("video-frame", frame.data, film.content, "jpg")
            yield row | {"width": frame.width, "height": frame.height, "time": frame.time}

    def _sound(self, medium: Medium) -> Iterator[dict[str, Any]]:
        bounds = self._task.seconds
        sound = self._long_sound(medium).cut(
            self._task.sound_rate,
            medium.start,
            medium.end,
            least_seconds=bounds["least"],
            most_seconds=bounds["most"],
        )
        yield self._row("audio", sound.flac, sound.content, "flac") | {
            "samples": sound.samples,
            "rate": sound.rate,
        }

    def _long_sound(self, medium: Medium) -> LongSound:
        """The open file of a sound, kept while one record after the other is a part of the same."""
        from vita_data.media.audio import LongSound

        if medium.data is None and self._long is not None and self._long[0] == medium.name:
            return self._long[1]
        self._let_go()
        stream = self._file.enter_context(self._open(medium, FILM_BYTES).stream())
        sound = LongSound(stream, medium.name)
        self._long = (medium.name if medium.data is None else "", sound)
        return sound

    def _let_go(self) -> None:
        if self._long is not None:
            self._long[1].close()
            self._long = None
        self._file.close()

    def _row(
        self,
        kind: str,
        data: bytes,
        content: bytes,
        extension: str,
        where: tuple[str, int, int] | None = None,
    ) -> dict[str, Any]:
        """What every medium has; one without a place of its own is put into the tar."""
        if where is None:
            offset = self._tar.add(f"{self._prefix}.{self._added}.{extension}", data)
            where = (f"catalog:{self._tar.name}", offset, len(data))
            self._added += 1
        path, offset, length = where
        digest = hashlib.sha256(data).digest()
        facts = {"kind": kind, "path": path, "offset": offset, "length": length, "sha256": digest}
        return {**facts, "content": content, "extension": extension}


def printable(text: str | None) -> str | None:
    """A text as it can stand in a table: valid UTF-8, and not without end."""
    return None if text is None else text.encode("utf-8", "replace").decode("utf-8")[:500]


def _without_marks(value: str) -> str:
    for mark in MARKS.values():
        value = value.replace(mark, "")
    return value.strip()

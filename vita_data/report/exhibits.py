"""The media of samples and rejects as a page can show them: pictures and frames small, sounds as short clips."""

from __future__ import annotations

import posixpath
from typing import Any

from vita_data import files
from vita_data.catalog.task import medium_path
from vita_data.errors import RecordError, SourceError
from vita_data.media.containers.names import EXTENSIONS
from vita_data.report.catalogued import Catalogued
from vita_data.report.clips import Tape, unheard
from vita_data.report.formats import count
from vita_data.report.markup import Html, join, tag
from vita_data.report.rules import reason_of
from vita_data.report.thumbnails import MOST_BYTES, Album, placeholder
from vita_data.report.traces import Traces

CLIPS = 1  # of a sample


class Exhibits:
    """Shows media within the bounds of one album and one tape, which a section of the page has to itself."""

    def __init__(self, traces: Traces, album: Album, tape: Tape) -> None:
        self._traces = traces
        self._album = album
        self._tape = tape

    def of_sample(self, sample: Catalogued, most: int, at: float = 0.0) -> Html | None:
        """The first `most` pictures or frames of a catalogued sample, and its first sound; None where it has neither.

        The sound is heard from its second `at` where it is the only one.
        """
        sights = [medium for medium in sample.media if medium["kind"] != "audio"]
        sounds = [medium for medium in sample.media if medium["kind"] == "audio"]
        pictures = [self._sight(sample, medium, n) for n, medium in enumerate(sights[:most], start=1)]
        start = at if len(sounds) == 1 else 0.0
        clips = [self._sound(sample, medium, start) for medium in sounds[:CLIPS]]
        return _strips(pictures, len(sights), clips, len(sounds))

    def of_names(self, source: str, names: list[str], most: int, absent: str | None = None) -> Html | None:
        """The same by the names that a record gives its media, looked for in its source's folder.

        `absent` says why there may be no such file, where that is no surprise. A film is not opened.
        """
        root = self._traces.roots.get(source)
        kinds = [_kind(name) for name in names]
        sights = [name for name, kind in zip(names, kinds, strict=True) if kind == "image"]
        sounds = [name for name, kind in zip(names, kinds, strict=True) if kind == "audio"]
        pictures = [self._album.file(root, name, f"{name} of {source}", absent) for name in sights[:most]]
        clips = [clip for name in sounds[:CLIPS] if (clip := self._tape.file(root, name)) is not None]
        return _strips(pictures, len(sights), clips, len(sounds))

    def _sight(self, sample: Catalogued, medium: dict[str, Any], number: int) -> Html:
        what = "Frame" if medium["kind"] == "video-frame" else "Picture"
        try:
            return self._album.picture(self._bytes(sample, medium), f"{what} {number} of sample {sample.key}")
        except RecordError as error:
            return placeholder(reason_of(error.rule).title)

    def _sound(self, sample: Catalogued, medium: dict[str, Any], start: float) -> Html:
        try:
            return self._tape.clip(self._bytes(sample, medium), medium["native"] or sample.key, start)
        except RecordError as error:
            return unheard(reason_of(error.rule).title)

    def _bytes(self, sample: Catalogued, medium: dict[str, Any]) -> bytes:
        """The stored bytes of a medium; RecordError media_too_large, or medium_changed where they are not there."""
        name, source = medium["native"], self._traces.sources[sample.source]
        if medium["length"] > MOST_BYTES:
            raise RecordError("media_too_large", f"{name} has {medium['length']} bytes.")
        path = medium_path(medium["path"], source.root or "", source.catalog)
        reader = files.RangeReader(1)
        try:
            return reader.read(path, medium["offset"], medium["length"])
        except (OSError, SourceError) as error:
            raise RecordError("medium_changed", f"{name} is not there any more.") from error
        finally:
            reader.close()


def _kind(name: str) -> str:
    """What a file is by its name; a picture unless that is the name of something else."""
    extension = posixpath.splitext(name)[1].lower()
    return next((kind for kind, some in EXTENSIONS.items() if extension in some), "image")


def _strips(pictures: list[Html], sights: int, clips: list[Html], sounds: int) -> Html | None:
    """Pictures beside each other and clips below them, each with how many there are beyond those; None without any."""
    rows = [
        tag("div", *shown, tag("small", f"and {count(more)} more") if more else None, class_=kind)
        for shown, more, kind in (
            (pictures, sights - len(pictures), "pictures"),
            (clips, sounds - len(clips), "clips"),
        )
        if shown
    ]
    return join(rows) if rows else None

"""What guessing works with: rows as they were sampled, and what they may be."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from vita_data.media.containers.names import EXTENSIONS
from vita_data.sources.below import Below

_PADDED = re.compile(r"(.*?)(\d{6,})")


@dataclass(frozen=True)
class Shape:
    """A way to read a file: an adapter with options, and what it was guessed from."""

    adapter: str
    options: dict[str, Any]
    why: str
    speech: str | None = None  # asr or tts where the layout says it


@dataclass(frozen=True)
class Rows:
    """Some rows of a file as objects, in one form of file.

    `form` is array, lines, items (a list at `items_path` of an object), keyed (an object of rows), table or
    parquet. `cells` are the columns of a parquet file that hold media, by their kinds; `table` are options.
    """

    values: list[dict[str, Any]]
    form: str
    below: Below
    items_path: str = ""
    cells: dict[str, str] = field(default_factory=dict)
    table: dict[str, Any] = field(default_factory=dict)

    def templates(self, named: dict[str, Any]) -> Iterator[dict[str, str]]:
        """Ways in which rows may name their media besides a plain file name: by an id, or in a folder of their id."""
        if any(kind in named for kind in EXTENSIONS):
            yield {}
        for key in ("image", "video", "audio"):
            if self.form == "keyed" and key in self.values[0]:
                if "split" in self.values[0]:
                    yield {key: f"{{split}}/{{id}}/{{{key}}}"}
                yield {key: f"{{id}}/{{{key}}}"}
        if any(kind in named for kind in EXTENSIONS):
            return
        yield from self._by_ids()
        yield {}

    def _by_ids(self) -> Iterator[dict[str, str]]:
        """Templates of files whose names hold an id, as `{video_id}.mp4` or COCO's zero-padded numbers."""
        for key, value in self.values[0].items():
            if isinstance(value, bool) or not isinstance(value, (str, int)) or not str(value).strip():
                continue
            for name in self._files_of(value):
                kind = kind_of(name)
                stem, extension = posixpath.splitext(name)
                if kind is None:
                    continue
                if isinstance(value, str) and stem.endswith(value):
                    yield {kind: f"{stem.removesuffix(value)}{{{key}}}{extension}"}
                elif isinstance(value, int) and (padded := _PADDED.fullmatch(stem)):
                    yield {kind: f"{padded[1]}{{{key}:0{len(padded[2])}}}{extension}"}

    def _files_of(self, value: str | int) -> list[str]:
        if isinstance(value, str):
            found = self.below.find(value) if "/" not in value and len(value) < 200 else None
            return [found[1]] if found is not None and not found[0] else []
        return [
            name
            for name in self.below.names
            if (padded := _PADDED.fullmatch(posixpath.splitext(posixpath.basename(name))[0]))
            and int(padded[2]) == value
        ][:4]


def kind_of(name: str) -> str | None:
    """image, video or audio by the extension of a name."""
    extension = posixpath.splitext(name)[1].lower()
    return next((kind for kind, known in EXTENSIONS.items() if extension in known), None)

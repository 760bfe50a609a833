"""A benchmark card: where one evaluation set lies, how it is read, and what of it may not be trained on."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from vita_data import files
from vita_data.manifest.nodes import Options
from vita_data.manifest.source import Row, Seconds, SourceCard, adapter_complaint
from vita_data.manifest.values import Name, Text
from vita_data.records.places import MediaPlaces

Kind = Literal["image", "video", "text", "speech"]
_ROWS: dict[str, tuple[Any, Any]] = {
    "image": ("General Image", "QA"),
    "video": ("General Video", "QA"),
    "text": ("Pure Text", "QA"),
    "speech": ("Speech", "ASR"),
}
# A leak counts whatever its length, so nothing of a benchmark is left out for being short or long.
_ANY_LENGTH = Seconds(0.01, 3600.0)


@dataclass(frozen=True)
class Guard:
    """The samples of a training source that are this benchmark itself: by their split, or by their native id.

    `splits` are the publisher's names, in any case; `ids` is a regular expression for the whole id.
    """

    source: Name
    splits: tuple[Text, ...] = ()
    ids: Text | None = None

    def complaint(self) -> tuple[str, str] | None:
        """What the keys do not show one by one."""
        if not self.splits and self.ids is None:
            return (
                "source",
                f"the guard of {self.source} guards nothing; add `splits:` with names, or `ids:` with a pattern",
            )
        try:
            re.compile(self.ids or "")
        except re.error as error:
            return "ids", f"ids is no regular expression ({error}); mend it"
        return None

    def holds(self, split: str | None, native_id: str | None) -> bool:
        """Whether a sample of the source is the benchmark's; the native id is JSON text, as catalogs have it."""
        if split is not None and split.casefold() in {name.casefold() for name in self.splits}:
            return True
        if self.ids is None or native_id is None:
            return False
        said = json.loads(native_id)
        return re.fullmatch(self.ids, said if isinstance(said, str) else native_id) is not None


@dataclass(frozen=True)
class BenchmarkCard:
    """One evaluation set in its publisher's format; `manifests/README.md` explains the keys.

    `root`, `annotations`, `options` and `media` are those of a source card. `picture_alone`: a training sample
    with a picture (or the frames of a film) of the benchmark leaves even when it asks something else.
    """

    benchmark: Name
    title: Text
    kind: Kind
    language: Literal["en", "zh", "en-zh"]
    licence: Text
    get: Text
    root: Text
    adapter: Annotated[str, adapter_complaint]
    annotations: tuple[Text, ...]
    options: Options
    path: Path
    origin: Literal["package", "file"]
    revision: Text | None = None
    media: MediaPlaces = field(default_factory=MediaPlaces)
    case: Literal["as_written", "upper"] = "as_written"
    known: tuple[Text, ...] = ()
    picture_alone: bool = False
    guards: tuple[Guard, ...] = ()

    def complaint(self) -> tuple[str, str] | None:
        """What the keys do not show one by one."""
        if not self.annotations:
            return (
                "annotations",
                "annotations is an empty list; name the file or files that hold the questions",
            )
        if self.picture_alone and self.kind in ("text", "speech"):
            return (
                "picture_alone",
                f"a benchmark of kind {self.kind} has no pictures; remove picture_alone",
            )
        return None

    def guards_of(self, source: str) -> tuple[Guard, ...]:
        """What of a training source is this benchmark."""
        return tuple(guard for guard in self.guards if guard.source == source)

    def as_source(self, root: str | None = None) -> SourceCard:
        """The benchmark as a source that the catalog pass reads: nothing that is broken stops it.

        Archives that do not lie below `root`, where that is given, are left out: questions can be looked for without
        their films. The source is called like the benchmark, so its catalog belongs in a folder of its own.
        """
        places = self.media.places
        if root is not None:
            places = tuple(place for place in places if files.matching(root, place.inside))
        scenario, kind = _ROWS[self.kind]
        return SourceCard(
            source=self.benchmark,
            title=self.title,
            row=Row(scenario, kind, self.benchmark),
            language=self.language,
            licence=self.licence,
            released=True,
            get=self.get,
            root=self.root,
            adapter=self.adapter,
            annotations=self.annotations,
            options=self.options,
            path=self.path,
            origin=self.origin,
            revision=self.revision,
            known=self.known,
            tolerance=Fraction(1),
            media=replace(self.media, places=places),
            seconds=_ANY_LENGTH,
            case=self.case,
        )

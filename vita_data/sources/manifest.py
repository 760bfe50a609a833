"""Manifests of utterances: NeMo, Emilia, WeNet raw lists, FunASR, SpeechBrain, Common Voice, and lhotse's.

They say the same under other names, which dialects.py knows; lhotse's cuts are in lhotse_cuts.py.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from vita_data import files
from vita_data.errors import RecordError
from vita_data.sources import (
    dialects,
    headed_tables,
    jsonfiles,
    jsonvalues,
    lhotse_cuts,
    split_names,
    utterance,
)
from vita_data.sources.base import Fault, Medium, Native, Slice, Split, transcript
from vita_data.sources.dialects import DIALECTS, Dialect, first

Name = Literal["nemo", "lhotse", "commonvoice", "emilia", "wenet", "funasr", "speechbrain"]


@dataclass(frozen=True)
class ManifestOptions:
    """Options of `adapter: manifest`.

    `keys` gives a field of the dialect another key (`{text: text_punc}`). `strip_prefix` is cut from paths,
    and `path_prefix` is where they begin below the root instead of the dialect's own place. `recordings`
    belongs to lhotse's supervisions: the file beside them that names the recordings.
    """

    dialect: Name
    keys: dict[str, str] = field(default_factory=dict)
    strip_prefix: str = ""
    path_prefix: str | None = None
    splits: tuple[str, ...] = ()
    recordings: str | None = None
    on_cut: Literal["error", "keep"] = "error"

    def complaint(self) -> tuple[str, str] | None:
        """What the keys do not show one by one."""
        known = [name for name in Dialect.__dataclass_fields__ if name != "below"]
        for name in self.keys:
            if name not in known or self.dialect == "lhotse":
                fields = "none for lhotse" if self.dialect == "lhotse" else ", ".join(known)
                return (
                    f"keys.{name}",
                    f"keys names {name}; the fields that can have another key are: {fields}",
                )
        return None


class Manifest:
    """Reads a manifest's utterances as records."""

    def __init__(self, options: ManifestOptions) -> None:
        self._options = options
        base = DIALECTS.get(options.dialect, DIALECTS["nemo"])
        renamed: dict[str, Any] = {name: (key,) for name, key in options.keys.items()}
        self._dialect = replace(base, **renamed)

    def split(self, root: str, annotation: str, scratch: str) -> Split:
        """Slices lines where they lie; what is compressed, or one document, or joined, is copied first."""
        options, path = self._options, files.join(root, annotation)
        keep = options.on_cut == "keep"
        if options.dialect == "lhotse":
            return lhotse_cuts.split(root, annotation, scratch, options.recordings, keep)
        if delimiter := self._delimiter(annotation):
            headed_tables.header(path, delimiter, self._needed)
            return jsonfiles.split_lines(path, annotation)
        if annotation.endswith(".gz"):
            return jsonvalues.copied(path, annotation, scratch, keep)
        if options.dialect == "speechbrain" and annotation.endswith(".json"):
            return jsonfiles.split_document(path, annotation, scratch, keyed=True, keep_cut=keep)
        return jsonfiles.split_lines(path, annotation)

    def read(self, root: str, part: Slice) -> Iterator[Native | Fault]:
        """Yields one native record an utterance."""
        for position, value in self._values(root, part):
            if isinstance(value, RecordError):
                yield Fault(position, value)
                continue
            native_id = None
            try:
                if not isinstance(value, dict):
                    raise RecordError(
                        "not_a_record", f"the row is a {type(value).__name__} and not an object."
                    )
                if self._options.dialect == "lhotse":
                    native_id = utterance.id_text(value.get("id"))
                    place = self._place(part.annotation, None)
                    split = split_names.split_of(part.annotation)
                    yield lhotse_cuts.record(position, native_id, value, place, split)
                else:
                    native_id = dialects.native_id(value, self._dialect)
                    yield self._record(position, native_id, value, part.annotation)
            except RecordError as error:
                yield Fault(position, error, native_id)
            except RecursionError:
                yield Fault(position, RecordError("not_json", jsonfiles.TOO_DEEP))

    @property
    def _needed(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return self._dialect.path, self._dialect.text

    def _values(self, root: str, part: Slice) -> Iterator[tuple[int, Any]]:
        if delimiter := self._delimiter(part.annotation):
            names = headed_tables.header(files.join(root, part.annotation), delimiter, self._needed)
            yield from headed_tables.rows(part, delimiter, names)
            return
        document = self._options.dialect == "speechbrain" and part.annotation.endswith(".json")
        for position, value in jsonfiles.read_lines(part):
            if document and isinstance(value, dict):  # an entry of the document: its name and what is in it
                inner = value.get("value")
                value = {"id": value.get("id"), **(inner if isinstance(inner, dict) else {})}
            yield position, value

    def _delimiter(self, annotation: str) -> str:
        """What parts the columns of a table; nothing for manifests in JSON."""
        if self._options.dialect == "commonvoice":
            return "\t"
        return "," if self._options.dialect == "speechbrain" and annotation.endswith(".csv") else ""

    def _place(self, annotation: str, below: str | None) -> lhotse_cuts.Place:
        options = self._options
        base = "." if below is None else posixpath.join(posixpath.dirname(annotation), below)
        prefix = base if options.path_prefix is None else options.path_prefix
        return lambda path: utterance.place(path, prefix, options.strip_prefix)

    def _record(self, position: int, native_id: str | None, value: dict[str, Any], annotation: str) -> Native:
        options, dialect = self._options, self._dialect
        split = utterance.label(first(value, dialect.split))
        utterance.refuse_others("other_split", [] if split is None else [split], options.splits)
        path = first(value, dialect.path)
        if options.dialect == "commonvoice" and isinstance(path, str) and not posixpath.splitext(path)[1]:
            path += ".mp3"  # the first releases name their clips without it
        name = self._place(annotation, dialect.below)(path)
        start, end = dialects.times(value, dialect)
        text = utterance.words(first(value, dialect.text), dialect.text[0])
        speaker = utterance.label(first(value, dialect.speaker))
        language = utterance.language(first(value, dialect.language))
        sound = Medium("audio", name, start=start, end=end)
        if split is None and options.dialect == "commonvoice":  # whose files are named as what they hold
            split = posixpath.splitext(posixpath.basename(annotation))[0]
        split = split_names.split_of(annotation, split)
        return transcript(position, native_id, text, sound, speaker, language, split)

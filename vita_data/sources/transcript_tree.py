"""Trees of recordings with transcript files: LibriSpeech, AISHELL-1/2/3, LibriTTS, MLS, LJSpeech, VCTK and the like.

Formats: openslr.org/12 (LibriSpeech), /33 (AISHELL-1), /93 (AISHELL-3), /60 (LibriTTS), /94 (MLS), keithito.com
(LJSpeech), datashare.ed.ac.uk/handle/10283/3443 (VCTK). They differ in where an id, a text and a recording
stand, and that is what the options say; quotes are literal in all of them.
"""

from __future__ import annotations

import glob
import hashlib
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from vita_data import files
from vita_data.errors import RecordError
from vita_data.sources import jsonfiles, split_names, textlines, utterance
from vita_data.sources.base import Fault, Medium, Native, Slice, Split, transcript, worker_died

# A transcript that is a file of its own; a longer one is no utterance.
TEXT_FILE_BYTES = 1 << 16
_FIELD = re.compile(r"\{(\w+)\}")
_PINYIN = re.compile(r"[a-zü:]+[0-9]?", re.IGNORECASE)
_ALWAYS = frozenset(["id", "folder", "stem"])


@dataclass(frozen=True)
class TreeOptions:
    """Options of `adapter: transcript_tree`.

    `audio` names a recording by {id}, {folder} and {stem} of the transcript file, and the named groups of
    `id_pattern` (the whole id) and `path_pattern` (found in the transcript's path); a `*` stands for the
    first file below the root that fits. The groups `speaker` and `split` are the record's own;
    `split_speakers` names a split by its first and last speaker.
    """

    audio: str
    transcript: Literal["lines", "file"] = "lines"
    delimiter: str = " "
    columns: int = 2
    id_column: int = 0
    text_column: int = 1
    speaker_column: int | None = None
    header: bool = False
    skip_lines: str = ""
    id_suffix: str = ""
    id_pattern: str = ""
    path_pattern: str = ""
    text_form: Literal["plain", "with_pinyin"] = "plain"
    split_speakers: dict[str, tuple[str, str]] = field(default_factory=dict)
    splits: tuple[str, ...] = ()

    def complaint(self) -> tuple[str, str] | None:
        """What the keys do not show one by one."""
        groups = set(_ALWAYS)
        for name in ("skip_lines", "id_pattern", "path_pattern"):
            try:
                groups |= set(re.compile(getattr(self, name)).groupindex)
            except re.error as error:
                return name, f"{name} is no regular expression ({error}); mend it"
        if self.split_speakers:
            groups.add("split")
        for name in _FIELD.findall(self.audio):
            if name not in groups:
                return (
                    "audio",
                    f"audio names {{{name}}}, which no pattern gives; write one of {', '.join(sorted(groups))}",
                )
        if not self.delimiter:
            return "delimiter", 'delimiter is empty; write " ", "\\t" or "|"'
        last = max(self.id_column, self.text_column, self.speaker_column or 0)
        if min(self.id_column, self.text_column, self.speaker_column or 0) < 0 or last >= self.columns:
            return (
                "columns",
                f"columns is {self.columns} and the columns named reach {last}; columns count from 0",
            )
        return None


class TranscriptTree:
    """Reads a line of a transcript file, or a transcript file, as one record."""

    def __init__(self, options: TreeOptions) -> None:
        self._options = options
        self._skip = re.compile(options.skip_lines) if options.skip_lines else None
        self._id = re.compile(options.id_pattern) if options.id_pattern else None
        self._path = re.compile(options.path_pattern) if options.path_pattern else None

    def split(self, root: str, annotation: str, scratch: str) -> Split:
        """Slices a transcript file; the `._` files that a Mac leaves beside the real ones hold no records."""
        path = files.join(root, annotation)
        if posixpath.basename(annotation).startswith("._"):
            return Split([], hashlib.sha256(files.read_bytes(path)).hexdigest(), 0, 0)
        if self._options.transcript == "lines":
            return jsonfiles.split_lines(path, annotation)
        with files.open_read(path) as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
            size = stream.tell()
        return Split([Slice(annotation, path, 0, size, 0)], digest, size, 1)

    def read(self, root: str, part: Slice) -> Iterator[Native | Fault]:
        """Yields one native record an utterance."""
        rows = (
            self._lines(part)
            if self._options.transcript == "lines"
            else _whole(part, self._options.id_suffix)
        )
        for position, row in rows:
            if isinstance(row, RecordError):
                yield Fault(position, row)
                continue
            native_id = None
            try:
                name, text, speaker = self._columns(row) if isinstance(row, str) else (*row, None)
                native_id = utterance.id_text(name)
                yield self._record(root, part.annotation, position, name, text, speaker)
            except RecordError as error:
                yield Fault(position, error, native_id or self._id_of(row))

    def _lines(self, part: Slice) -> Iterator[tuple[int, str | RecordError]]:
        for position, line in textlines.read_text(part):
            heading = position == 0 and self._options.header
            if not heading and not (isinstance(line, str) and self._skip and self._skip.search(line)):
                yield position, line

    def _columns(self, line: str) -> tuple[str, str, str | None]:
        """Id, text and speaker of a line; of two columns the second may hold the delimiter, of more none may."""
        options = self._options
        delimiter = None if options.delimiter == " " else options.delimiter
        found = line.split(delimiter, 1 if options.columns == 2 else -1)
        if len(found) != options.columns:
            raise RecordError(
                "not_a_record", f"the line has {len(found)} columns and not {options.columns}.", line[:80]
            )
        speaker = None if options.speaker_column is None else found[options.speaker_column].strip()
        name = found[options.id_column].strip().removesuffix(options.id_suffix)
        return name, found[options.text_column].strip(), speaker

    def _id_of(self, row: Any) -> str | None:
        """The id of a line that has one, whatever else is missing; only a pattern tells an id from other words."""
        if not isinstance(row, str) or self._id is None:
            return None
        options = self._options
        found = row.split(None if options.delimiter == " " else options.delimiter)[options.id_column :]
        name = found[0].strip().removesuffix(options.id_suffix) if found else ""
        return utterance.id_text(name) if self._id.fullmatch(name) else None

    def _record(
        self, root: str, annotation: str, position: int, name: str, text: str, speaker: str | None
    ) -> Native:
        options = self._options
        named = self._named(annotation, name)
        if speaker is not None:
            named["speaker"] = speaker
        for split, (first, last) in options.split_speakers.items():
            if first <= named.get("speaker", "") <= last:
                named["split"] = split
        utterance.refuse_others("other_split", [named["split"]] if "split" in named else [], options.splits)
        if options.text_form == "with_pinyin":
            text = _without_pinyin(text)
        sound = Medium("audio", self._audio(root, named))
        speaker = utterance.label(named.get("speaker"))
        part = utterance.label(named.get("split")) or split_names.split_of_folder(annotation)
        return transcript(position, utterance.id_text(name), text, sound, speaker, split=part)

    def _named(self, annotation: str, name: str) -> dict[str, str]:
        """What an id and the path of its transcript say."""
        file = posixpath.basename(annotation)
        named = {
            "id": name,
            "folder": posixpath.dirname(annotation) or ".",
            "stem": posixpath.splitext(file)[0],
        }
        if self._path and (found := self._path.search(annotation)):
            named |= {key: value for key, value in found.groupdict().items() if value is not None}
        if self._id:
            found = self._id.fullmatch(name)
            if found is None:
                raise RecordError(
                    "not_a_record", "its id is not made as the card's id_pattern says.", name[:80]
                )
            named |= {key: value for key, value in found.groupdict().items() if value is not None}
        return named

    def _audio(self, root: str, named: dict[str, str]) -> str:
        template = self._options.audio
        name = utterance.place(_filled(template, named), ".")
        if "*" in template and not name.startswith("../"):
            escaped = {key: glob.escape(value) for key, value in named.items()}
            try:
                return next(iter(files.matching(root, posixpath.normpath(_filled(template, escaped)))), name)
            except (OSError, ValueError):  # an id that can be no file's name
                pass
        return name


def _filled(template: str, named: dict[str, str]) -> str:
    """The template with its fields; raises RecordError where a record does not give one of them."""

    def value(match: re.Match[str]) -> str:
        if match.group(1) not in named:
            raise RecordError("not_a_record", f"neither its id nor its path gives {match.group(1)}.")
        return named[match.group(1)]

    return _FIELD.sub(value, template)


def _whole(part: Slice, suffix: str) -> Iterator[tuple[int, tuple[str, str] | RecordError]]:
    """The one record of a file that is a transcript: its name is the id."""
    if part.first in part.aside:
        yield part.first, worker_died()
        return
    with files.open_read(part.path) as stream:
        data = stream.read(TEXT_FILE_BYTES + 1)
    if len(data) > TEXT_FILE_BYTES:
        yield (
            part.first,
            RecordError("not_a_record", "the file is longer than any utterance.", part.stop, TEXT_FILE_BYTES),
        )
        return
    text = textlines.decoded(data)
    file = posixpath.basename(part.annotation)
    name = file.removesuffix(suffix) if suffix else posixpath.splitext(file)[0]
    yield part.first, text if isinstance(text, RecordError) else (name, text.strip())


def _without_pinyin(text: str) -> str:
    """The characters of a transcript in which a reading follows each of them, as AISHELL-3 has it."""
    words = text.split()
    if len(words) % 2 or not all(map(_PINYIN.fullmatch, words[1::2])):
        raise RecordError("not_a_record", "its text is not characters with a reading after each.", text[:80])
    return "".join(words[::2])

"""Parquet with embedded media, as Hugging Face datasets ship it: turns in a column, or a question in columns.

Format: https://huggingface.co/docs/datasets/image_dataset (an Image, Audio or Video feature is a struct of
bytes and path; older files have bytes, base64 or names). A slice is one row group, so a worker holds one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from vita_data import files
from vita_data.errors import RecordError, SourceError
from vita_data.sources import turns
from vita_data.sources.base import Fault, Medium, MediumKind, Native, Slice, Split, transcript, worker_died
from vita_data.sources.qa_rows import AskOptions, as_template, ask, check_split, columns_of, split_of_row
from vita_data.sources.turns import Dialect, Turns

READ_ROWS = 256
TEXT_BYTES_PER_ROW = 1024
_FILE_NAME = re.compile(r"[^\0]*\.[A-Za-z0-9]{2,5}")


@dataclass(frozen=True)
class ParquetOptions(AskOptions):
    """Options of `adapter: hf_parquet`: which columns hold what.

    `turns` and `keys` are the dialect of `turns_column`, unless `question_column` is given: a column, or a
    template with columns in braces. Pictures are in the column `image` where there is one; `image_columns`
    are several columns of one picture each. Texts in cells of media are names where they end like files and
    base64 where not, unless `image_encoding` says which. With `text_column` the rows are sounds with what is
    said in them. Columns that the card names must be there.
    """

    image_column: str | None = None
    image_columns: tuple[str, ...] = ()
    image_encoding: Literal["auto", "base64", "name"] = "auto"
    video_column: str | None = None
    audio_column: str | None = None
    turns: Dialect = "conversations"
    turns_column: str = "conversations"
    keys: dict[str, str] = field(default_factory=dict)
    id_column: str = "id"
    question_column: str | None = None
    answer_column: str | None = None
    text_column: str | None = None
    speaker_column: str | None = None
    language_column: str | None = None

    def complaint(self) -> tuple[str, str] | None:
        """What the keys do not show one by one."""
        if self.text_column is not None and self.audio_column is None:
            return "text_column", "text_column is what a sound says, and no audio_column is given; add it"
        return turns.wrong_keys(self.turns, self.keys) or super().complaint()


class HfParquet:
    """Reads parquet files row group by row group."""

    def __init__(self, options: ParquetOptions) -> None:
        self._options = options

    def split(self, root: str, annotation: str, scratch: str) -> Split:
        """One slice a row group; raises SourceError when the file's footer cannot be read."""
        return split_parquet(files.join(root, annotation), annotation, self._needed())

    def read(self, root: str, part: Slice) -> Iterator[Native | Fault]:
        """Yields one native record a row."""
        for position, row in read_parquet(part, self._needed(), self._columns()):
            yield (
                Fault(position, row)
                if isinstance(row, RecordError)
                else self._record(position, part.annotation, row)
            )

    def _needed(self) -> list[str]:
        """The columns that no row can do without."""
        options = self._options
        given = [options.image_column, *options.image_columns, options.video_column, options.audio_column]
        given += [options.speaker_column, options.language_column, *options.split_filter]
        named = [name for name in given if name]
        if options.text_column is not None:
            return [*named, options.text_column]
        if options.question_column:
            asked = [] if options.prompts else columns_of(as_template(options.question_column))
            if options.choices:  # in the templates {choices} is what is made of that column
                asked = [*(name for name in asked if name != "choices"), options.choices]
            asked += columns_of(options.context) + columns_of(as_template(options.answer_column or "answer"))
            return [*named, *(name.split(".")[0] for name in asked)]
        if options.turns in ("alpaca", "text"):
            first = turns.KEYS[options.turns][0]
            return [*named, options.keys.get(first, first)]
        return [*named, options.turns_column]

    def _columns(self) -> list[str]:
        """All columns that are read."""
        options = self._options
        own = [options.id_column, "split", *self._images(), *columns_of(options.answer_form or "")]
        if options.turns in ("alpaca", "text"):
            own += [options.keys.get(name, name) for name in turns.KEYS[options.turns]]
        return [*own, *self._needed()]

    def _images(self) -> Sequence[str]:
        return self._options.image_columns or (self._options.image_column or "image",)

    def _record(self, position: int, annotation: str, row: dict[str, Any]) -> Native | Fault:
        options = self._options
        native_id = row.get(options.id_column)
        text_id = None if native_id is None else json.dumps(native_id, ensure_ascii=False, default=str)
        try:
            check_split(options, row)
            speaker, language = (
                turns.spoken(row.get(name or "")) or None
                for name in (options.speaker_column, options.language_column)
            )
            media = self._media(row, position)
            split = split_of_row(options, row, annotation)
            if options.text_column is not None:
                return replace(self._heard(position, text_id, row, media, speaker, language), split=split)
            said, media = self._turns(row, annotation, text_id or str(position), media)
            said, media = turns.with_tokens(said, media, options.tokens)
            if options.question_column or options.turns == "QA":
                said = turns.with_placeholders(said, media)
            media = turns.in_order(said, media)
            return Native(position, text_id, said, media, speaker, language, split=split)
        except RecordError as error:
            return Fault(position, error, text_id)

    def _heard(
        self,
        position: int,
        native_id: str | None,
        row: dict[str, Any],
        media: list[Medium],
        speaker: str | None,
        language: str | None,
    ) -> Native:
        text = row.get(self._options.text_column or "")
        sounds = [medium for medium in media if medium.kind == "audio"]
        if not isinstance(text, str) or len(sounds) != 1:
            raise RecordError("not_a_record", f"the row has no text, or {len(sounds)} sounds instead of one.")
        return transcript(position, native_id, text, sounds[0], speaker, language)

    def _media(self, row: dict[str, Any], position: int) -> list[Medium]:
        options = self._options
        columns: list[tuple[MediumKind, str | None]] = [("image", name) for name in self._images()]
        columns += [("video", options.video_column), ("audio", options.audio_column)]
        return [
            medium
            for kind, name in columns
            for medium in embedded(
                kind, row.get(name or ""), position, options.media_root, options.image_encoding
            )
        ]

    def _turns(
        self, row: dict[str, Any], annotation: str, name: str, media: list[Medium]
    ) -> tuple[Turns, list[Medium]]:
        options = self._options
        if options.question_column:
            answer = options.answer_column or "answer"
            return ask(options, options.question_column, answer, row, annotation, name), media
        said = turns.native_turns(row, options.turns, options.turns_column, options.keys)
        if options.turns == "text":
            said, media = turns.with_tokens(said, media, options.tokens)
            return turns.captioned(said, media, options.prompts, annotation, name), media
        said, within = turns.with_parts(said, options.media_root)
        if within and media and len(within) != len(media):
            words = f"the turns name {len(within)} files and the row holds {len(media)}."
            raise RecordError("not_a_record", words, len(within), len(media))
        return said, media or within


@contextmanager
def _opened(path: str, needed: Sequence[str]) -> Iterator[Any]:
    """A parquet file; raises SourceError for one that is cut, or has not the columns that no row can do without."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with files.open_read(path) as stream:
        try:
            file = pq.ParquetFile(stream)
            names = file.schema_arrow.names
        except (pa.ArrowException, OSError, ValueError) as error:
            raise SourceError(f"{path} is not a whole parquet file ({error}); fetch it again.") from error
        for name in needed:
            if name not in names:
                raise SourceError(
                    f"{path} has no column '{name}' but {', '.join(names)}; name the right ones in the card's options."
                )
        yield file


def split_parquet(path: str, annotation: str, needed: Sequence[str]) -> Split:
    """One slice a row group."""
    with files.open_read(path) as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    with _opened(path, needed) as file:
        slices, first = [], 0
        for group in range(file.metadata.num_row_groups):
            slices.append(Slice(annotation, path, group, group + 1, first))
            first += file.metadata.row_group(group).num_rows
        return Split(slices, digest, first * TEXT_BYTES_PER_ROW, first)


def read_parquet(
    part: Slice, needed: Sequence[str], columns: Sequence[str]
) -> Iterator[tuple[int, dict[str, Any] | RecordError]]:
    """Yields (position, row) for every row of a row group; a RecordError for each row that cannot be decoded."""
    import pyarrow as pa

    position = part.first
    with _opened(part.path, needed) as file:
        wanted = [name for name in file.schema_arrow.names if name in columns]
        try:
            batches = file.iter_batches(READ_ROWS, row_groups=[part.start], columns=wanted)
            while position not in part.aside and (batch := next(batches, None)) is not None:
                for row in _rows(batch):
                    yield position, row
                    position += 1
            lost = (
                worker_died()
                if position in part.aside
                else RecordError("not_a_record", "its row group ends early.")
            )
        except (pa.ArrowException, OSError) as error:
            lost = RecordError("not_a_record", f"its row group cannot be decoded: {error}.")
        end = part.first + file.metadata.row_group(part.start).num_rows
        for place in range(position, end):  # each lost row counts, so that the tolerance sees them
            yield place, lost


def _rows(batch: Any) -> Iterator[dict[str, Any] | RecordError]:
    """The rows of a batch; a row whose text is not UTF-8, which parquet does not check, costs itself only."""
    try:
        yield from batch.to_pylist()
    except UnicodeDecodeError:
        for number in range(len(batch)):
            try:
                yield from batch.slice(number, 1).to_pylist()
            except UnicodeDecodeError as error:
                yield RecordError(
                    "not_utf8",
                    "the row holds bytes that are not UTF-8.",
                    f"0x{error.object[error.start]:02x}",
                )


def embedded(
    kind: MediumKind, cell: Any, position: int, folder: str = ".", encoding: str = "auto"
) -> list[Medium]:
    """Media of a cell: a struct of bytes and path, bytes, base64 text or a name, or a list of these."""
    if cell is None or cell == "":
        return []
    if isinstance(cell, list):
        return [each for item in cell for each in embedded(kind, item, position, folder, encoding)]
    if isinstance(cell, dict):
        name = cell.get("path") or cell.get("name")
        if cell.get("bytes") is None:
            return [turns.medium(kind, name, folder)] if name else []
        inner = embedded(kind, cell["bytes"], position, folder, "base64")
        return [Medium(kind, str(name or each.name), each.data) for each in inner]
    if isinstance(cell, bytes):
        return [Medium(kind, f"row {position}", cell)]
    if not isinstance(cell, str):
        raise RecordError("not_a_record", f"the {kind} cell holds neither bytes nor base64.", str(cell)[:40])
    named = encoding == "name" or ":" in cell[:20] or _FILE_NAME.fullmatch(cell)
    if named and encoding != "base64":
        return [turns.medium(kind, cell, folder, f"row {position}")]
    return [Medium(kind, f"row {position}", turns.unbase64(kind, cell))]

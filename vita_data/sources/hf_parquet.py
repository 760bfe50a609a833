"""Parquet with embedded images, as Hugging Face datasets ship it: turns in a column, or question and answer.

Format: https://huggingface.co/docs/datasets/image_dataset (an Image feature is a struct of bytes and path).
A slice is one row group, so a worker holds one at a time.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vita_data import files
from vita_data.errors import RecordError, SourceError
from vita_data.sources.base import Fault, Medium, Native, Slice, Split, worker_died

READ_ROWS = 256
TEXT_BYTES_PER_ROW = 1024


@dataclass(frozen=True)
class ParquetOptions:
    """Options of `adapter: hf_parquet`: which columns hold what."""

    image_column: str = "image"
    turns_column: str = "conversations"
    id_column: str = "id"
    question_column: str | None = None
    answer_column: str | None = None


class HfParquet:
    """Reads parquet files row group by row group."""

    def __init__(self, options: ParquetOptions) -> None:
        self._options = options

    def split(self, root: str, annotation: str, scratch: str) -> Split:
        """One slice a row group; raises SourceError when the file's footer cannot be read."""
        path = files.join(root, annotation)
        with files.open_read(path) as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
        with self._open(path) as (meta, _):
            slices, first = [], 0
            for group in range(meta.num_row_groups):
                slices.append(Slice(annotation, path, group, group + 1, first))
                first += meta.row_group(group).num_rows
            return Split(slices, digest, first * TEXT_BYTES_PER_ROW, first)

    def _open(self, path: str) -> Any:
        from contextlib import contextmanager

        import pyarrow as pa
        import pyarrow.parquet as pq

        @contextmanager
        def opened() -> Iterator[tuple[Any, Any]]:
            with files.open_read(path) as stream:
                try:
                    file = pq.ParquetFile(stream)
                    names = file.schema_arrow.names
                except (pa.ArrowException, OSError, ValueError) as error:
                    raise SourceError(
                        f"{path} is not a whole parquet file ({error}); fetch it again."
                    ) from error
                self._check_columns(path, names)
                yield file.metadata, file

        return opened()

    def read(self, root: str, part: Slice) -> Iterator[Native | Fault]:
        """Yields one native record a row."""
        import pyarrow as pa

        position = part.first
        with self._open(part.path) as (meta, file):
            wanted = [name for name in self._columns() if name in file.schema_arrow.names]
            try:
                batches = file.iter_batches(READ_ROWS, row_groups=[part.start], columns=wanted)
                while position not in part.aside and (batch := next(batches, None)) is not None:
                    for row in _rows(batch):
                        yield (
                            Fault(position, row)
                            if isinstance(row, RecordError)
                            else self._record(position, row)
                        )
                        position += 1
                lost = (
                    worker_died()
                    if position in part.aside
                    else RecordError("not_a_record", "its row group ends early.")
                )
            except (pa.ArrowException, OSError) as error:
                lost = RecordError("not_a_record", f"its row group cannot be decoded: {error}.")
            end = part.first + meta.row_group(part.start).num_rows
            for place in range(position, end):  # each lost row counts, so that the tolerance sees them
                yield Fault(place, lost)

    def _check_columns(self, path: str, names: list[str]) -> None:
        """Raises SourceError for a file without the turns: what no row of it can do without."""
        for name in self._turn_columns():
            if name not in names:
                raise SourceError(
                    f"{path} has no column '{name}' but {', '.join(names)}; name the right ones in the card's options."
                )

    def _turn_columns(self) -> list[str]:
        options = self._options
        if options.question_column:
            return [options.question_column, options.answer_column or "answer"]
        return [options.turns_column]

    def _columns(self) -> list[str]:
        return [self._options.id_column, self._options.image_column, *self._turn_columns()]

    def _record(self, position: int, row: dict[str, Any]) -> Native | Fault:
        native_id = row.get(self._options.id_column)
        text_id = None if native_id is None else json.dumps(native_id, ensure_ascii=False, default=str)
        try:
            images = _pictures(row.get(self._options.image_column), position)
            return Native(position, text_id, self._turns(row, len(images)), images)
        except RecordError as error:
            return Fault(position, error, text_id)

    def _turns(self, row: dict[str, Any], images: int) -> list[dict[str, Any]]:
        options = self._options
        if options.question_column:
            answer = row.get(options.answer_column or "answer")
            answer = answer[0] if isinstance(answer, list) and answer else answer
            question = "<image>\n" * images + str(row.get(options.question_column) or "")
            return [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]
        turns = row.get(options.turns_column)
        if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
            raise RecordError(
                "not_a_record", f"the row has no list of turns in column '{options.turns_column}'."
            )
        return [
            {"from": turn.get("from", turn.get("role")), "value": turn.get("value", turn.get("content"))}
            for turn in turns
        ]


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


def _pictures(value: Any, position: int) -> list[Medium]:
    """Embedded pictures of a cell: a struct of bytes and path, bytes, base64 text, or a list of these."""
    if value is None:
        return []
    if isinstance(value, list):
        return [picture for item in value for picture in _pictures(item, position)]
    if isinstance(value, dict):
        if value.get("bytes") is None:
            return [Medium("image", str(value["path"]))] if value.get("path") else []
        name = str(value.get("path") or f"row {position}")
        return [Medium("image", name, picture.data) for picture in _pictures(value["bytes"], position)]
    if isinstance(value, bytes):
        return [Medium("image", f"row {position}", value)]
    try:
        return [Medium("image", f"row {position}", base64.b64decode(value, validate=True))]
    except (ValueError, TypeError) as error:
        raise RecordError("not_a_record", "the image cell holds neither bytes nor base64.") from error

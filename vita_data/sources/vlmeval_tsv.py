"""Benchmarks as VLMEvalKit ships them: TSV with pictures in base64 inside, read so that leaks can be found.

Format: https://github.com/open-compass/VLMEvalKit/blob/main/docs/en/Development.md: index, question, hint,
options in columns A, B, C ..., answer (not in test sets), and image: base64, a list of them, or the index of
another row whose pictures these are (at most 64 characters; MMBench's circular rows); or image_path.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import IO, Any

from vita_data import files
from vita_data.errors import RecordError, SourceError
from vita_data.sources import delimited, jsonfiles, split_names, turns
from vita_data.sources.base import Fault, Medium, Native, Slice, Split, worker_died
from vita_data.sources.qa_rows import LETTERS, choice_list

REFERENCE = 64  # characters: whatever is longer is a picture itself


@dataclass(frozen=True)
class VlmevalOptions:
    """Options of `adapter: vlmeval_tsv`; `media_root` is where the files of image_path lie.

    `unanswered` stands for the answers of a test set whose publisher keeps them.
    """

    media_root: str = "."
    unanswered: str = ""


class VlmevalTsv:
    """Reads benchmark rows with the pictures that they hold or refer to."""

    def __init__(self, options: VlmevalOptions) -> None:
        self._options = options

    def split(self, root: str, annotation: str, scratch: str) -> Split:
        """Notes where each row lies, and which row holds the pictures of an index; slices are ranges of rows."""
        path = files.join(root, annotation)
        with files.open_read(path) as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
        ends, pictures, form = _places(path)
        name = hashlib.sha256(annotation.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        places = files.join(scratch, f"{name}-places.json")
        files.write_json(places, {"ends": ends, "pictures": pictures, "columns": form.columns})
        slices, first = [], 0
        for number in range(1, len(ends)):
            full = ends[number] - ends[first] >= jsonfiles.SLICE_BYTES
            if full or number - first >= jsonfiles.SLICE_RECORDS or number == len(ends) - 1:
                slices.append(Slice(annotation, places, first, number, first))
                first = number
        text = min(ends[-1], (len(ends) - 1) * 1024)
        return Split(slices, digest, text, len(ends) - 1)

    def read(self, root: str, part: Slice) -> Iterator[Native | Fault]:
        """Yields one native record a row."""
        places = files.read_json(part.path)
        with files.open_read(files.join(root, part.annotation)) as stream:
            rows = _Rows(stream, places)
            for position in range(part.start, part.stop):
                if position in part.aside:
                    yield Fault(position, worker_died())
                    continue
                row = rows.at(position)
                if isinstance(row, RecordError):
                    yield Fault(position, row)
                elif row is not None:
                    yield self._record(position, part.annotation, row, rows)

    def _record(self, position: int, annotation: str, row: dict[str, Any], rows: _Rows) -> Native | Fault:
        index = row.get("index", "").strip()
        native_id = json.dumps(index, ensure_ascii=False) if index else None
        try:
            if "question" not in row:
                raise RecordError("not_a_record", f"the row has no question but {', '.join(row)[:120]}.")
            media = self._pictures(row, rows, position)
            options = [f"{name}. {row[name]}" for name in LETTERS if row.get(name, "").strip()]
            asked = "\n".join(part for part in (row.get("hint", ""), row["question"], *options) if part)
            answer = row.get("answer")
            said: turns.Turns = [
                {"from": "human", "value": asked},
                {"from": "gpt", "value": answer or self._options.unanswered or answer},
            ]
            said = turns.with_placeholders(said, media)
            split = split_names.split_of(annotation, row.get("split"))
            return Native(position, native_id, said, media, split=split)
        except RecordError as error:
            return Fault(position, error, native_id)

    def _pictures(self, row: dict[str, Any], rows: _Rows, position: int) -> list[Medium]:
        cell, paths = row.get("image", "").strip(), _listed(row.get("image_path", ""))
        if 0 < len(cell) <= REFERENCE:
            cell = rows.pictures_of(cell)
        if not cell:
            return [turns.medium("image", name, self._options.media_root) for name in paths]
        pictures = [turns.unbase64("image", text) for text in _listed(cell)]
        named = len(paths) == len(pictures)
        return [
            Medium("image", paths[n] if named else f"row {position}", data) for n, data in enumerate(pictures)
        ]


def _listed(cell: str) -> list[str]:
    cell = cell.strip()
    return choice_list(cell) if cell.startswith("[") else [cell] if cell else []


def _places(path: str) -> tuple[list[int], dict[str, int], delimited.Form]:
    """Where rows end, the first number being where they begin; the row of each index with pictures; the columns."""
    form = delimited.Form("\t")
    with files.open_read(path) as stream:
        form = replace(form, columns=delimited.column_names(path, stream, form))
        if "index" not in form.columns:
            raise SourceError(
                f"{path} has no column 'index' but {', '.join(form.columns)[:200]}; it is no benchmark table."
            )
        ends, pictures = [stream.tell()], {}
        for end, data in delimited.physical_rows(stream, ends[0], sys.maxsize, form.quoting):
            row = data if isinstance(data, RecordError) else delimited.parse_row(data, form)
            if not isinstance(row, RecordError) and len(row.get("image", "").strip()) > REFERENCE:
                pictures[row["index"].strip()] = len(ends) - 1
            ends.append(end)
    return ends, pictures, form


class _Rows:
    """Rows of a file by their number."""

    def __init__(self, stream: IO[bytes], places: dict[str, Any]) -> None:
        self._stream, self._ends, self._pictures = stream, places["ends"], places["pictures"]
        self._form = delimited.Form("\t", columns=tuple(places["columns"]))

    def at(self, number: int) -> dict[str, Any] | RecordError | None:
        """A row's cells by column; None for a blank row."""
        start, stop = self._ends[number : number + 2]
        for _, data in delimited.physical_rows(self._stream, start, stop, self._form.quoting):
            if isinstance(data, RecordError):
                return data
            return delimited.parse_row(data, self._form) if data.strip(b" \t\r\n") else None
        return RecordError(
            "not_a_record", "the file ends before this row; it changed since it was read first."
        )

    def pictures_of(self, index: str) -> str:
        """The image cell of the row with an index."""
        number = self._pictures.get(index)
        row = None if number is None else self.at(number)
        if not isinstance(row, dict):
            words = f"the picture is that of row {index[:REFERENCE]}, which holds none."
            raise RecordError("media_missing", words, index)
        return str(row["image"]).strip()

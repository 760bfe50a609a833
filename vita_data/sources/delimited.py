"""Rows of CSV, TSV and lines that a pattern takes apart: sliced at rows, read one row at a time.

Format: RFC 4180, as Python's csv module and pandas read it: a quote opens a field only at the field's start,
a doubled one inside is a quote, and line ends inside are text. Rows may be very long (pictures in base64).
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import IO, Any

from vita_data import files
from vita_data.errors import RecordError, SourceError
from vita_data.sources import jsonfiles
from vita_data.sources.base import Slice, Split, worker_died

ROW_BYTES = 128 << 20
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Form:
    """How a text file holds rows; `columns` is empty where its first row names them."""

    delimiter: str = ","
    quoted: bool = True
    columns: tuple[str, ...] = ()
    pattern: str | None = None

    @property
    def quoting(self) -> bytes | None:
        """The delimiter after which a quote opens a field that line ends do not end; None where none does."""
        return self.delimiter.encode() if self.quoted and self.pattern is None else None


def split_rows(path: str, annotation: str, form: Form) -> Split:
    """Slices a file at the ends of rows; positions are rows from 0, blank ones counted, a header not."""
    with files.open_read(path) as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    with files.open_read(path) as stream:
        column_names(path, stream, form)
        slices: list[Slice] = []
        start = end = stream.tell()
        number = first = 0
        for end, _ in physical_rows(stream, start, sys.maxsize, form.quoting):
            number += 1
            if end - start >= jsonfiles.SLICE_BYTES or number - first >= jsonfiles.SLICE_RECORDS:
                slices.append(Slice(annotation, path, start, end, first))
                start, first = end, number
        if end > start:
            slices.append(Slice(annotation, path, start, end, first))
        return Split(slices, digest, end, number)


def column_names(path: str, stream: IO[bytes], form: Form) -> tuple[str, ...]:
    """The columns of a file, its first row's where the card names none; leaves the stream at the first row."""
    if form.columns:
        return form.columns
    for end, row in physical_rows(stream, 0, sys.maxsize, form.quoting):
        names = [] if isinstance(row, RecordError) else cells(row.decode("utf-8", "replace"), form)
        if len(set(names)) < max(len(names), 1) or "\ufffd" in "".join(names):
            break
        stream.seek(end)
        return tuple(names)
    raise SourceError(
        f"{path} does not name its columns in its first row, each once; write `columns:` in the card's options "
        "where it has no header, else fetch the file again."
    )


def read_rows(part: Slice, form: Form) -> Iterator[tuple[int, dict[str, Any] | RecordError]]:
    """Yields (position, row) for every row of a slice that is not blank; a RecordError where there is none."""
    with files.open_read(part.path) as stream:
        form = replace(form, columns=column_names(part.path, stream, form))
        rows = physical_rows(stream, part.start, part.stop, form.quoting)
        for position, (_, row) in enumerate(rows, part.first):
            if position in part.aside:
                yield position, worker_died()
            elif isinstance(row, RecordError):
                yield position, row
            elif row.strip(BOM + b" \t\r\n"):
                yield position, parse_row(row, form)


def parse_row(data: bytes, form: Form) -> dict[str, Any] | RecordError:
    """A row's cells by the names of their columns."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        bad = f"0x{data[error.start]:02x}"
        return RecordError("not_utf8", f"byte {error.start} of the row is not UTF-8.", bad)
    if form.pattern is not None:
        found = re.fullmatch(form.pattern, text.rstrip("\r\n"))
        words = "the line does not fit the pattern."
        return found.groupdict() if found else RecordError("not_a_record", words, text[:80])
    values = cells(text, form)
    if len(values) != len(form.columns):
        words = f"the row has {len(values)} cells where there are {len(form.columns)} columns."
        return RecordError("not_a_record", words, len(values), len(form.columns))
    return dict(zip(form.columns, values, strict=True))


def cells(text: str, form: Form) -> list[str]:
    """The fields of a row, as RFC 4180 has them; where quotes are text the last column takes the rest."""
    text = text.removesuffix("\n").removesuffix("\r")
    if not form.quoted:
        return text.split(form.delimiter, len(form.columns) - 1 if form.columns else -1)
    values, at = [], 0
    while True:
        value = ""
        if text.startswith('"', at):
            close = _closing(text, at + 1, '"')
            value, at = text[at + 1 : close].replace('""', '"'), close + 1
        end = text.find(form.delimiter, at)
        values.append(value + (text[at:end] if end >= 0 else text[at:]))
        if end < 0:
            return values
        at = end + len(form.delimiter)


def _closing(text: Any, at: int, quote: Any) -> int:
    """Where a quoted field ends: at the first quote that is not doubled, or behind the text."""
    while True:
        at = text.find(quote, at)
        if at < 0:
            return len(text)
        if text[at + 1 : at + 2] != quote:
            return at
        at += 2


def _ends_open(line: bytes, delimiter: bytes, inside: bool) -> bool:
    """Whether a quoted field goes on behind a line, which may itself begin inside one."""
    at = 0
    if not inside and b'"' not in line:
        return False
    while True:
        if inside or line.startswith(b'"', at):
            at = _closing(line, at if inside else at + 1, b'"') + 1
            if at > len(line):
                return True
            inside = False
        at = line.find(delimiter, at)
        if at < 0:
            return False
        at += len(delimiter)


def physical_rows(
    stream: IO[bytes], start: int, stop: int, quoting: bytes | None
) -> Iterator[tuple[int, bytes | RecordError]]:
    """Yields (where it ends, its bytes) for each row between two offsets, holding one row at a time.

    A quote that never closes costs its line only, and a row beyond ROW_BYTES itself: both are RecordErrors.
    """
    at = start
    stream.seek(at)
    while at < stop and (line := stream.readline(min(stop - at, ROW_BYTES))):
        at += len(line)
        row = line.removeprefix(BOM) if at == len(line) else line
        if len(line) == ROW_BYTES and not line.endswith(b"\n"):
            at = _line_end(stream, at, stop)
            yield at, RecordError("not_a_record", "the row is too long to be read.", None, ROW_BYTES)
        elif quoting is None or not _ends_open(row, quoting, False):
            yield at, row
        elif (more := _open_lines(stream, stop - at, ROW_BYTES - len(line), quoting)) is None:
            stream.seek(at)
            said = line[:80].decode("utf-8", "replace")
            yield at, RecordError("not_a_record", "a quote opens here that never closes.", said)
        else:
            at += len(more)
            yield at, row + more


def _line_end(stream: IO[bytes], at: int, stop: int) -> int:
    """Where a line ends of which the beginning was read."""
    while at < stop and (line := stream.readline(min(stop - at, ROW_BYTES))):
        at += len(line)
        if line.endswith(b"\n"):
            break
    return at


def _open_lines(stream: IO[bytes], left: int, most: int, quoting: bytes) -> bytes | None:
    """The lines up to the one that closes a quoted field; None where none does, or not within `most` bytes."""
    lines, size = [], 0
    while size < min(left, most) and (line := stream.readline(min(left, most) - size)):
        lines.append(line)
        size += len(line)
        if not _ends_open(line, quoting, True):
            cut = size >= most < left and not line.endswith(b"\n")
            return None if cut else b"".join(lines)
    return None

"""Tables of utterances with the names of their columns in the first line: Common Voice's TSV, SpeechBrain's CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from vita_data import files
from vita_data.errors import RecordError, SourceError
from vita_data.sources import textlines
from vita_data.sources.base import Slice


def header(path: str, delimiter: str, needed: tuple[tuple[str, ...], ...]) -> list[str]:
    """The names of a table's columns; raises SourceError where none of the names for one that is needed is there."""
    with files.open_read(path) as stream:
        line = textlines.decoded(stream.readline(textlines.LINE_BYTES))
    names = [] if isinstance(line, RecordError) else cells(line, delimiter)
    for keys in needed:
        if isinstance(names, RecordError) or not set(keys) & set(names):
            raise SourceError(
                f"{path} has no column '{keys[0]}' in its first line; check it, and `dialect` and `keys` in the card."
            )
    return [] if isinstance(names, RecordError) else names


def rows(part: Slice, delimiter: str, names: list[str]) -> Iterator[tuple[int, dict[str, str] | RecordError]]:
    """Yields (position, {column: cell}) for the lines of a slice but the first line of the file."""
    for position, line in textlines.read_text(part):
        if position:
            yield position, line if isinstance(line, RecordError) else _row(line, delimiter, names)


def cells(line: str, delimiter: str) -> list[str] | RecordError:
    """The cells of a line; quotes mean something between commas and nothing between tabs."""
    if delimiter == "\t":
        return line.split("\t")
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error as error:
        return RecordError("not_a_record", f"the line is no row of a table: {error}.", line[:80])


def _row(line: str, delimiter: str, names: list[str]) -> dict[str, str] | RecordError:
    found = cells(line, delimiter)
    if isinstance(found, RecordError):
        return found
    if len(found) != len(names):
        return RecordError(
            "not_a_record",
            f"the line has {len(found)} columns where the first line has {len(names)}.",
            line[:80],
        )
    return dict(zip(names, found, strict=True))

"""Media in the cells of a parquet file, with the names that stand beside them.

A cell holds bytes, base64 text, or a struct with `bytes` as Hugging Face's Image and Audio features have it
(https://huggingface.co/docs/datasets/image_dataset).
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from vita_data.errors import SourceError
from vita_data.media.containers.entry import CutError, Entry, Way
from vita_data.media.containers.reading import open_reading
from vita_data.records.places import Place

_ROWS, _BATCH_BYTES = 64, 64 << 20
_PAGE_BYTES = 1 << 20


def walk_cells(path: str, place: Place, limit: int) -> Iterator[tuple[Entry, bytes]]:
    """Yields the medium of every row in order, a few rows in memory at a time; those above `limit` are refused.

    Columns inside structs are named with a dot (`image.path`). Raises SourceError when the file is no parquet
    file or has no such columns, CutError where its rows cannot be decoded any more.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    name, cell = str(place.name_column), str(place.bytes_column)
    rows = 0
    with open_reading(path) as stream:
        try:  # with a buffer size a column is read page by page, else a whole row group of media at once
            file = pq.ParquetFile(
                stream, buffer_size=_PAGE_BYTES, pre_buffer=False, page_checksum_verification=True
            )
            _check_columns(path, [leaf.path for leaf in _leaves(file)], (name, cell))
            for batch in file.iter_batches(_batch_rows(file), columns=[name, cell], use_threads=False):
                for row in range(len(batch)):
                    yield _medium(batch.slice(row, 1), name, cell, limit)
                    rows += 1
        except (pa.ArrowException, OSError, ValueError) as error:
            words = " ".join(str(error).split())[:200]
            raise CutError(path, words, rows) from error


def _batch_rows(file: Any) -> int:
    groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
    heaviest = max((group.total_byte_size // max(1, group.num_rows) for group in groups), default=0)
    return max(1, min(_ROWS, _BATCH_BYTES // max(1, heaviest)))


def _leaves(file: Any) -> Iterator[Any]:
    return (file.schema.column(number) for number in range(len(file.schema)))


def _check_columns(path: str, leaves: list[str], wanted: tuple[str, ...]) -> None:
    shown = " ".join(", ".join(leaves).split())[:300]
    for column in wanted:
        if not any(leaf == column or leaf.startswith(column + ".") for leaf in leaves):
            raise SourceError(
                f"{path} has no column '{column}' but {shown}; name the right ones in the card's `media`."
            )


def _medium(row: Any, name: str, cell: str, limit: int) -> tuple[Entry, bytes]:
    try:
        text, value = _value(row, name), _value(row, cell)
    except UnicodeDecodeError:
        return Entry(None, 0, 0, 0, 0, Way.NO_BYTES), b""
    name = "" if text is None else str(text)
    data = _bytes(value)
    if data is None:
        return Entry(name, 0, 0, 0, 0, Way.NO_BYTES), b""
    if len(data) > limit:
        return Entry(name, 0, len(data), len(data), 0, Way.TOO_LARGE), b""
    return Entry(name, 0, len(data), len(data), 0, Way.PLAIN), data


def _value(row: Any, column: str) -> Any:
    """The cell under a column's name, dotted where it lies in a struct."""
    if column in row.schema.names:
        return row.column(column)[0].as_py()
    top, *path = column.split(".")
    value = row.column(top)[0].as_py()
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _bytes(value: Any) -> bytes | None:
    if isinstance(value, dict):
        value = value.get("bytes")
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except ValueError:
            return None
    return value if isinstance(value, bytes) else None

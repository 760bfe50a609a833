"""A digest over what a table holds, the same for the table in memory and for the one read back from its file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def table_digest(table: pa.Table) -> str:
    """The sha256 of every column in order; ValueError for a table with nulls, which an index never has."""
    hasher = hashlib.sha256()
    for name in table.column_names:
        hasher.update(name.encode())
        for part in _parts(table.column(name).combine_chunks()):
            hasher.update(part)
    return hasher.hexdigest()


def _parts(array: Any) -> Iterator[Any]:
    """The bytes of an array: lengths before what has a length of its own."""
    if array.null_count:
        raise ValueError("an index has no nulls")
    if not len(array):
        return
    kind = array.type
    if pa.types.is_list(kind):
        yield pc.list_value_length(array).to_numpy(zero_copy_only=False).tobytes()
        yield from _parts(array.flatten())
    elif pa.types.is_struct(kind):
        for number in range(kind.num_fields):
            yield from _parts(array.field(number))
    elif pa.types.is_string(kind) or pa.types.is_fixed_size_binary(kind):
        values = array.cast(pa.binary())
        _, offsets, data = values.buffers()
        ends = np.frombuffer(offsets, np.int32, len(values) + 1, 4 * values.offset)
        yield np.diff(ends).tobytes()
        yield memoryview(data or b"")[ends[0] : ends[-1]]
    else:
        yield array.to_numpy(zero_copy_only=False).tobytes()

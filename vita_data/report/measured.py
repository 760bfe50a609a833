"""What the index and the packs of a stage say when they are summed: one pass, bounded memory, no media."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vita_data import files
from vita_data.shards.write import index_name

TOKENS = ["text_tokens", "visual_tokens", "audio_tokens"]
COLUMNS = ["key", "source", "language", "licence", "questions", *TOKENS, "length", "grids"]


@dataclass
class Written:
    """What is written of one language, or under one licence."""

    samples: int = 0
    questions: int = 0
    tokens: int = 0


@dataclass
class Measured:
    """Sums over a stage: `lengths[n]` counts samples of n tokens, `packs[n]` packs; longer ones come last.

    `cells` counts pictures by the tiles of their grid, `pictures` counts samples by their pictures, and
    `first` holds (key, shard, row) of each source's samples with the smallest keys, in order.
    """

    lengths: Any
    packs: Any
    cells: Counter[int] = field(default_factory=Counter)
    pictures: Counter[int] = field(default_factory=Counter)
    languages: dict[str, Written] = field(default_factory=dict)
    licences: dict[str, Written] = field(default_factory=dict)
    first: dict[str, list[tuple[str, int, int]]] = field(default_factory=dict)


def measure_stage(
    folder: str, shards: int, windows: int, longest: int, capacity: int, wanted: int
) -> Measured:
    """Reads the index of every shard and the token counts of every pack; keeps `wanted` keys a source.

    `longest` and `capacity` are the most tokens that a sample and a pack may have.
    """
    measured = Measured(np.zeros(longest + 1, np.int64), _packs(folder, windows, capacity))
    for number in range(shards):
        table = files.read_table(files.join(folder, "index", index_name(number)), COLUMNS)
        lengths = np.minimum(table.column("length").to_numpy(), longest)
        measured.lengths += np.bincount(lengths, minlength=longest + 1)
        _add_pictures(measured, table)
        _add_written(measured.languages, table, "language")
        _add_written(measured.licences, table, "licence")
        _add_first(measured, table, number, wanted)
    return measured


def _packs(folder: str, windows: int, capacity: int) -> Any:
    """How many packs hold how many tokens: an array by token count, up to the capacity."""
    counts = np.zeros(capacity + 1, np.int64)
    for window in range(windows):
        path = files.join(folder, "packs", index_name(window))
        tokens = files.read_table(path, ["tokens"]).column("tokens").to_numpy()
        counts += np.bincount(np.minimum(tokens, capacity), minlength=capacity + 1)
    return counts


def _add_pictures(measured: Measured, table: pa.Table) -> None:
    grids = table.column("grids").combine_chunks()
    _count(measured.pictures, pc.fill_null(pc.list_value_length(grids), 0))
    flat = grids.flatten()
    columns, rows = (flat.field(name).cast(pa.int32()) for name in ("cols", "rows"))
    _count(measured.cells, pc.multiply(columns, rows))


def _count(counter: Counter[int], values: pa.Array) -> None:
    for row in pc.value_counts(values).to_pylist():
        counter[row["values"]] += row["counts"]


def _add_written(into: dict[str, Written], table: pa.Table, column: str) -> None:
    added = [(name, "sum") for name in ("questions", *TOKENS)]
    sums = table.group_by(column).aggregate([("key", "count"), *added])
    for row in sums.to_pylist():
        written = into.setdefault(row[column] or "", Written())
        written.samples += row["key_count"]
        written.questions += row["questions_sum"]
        written.tokens += sum(row[f"{name}_sum"] for name in TOKENS)


def _add_first(measured: Measured, table: pa.Table, shard: int, wanted: int) -> None:
    # A key ends in a hash, so the smallest keys are a fair choice that no order of shards changes.
    keys = table.column("key").combine_chunks()
    for source in pc.unique(table.column("source")).to_pylist():
        rows = pc.indices_nonzero(pc.equal(table.column("source"), source))
        found = rows.take(pc.array_sort_indices(keys.take(rows)).slice(0, wanted)).to_pylist()
        places = [(keys[row].as_py(), shard, row) for row in found]
        measured.first[source] = sorted(measured.first.get(source, []) + places)[:wanted]

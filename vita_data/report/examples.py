"""A few rejects of every rule, read without holding more of a rejects table than one batch."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import pyarrow.compute as pc

from vita_data import files

BATCH_ROWS = 16_384


@dataclass(frozen=True)
class Example:
    """One reject as its table holds it; what a table leaves empty is None."""

    key: str
    source: str
    annotation: str | None
    position: int | None
    native_id: str | None
    value: str | None
    threshold: str | None
    message: str | None
    media: list[str]


COLUMNS = ["step", "rule", *Example.__annotations__]


def find_examples(folder: str, rejected: dict[str, dict[str, int]], wanted: int) -> dict[str, list[Example]]:
    """Up to `wanted` rejects of each step/rule, taking turns among the sources.

    `rejected` counts each source's rejects by step/rule, so that reading stops at the last one wanted.
    """
    by_source = [_of_source(folder, source, counts, wanted) for source, counts in rejected.items() if counts]
    rules = sorted({rule for found in by_source for rule in found})
    examples = {}
    for rule in rules:
        turns = zip_longest(*(found.get(rule, []) for found in by_source))
        examples[rule] = [example for turn in turns for example in turn if example is not None][:wanted]
    return examples


def _of_source(folder: str, source: str, counts: dict[str, int], wanted: int) -> dict[str, list[Example]]:
    """The first rejects of each rule in a source's table, which is sorted by key."""
    import pyarrow.parquet as pq

    lacking = {rule: min(wanted, count) for rule, count in sorted(counts.items())}
    found: dict[str, list[Example]] = {rule: [] for rule in lacking}
    with files.open_read(files.join(folder, "rejects", f"{source}.parquet")) as stream:
        for batch in pq.ParquetFile(stream).iter_batches(BATCH_ROWS, columns=COLUMNS):
            names = pc.binary_join_element_wise(batch.column("step"), batch.column("rule"), "/")
            for rule in [rule for rule, number in lacking.items() if number]:
                rows = pc.indices_nonzero(pc.equal(names, rule)).slice(0, lacking[rule])
                found[rule] += [_example(row) for row in batch.take(rows).to_pylist()]
                lacking[rule] -= len(rows)
            if not any(lacking.values()):
                break
    return found


def _example(row: dict[str, Any]) -> Example:
    plain = {name: row[name] for name in Example.__annotations__ if name != "media"}
    return Example(**plain, media=row["media"] or [])

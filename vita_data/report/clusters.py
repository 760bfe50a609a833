"""Who left for whom, by kind: how many clusters, and a few of them, counted by Arrow and never row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from vita_data import files
from vita_data.report.traces import keyed
from vita_data.verdicts.compare import KINDS
from vita_data.verdicts.duplicates import COUNTS, TABLE


@dataclass(frozen=True)
class Leaver:
    """A sample that left, and how near it is to the one that stays."""

    key: str
    similarity: float
    distance: int | None


@dataclass(frozen=True)
class Cluster:
    """A sample that stays, how many left for it, and a few of them."""

    stays: str
    size: int
    leavers: list[Leaver]


@dataclass(frozen=True)
class Kind:
    """All clusters of a kind: how many there are, how many samples left, and a few, the largest first."""

    name: str
    clusters: int
    left: int
    shown: list[Cluster]


def counts_of(folder: str) -> dict[str, dict[str, int]]:
    """For each source how many of its samples left by each kind, and how many share only media or only questions."""
    counts: dict[str, dict[str, int]] = files.read_json(files.join(folder, COUNTS))
    return counts


def kinds_of(folder: str, clusters: int, leavers: int) -> list[Kind]:
    """Each kind with its largest cluster and others of the smallest hash, at most `clusters` of `leavers` samples."""
    table = files.read_table(files.join(folder, TABLE))
    return [
        _kind(name, table.filter(pc.equal(table.column("kind"), name)), clusters, leavers) for name in KINDS
    ]


def _kind(name: str, table: pa.Table, clusters: int, leavers: int) -> Kind:
    sizes = table.group_by("stays", use_threads=False).aggregate([("leaves", "count")])
    sizes = sizes.append_column("hash", _suffix(sizes.column("stays")))
    first = sizes.sort_by([("leaves_count", "descending"), ("hash", "ascending")]).slice(0, 1).to_pylist()
    fair = sizes.sort_by([("hash", "ascending")]).slice(0, clusters).to_pylist()
    chosen = [*first, *(row for row in fair if row not in first)][:clusters]
    shown = [
        Cluster(row["stays"], row["leaves_count"], _leavers(table, row["stays"], leavers)) for row in chosen
    ]
    return Kind(name, len(sizes), len(table), shown)


def _leavers(table: pa.Table, stays: str, most: int) -> list[Leaver]:
    own = table.filter(pc.equal(table.column("stays"), stays))
    own = own.append_column("hash", _suffix(own.column("leaves"))).sort_by("hash").slice(0, most)
    return [_leaver(row) for row in sorted(own.to_pylist(), key=lambda row: keyed(row["leaves"]))]


def _leaver(row: dict[str, Any]) -> Leaver:
    return Leaver(row["leaves"], row["similarity"], row["distance"])


def _suffix(keys: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.utf8_slice_codeunits(keys, -16)

"""Packing one window of neighbouring shards: its samples meet only each other in training sequences.

So a trainer that streams from a bucket holds one window at a time, and one that reads a local disk at
random loses nothing. Reads indexes, never media.
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from vita_data import files
from vita_data.packs.fit import best_fit
from vita_data.records.canon import canonical
from vita_data.records.key import digest_of
from vita_data.records.schema import PACKS, PACKS_VERSION
from vita_data.shards.write import index_name

# Raise when packs would come out differently.
VERSION = 1
WINDOW_SHARDS = 4


def windows_of(shards: int, window_shards: int = WINDOW_SHARDS) -> list[list[int]]:
    """Shard numbers of each window."""
    return [list(range(start, min(start + window_shards, shards))) for start in range(0, shards, window_shards)]


def pack_window(stage: str, window: int, shards: list[int], capacity: int, digests: dict[str, str]) -> dict[str, Any]:
    """Writes `packs/NNNNN.parquet` unless it is there for the same shards; returns its counts.

    Pack numbers start from 0 in every window; `Stage.packs` gives them their place in the stage.
    """
    path = files.join(stage, "packs", index_name(window))
    tables = [files.read_table(files.join(stage, "index", index_name(n)), ["key", "length"]) for n in shards]
    plans = [json.loads(table.schema.metadata[b"vita"])["plan"] for table in tables]
    digest = digest_of("packs", VERSION, plans, shards, capacity, digests)
    done = _done(path, digest)
    if done is not None:
        return done
    places, lengths = [], []
    for shard, table in zip(shards, tables, strict=True):
        for row, key in enumerate(table.column("key").to_pylist()):
            places.append({"shard": shard, "row": row, "key": key})
        lengths += table.column("length").to_pylist()
    rows = [
        {
            "pack": number,
            "window": window,
            "tokens": sum(lengths[item] for item in pack),
            "samples": [places[item] for item in pack],
        }
        for number, pack in enumerate(best_fit(lengths, capacity))
    ]
    facts = {"window": window, "packs": len(rows), "tokens": sum(lengths), "samples": len(lengths)}
    metadata = {"version": PACKS_VERSION, "digest": digest, "capacity": capacity, **digests, "facts": facts}
    table = pa.Table.from_pylist(rows, PACKS).replace_schema_metadata({"vita": canonical(metadata)})
    files.write_table(path, table)
    return facts


def _done(path: str, digest: str) -> dict[str, Any] | None:
    import pyarrow.parquet as pq

    if not files.exists(path):
        return None
    with files.open_read(path) as stream:
        said = json.loads(pq.read_schema(stream).metadata[b"vita"])
    facts: dict[str, Any] = said["facts"]
    return facts if said["digest"] == digest else None

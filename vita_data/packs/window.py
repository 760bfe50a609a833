"""Packing one window of neighbouring shards: its samples meet only each other in training sequences.

So a trainer that streams from a bucket holds one window at a time, and one that reads a local disk at
random loses nothing. Reads indexes, never media.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

import pyarrow as pa

from vita_data import files
from vita_data.packs.fit import best_fit
from vita_data.records.canon import canonical
from vita_data.records.schema import PACKS, PACKS_VERSION, PLACE
from vita_data.shards.write import index_name

# Raise when packs would come out differently.
VERSION = 1
WINDOW_SHARDS = 4


def windows_of(shards: int, window_shards: int = WINDOW_SHARDS) -> list[list[int]]:
    """Shard numbers of each window."""
    return [
        list(range(start, min(start + window_shards, shards))) for start in range(0, shards, window_shards)
    ]


def pack_window(
    stage: str, window: int, shards: list[int], capacity: int, digests: dict[str, str]
) -> dict[str, Any]:
    """Writes `packs/NNNNN.parquet`, whatever lies there; returns its counts.

    Pack numbers start from 0 in every window; `Stage.packs` gives them their place in the stage.
    """
    tables = [files.read_table(files.join(stage, "index", index_name(n)), ["key", "length"]) for n in shards]
    places = pa.concat_tables([_places(shard, table) for shard, table in zip(shards, tables, strict=True)])
    lengths = [length for table in tables for length in table.column("length").to_pylist()]
    packs = best_fit(lengths, capacity)
    facts = {"window": window, "packs": len(packs), "tokens": sum(lengths), "samples": len(lengths)}
    metadata = {"version": PACKS_VERSION, "capacity": capacity, **digests, "facts": facts}
    table = _table(window, packs, places, lengths)
    files.write_table(_path(stage, window), table.replace_schema_metadata({"vita": canonical(metadata)}))
    return facts


def _places(shard: int, index: pa.Table) -> pa.Table:
    """Where each sample of a shard lies, a column a field of PLACE."""
    columns = {"shard": [shard] * len(index), "row": list(range(len(index))), "key": index.column("key")}
    return pa.table(columns, schema=pa.schema(list(PLACE)))


def _table(window: int, packs: list[list[int]], places: pa.Table, lengths: list[int]) -> pa.Table:
    """The packs as a table, built by columns: a window of short texts has hundreds of thousands of samples."""
    items = [item for pack in packs for item in pack]
    ends = itertools.accumulate((len(pack) for pack in packs), initial=0)
    taken = places.take(pa.array(items, pa.int64())).combine_chunks()
    structs = pa.StructArray.from_arrays(
        [taken.column(n).combine_chunks() for n in PLACE.names], fields=list(PLACE)
    )
    columns = {
        "pack": pa.array(range(len(packs)), pa.int32()),
        "window": pa.array([window] * len(packs), pa.int32()),
        "tokens": pa.array([sum(lengths[item] for item in pack) for pack in packs], pa.int32()),
        "samples": pa.ListArray.from_arrays(pa.array(list(ends), pa.int32()), structs),
    }
    return pa.table([columns[name] for name in PACKS.names], schema=PACKS)


def packed_window(stage: str, window: int) -> dict[str, Any]:
    """The counts of a window that was just packed, by whichever worker."""
    import pyarrow.parquet as pq

    with files.open_read(_path(stage, window)) as stream:
        facts: dict[str, Any] = json.loads(pq.read_schema(stream).metadata[b"vita"])["facts"]
    return facts


def _path(stage: str, window: int) -> str:
    return files.join(stage, "packs", index_name(window))

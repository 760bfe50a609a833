"""From drawn parts to shards: selected rows into hash buckets, buckets into order, order into shards.

Three steps, each leaving files: `gather_part` writes what is selected of one part, a batch a bucket;
`order_bucket` sorts one bucket by selection hash; `cut_shards` finds, from sizes alone, which rows of
which buckets make which shard. Rows travel in files; only their names pass through Beam.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vita_data import files
from vita_data.catalog.merge import part_name
from vita_data.records.key import digest_of
from vita_data.records.schema import SELECTED
from vita_data.select.draw import Cutoff
from vita_data.select.holdout import HELD, TRAIN, HoldOut

ROWS_PER_BUCKET = 20_000
BATCH = 512
FROM_CATALOG = ("language", "record", "media")

# A bucket of a gathered part: (bucket, path, number of its batch).
Ref = tuple[int, str, int]


@dataclass(frozen=True)
class SourcePart:
    """Where one source of a stage lies, and what was drawn from it."""

    source: str
    root: str
    catalog: str
    measures: str
    language: str
    licence: str
    cutoff: Cutoff | None


@dataclass(frozen=True)
class StageTask:
    """What a worker needs to know of a stage; `held` chooses its held-out samples instead of the drawn ones."""

    folder: str
    work: str
    sources: dict[str, SourcePart]
    hold_out: HoldOut
    late: list[str]
    buckets: int
    held: bool
    voiced: str = ""  # the folder of the ordered rows whose questions are spoken, where some are
    speech: str = ""  # the folder of their sounds

    @property
    def rows(self) -> str:
        """The folder of the ordered rows as they go into shards."""
        return self.voiced or self.work

    def save(self) -> str:
        """Writes the task and returns its path, which names its content: a worker may keep what it read."""
        facts = asdict(self)
        path = files.join(self.work, f"task-{digest_of(facts)}.json")
        files.write_json(path, facts)
        return path


@functools.lru_cache(maxsize=8)
def load_stage_task(path: str) -> StageTask:
    """The task at a path."""
    facts = files.read_json(path)
    hold_out = HoldOut.of(facts["hold_out"])
    sources = {}
    for name, part in facts["sources"].items():
        cutoff = (part["cutoff"][0], part["cutoff"][1]) if part["cutoff"] else None
        sources[name] = SourcePart(**{**part, "cutoff": cutoff})
    return StageTask(**{**facts, "hold_out": hold_out, "sources": sources})


def gather_part(task_path: str, source: str, part: int) -> list[Ref]:
    """Writes the selected rows of a source's part, a batch for every bucket of the selection hash."""
    task = load_stage_task(task_path)
    place = task.sources[source]
    path = files.join(task.work, f"selected-{source}-{part:05d}.arrow")
    measures = files.read_table(files.join(place.measures, part_name(part)))
    measures = measures.filter(pa.array(_selected(task, place, measures)))
    if not len(measures):
        return []
    catalog = files.read_table(files.join(place.catalog, part_name(part)), [*FROM_CATALOG])
    catalog = catalog.take(measures.column("row"))
    columns = {name: measures.column(name) for name in SELECTED.names if name in measures.column_names}
    columns |= {name: catalog.column(name) for name in FROM_CATALOG}
    columns["source"] = pa.array([source] * len(measures), pa.string())
    table = pa.table([columns[name] for name in SELECTED.names], schema=SELECTED)
    return _write_buckets(path, table, task.buckets)


def _selected(task: StageTask, place: SourcePart, measures: pa.Table) -> Any:
    status = task.hold_out.places(measures)
    keys = measures.column("key")
    mask = status == HELD if task.held else (status == TRAIN) & _up_to(place.cutoff, measures)
    if task.late:
        mask &= ~pc.is_in(keys, pa.array(task.late, pa.string())).to_numpy(zero_copy_only=False)
    return mask


def _up_to(cutoff: Cutoff | None, measures: pa.Table) -> Any:
    """Which rows come no later than the last one that was drawn."""
    if cutoff is None:
        return np.zeros(len(measures), bool)
    selection = measures.column("selection").to_numpy()
    mask = selection <= np.uint64(cutoff[0])
    for row in np.flatnonzero(selection == np.uint64(cutoff[0])):
        mask[row] = measures.column("key")[int(row)].as_py() <= cutoff[1]
    return mask


def _bucket_of(selection: Any, buckets: int) -> Any:
    """Buckets as equal ranges of the hash, so that bucket after bucket is the whole order."""
    return ((selection >> np.uint64(32)).astype(np.uint64) * np.uint64(buckets)) >> np.uint64(32)


def _write_buckets(path: str, table: pa.Table, buckets: int) -> list[Ref]:
    places = _bucket_of(table.column("selection").to_numpy(), buckets)
    refs: list[Ref] = []
    with files.atomic_write(path) as stream, pa.ipc.new_file(stream, SELECTED) as writer:
        for bucket in np.unique(places):
            rows = table.filter(pa.array(places == bucket)).combine_chunks()
            writer.write_batch(rows.to_batches()[0])
            refs.append((int(bucket), path, len(refs)))
    return refs


def order_path(work: str, bucket: int) -> str:
    """Where an ordered bucket lies."""
    return files.join(work, f"ordered-{bucket:05d}.arrow")


def order_bucket(task_path: str, bucket: int, batches: list[tuple[str, int]]) -> tuple[int, int]:
    """Sorts a bucket by selection hash and key; returns (bucket, rows)."""
    task = load_stage_task(task_path)
    table = pa.Table.from_batches([_batch(path, number) for path, number in sorted(batches)], SELECTED)
    order = pc.sort_indices(table, [("selection", "ascending"), ("key", "ascending")])
    table = table.take(order).combine_chunks()
    with (
        files.atomic_write(order_path(task.work, bucket)) as stream,
        pa.ipc.new_file(stream, SELECTED) as writer,
    ):
        writer.write_table(table, max_chunksize=BATCH)
    return bucket, len(table)


def _batch(path: str, number: int) -> pa.RecordBatch:
    with files.open_read(path) as stream, pa.ipc.open_file(stream) as reader:
        return reader.get_batch(number)


# Rows of an ordered bucket that a shard takes: (bucket, first row, end).
Piece = tuple[int, int, int]


def cut_shards(sizes: Callable[[int], Any], buckets: list[int], shard_bytes: int) -> list[list[Piece]]:
    """Cuts the order into shards of about `shard_bytes`: a sample belongs to the shard its first byte falls in.

    `sizes(bucket)` gives the bytes of a bucket's samples in order; they come from the catalog, so the cut
    is known before a byte is read.
    """
    shards: list[list[Piece]] = []
    before, last = 0, -1
    for bucket in buckets:
        ends = before + np.cumsum(sizes(bucket))
        starts = np.concatenate([[before], ends[:-1]])
        numbers = starts // shard_bytes
        for number in np.unique(numbers):
            rows = np.flatnonzero(numbers == number)
            if number != last:
                shards.append([])
                last = int(number)
            shards[-1].append((bucket, int(rows[0]), int(rows[-1]) + 1))
        before = int(ends[-1])
    return shards


def bucket_sizes(work: str, bucket: int) -> Any:
    """Bytes of each sample of an ordered bucket."""
    with files.open_read(order_path(work, bucket)) as stream, pa.ipc.open_file(stream) as reader:
        return np.concatenate(
            [reader.get_batch(n).column("bytes").to_numpy() for n in range(reader.num_record_batches)]
        )


def piece_rows(work: str, piece: Piece) -> Iterator[dict[str, Any]]:
    """The rows of a piece, read batch by batch."""
    bucket, first, end = piece
    with files.open_read(order_path(work, bucket)) as stream, pa.ipc.open_file(stream) as reader:
        for number in range(first // BATCH, -(-end // BATCH)):
            start = number * BATCH
            batch = reader.get_batch(number).slice(max(first - start, 0))
            batch = batch.slice(0, end - max(first, start))
            yield from batch.to_pylist()

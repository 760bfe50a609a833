"""The work items of a stage's steps, and the results they left in files: what a driver needs between graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vita_data import files
from vita_data.select.draw import Drawn
from vita_data.select.fill import facts_path
from vita_data.select.gather import (
    ROWS_PER_BUCKET,
    Piece,
    SourcePart,
    StageTask,
    bucket_sizes,
    cut_shards,
    order_path,
)
from vita_data.select.holdout import BETWEEN, HELD, HoldOut
from vita_data.select.stage import Source


def stage_task(
    folder: str,
    sources: list[Source],
    drawn: dict[str, Drawn],
    hold_out: HoldOut,
    late: list[str],
    samples: int,
    held: bool,
) -> StageTask:
    """The task of a stage's shards (or of its held-out shards, below `eval/`)."""
    places = {
        source.card.source: SourcePart(
            source=source.card.source,
            root=source.root,
            catalog=source.catalog,
            measures=source.measures,
            language=source.card.language,
            licence=source.card.licence,
            cutoff=drawn[source.card.source].cutoff,
        )
        for source in sources
        if drawn[source.card.source].asked
    }
    inner = files.join(folder, "eval") if held else folder
    work = files.join(inner, "work")
    buckets = max(1, -(-samples // ROWS_PER_BUCKET))
    return StageTask(inner, work, places, hold_out, late, buckets, held)


def held_counts(
    sources: list[Source], hold_out: HoldOut, late: frozenset[str] = frozenset()
) -> dict[str, tuple[int, int]]:
    """Samples held out, and samples between (with some media held), of each source; late rejects are neither."""
    counts: dict[str, tuple[int, int]] = {}
    for source in sources:
        held = between = 0
        for path in source.paths:
            table = files.read_table(path, ["key", "hold", "sound_samples"])
            lost = pc.is_in(table.column("key"), pa.array(sorted(late), pa.string()))
            table = table.filter(pc.invert(lost))
            status = hold_out.places(table)
            held += int((status == HELD).sum())
            between += int((status == BETWEEN).sum())
        counts[source.card.source] = (held, between)
    return counts


def ordered_buckets(task: StageTask) -> list[int]:
    """The buckets that hold rows."""
    return [bucket for bucket in range(task.buckets) if files.exists(order_path(task.work, bucket))]


def shard_pieces(task: StageTask, shard_bytes: int) -> list[list[Piece]]:
    """Which rows make which shard, once the buckets are ordered."""
    buckets = ordered_buckets(task)
    sizes = {bucket: bucket_sizes(task.rows, bucket) for bucket in buckets}
    return cut_shards(
        sizes.__getitem__, [bucket for bucket in buckets if np.size(sizes[bucket])], shard_bytes
    )


def filled(task: StageTask, shards: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The facts of the shards that were written, and the late rejects of those that could not be."""
    facts = [files.read_json(facts_path(task.work, number)) for number in range(shards)]
    late = [reject for fact in facts for reject in fact.get("late", [])]
    return [fact for fact in facts if "late" not in fact], late

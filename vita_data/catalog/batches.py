"""Consecutive files and slices put together into batches of about the same amount of work.

A corpus may have a file for every utterance. Each as a work item of its own, with intermediate files of its
own, would cost far more than the reading. Batches depend on the annotation files alone, so no engine and no
number of workers changes them, and a build that goes on finds them as they were.
"""

from __future__ import annotations

from collections.abc import Iterable

from vita_data.sources.base import Split

BATCH_RECORDS = 1000
BATCH_BYTES = 8 << 20

# What counts as a record of a batch (at least one), and bytes.
Weight = tuple[int, int]


def batch_starts(weights: Iterable[Weight]) -> list[int]:
    """The number of the first item of every batch; an item that fills one by itself is never put to others."""
    starts: list[int] = []
    records = size = 0
    for number, (more, bytes_) in enumerate(weights):
        records, size = records + max(1, more), size + bytes_
        if not starts or records > BATCH_RECORDS or size > BATCH_BYTES:
            starts.append(number)
            records, size = max(1, more), bytes_
    return starts


def batch_range(starts: list[int], number: int, count: int) -> range:
    """The items of a batch, of `count` in all."""
    return range(starts[number], starts[number + 1] if number + 1 < len(starts) else count)


def slice_weights(annotation_bytes: int, split: Split) -> list[Weight]:
    """What the slices of an annotation file weigh: where an adapter cut a file, its slices are full already.

    The bytes are those of the file, which may hold media besides its text.
    """
    if len(split.slices) == 1:
        return [(split.records, max(annotation_bytes, split.text_bytes))]
    return [(BATCH_RECORDS, BATCH_BYTES)] * len(split.slices)

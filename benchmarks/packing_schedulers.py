"""Four ways to make steps of samples that others train with, and shuffled batches, in their plainest form.

A step is a list of ranks, a rank a list of forward passes, a pass a list of rows that are padded to the longest.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple


class Item(NamedTuple):
    """A sample: its tokens, its cost, the tiles of its pictures, and whether it has any."""

    length: int
    cost: int
    tiles: int
    seen: bool


Row = tuple[Item, ...]


@dataclass(frozen=True)
class Setting:
    """How much there is in a step: `batch` samples a pass where there are no sequences of `capacity`."""

    ranks: int
    rounds: int
    epochs: int
    capacity: int
    batch: int
    buffers: int
    tiles: int


@dataclass(frozen=True)
class Forward:
    """A forward and backward pass over some rows."""

    rows: tuple[Row, ...]

    @property
    def slots(self) -> int:
        """Tokens and padding."""
        return len(self.rows) * max(sum(item.length for item in row) for row in self.rows)

    def cost(self, padding: int) -> int:
        """What it costs where a slot of padding costs so much."""
        items = [item for row in self.rows for item in row]
        return sum(item.cost for item in items) + padding * (self.slots - sum(item.length for item in items))


Step = list[list[Forward]]


def shuffled(items: Sequence[Item], setting: Setting, seed: int) -> Iterator[Step]:
    """Samples by chance, as VITA's public scripts have them: padded to the longest of a batch."""
    for epoch in range(setting.epochs):
        yield from _steps(_cut(_order(items, seed, epoch), setting.batch), setting)


def by_length(items: Sequence[Item], setting: Setting, seed: int) -> Iterator[Step]:
    """Length grouping, after transformers' Trainer: heaps of 50 batches by chance, each in falling order of length.

    A batch has samples of about one length; the ranks take them in turn.
    """
    size = setting.batch * setting.rounds
    size *= min(max(len(items) // (4 * size), 1), 50)
    for epoch in range(setting.epochs):
        heaps = _cut(_order(items, seed, epoch), size)
        falling = [item for heap in heaps for item in sorted(heap, key=lambda item: -item.length)]
        yield from _steps(_cut(falling, setting.batch), setting)


def by_modality(items: Sequence[Item], setting: Setting, seed: int) -> Iterator[Step]:
    """Length grouping by modality, after LLaVA: a step's samples, with pictures or without, dealt into equal batches.

    The longest goes to the batch with the fewest tokens so far. Kinder than the real one, which counts words: here
    lengths are exact.
    """
    passes = setting.ranks * setting.rounds
    size = passes * setting.batch
    for epoch in range(setting.epochs):
        order = _order(items, seed, epoch)
        kinds = [[item for item in order if item.seen is seen] for seen in (True, False)]
        heaps = [heap for some in kinds for heap in _cut(some, size) if len(heap) == size]
        random.Random(f"heaps {seed} {epoch}").shuffle(heaps)
        for heap in heaps:
            batches: list[list[Item]] = [[] for _ in range(passes)]
            for item in sorted(heap, key=lambda item: -item.length):
                open_ones = [batch for batch in batches if len(batch) < setting.batch]
                min(open_ones, key=lambda batch: sum(each.length for each in batch)).append(item)
            yield from _steps(batches, setting)


def next_fit(items: Sequence[Item], setting: Setting, seed: int) -> Iterator[Step]:
    """Next-fit, after VITA: samples in turn into one sequence until one does not fit; shuffled, padded to the longest.

    A rank takes as many sequences at once as others have rounds, in one pass.
    """
    for epoch in range(setting.epochs):
        rows: list[Row] = []
        row: list[Item] = []
        for item in _order(items, seed, epoch):
            if sum(each.length for each in row) + item.length > setting.capacity:
                rows.append(tuple(row))
                row = []
            row.append(item)
        random.Random(f"rows {seed} {epoch}").shuffle(rows)
        size = setting.ranks * setting.rounds
        for at in range(0, len(rows) - size + 1, size):
            step = rows[at : at + size]
            yield [[Forward(tuple(step[rank :: setting.ranks]))] for rank in range(setting.ranks)]


def buffers(items: Sequence[Item], setting: Setting, seed: int) -> Iterator[Step]:
    """Packing buffers, after InternVL: every rank packs its own share of the samples while they come.

    The first buffer with room for the tokens and the tiles takes a sample, those with most tiles first; a full one
    is used, and the one with most tiles when there are too many. Nothing is cut. It ends when a rank has no more.
    """
    streams = [_packed(items, setting, seed, rank) for rank in range(setting.ranks)]
    while True:
        step: Step = []
        for stream in streams:
            rows = list(islice(stream, setting.rounds))
            if len(rows) < setting.rounds:
                return
            step.append([Forward((row,)) for row in rows])
        yield step


def _packed(items: Sequence[Item], setting: Setting, seed: int, rank: int) -> Iterator[Row]:
    """The sequences of one rank as its buffers give them."""
    held: list[list[Item]] = []
    for epoch in range(setting.epochs):
        for item in _order(items, seed, epoch)[rank :: setting.ranks]:
            found = next((place for place, row in enumerate(held) if _fits(row, item, setting)), None)
            row = [*(held.pop(found) if found is not None else ()), item]
            if sum(each.length for each in row) == setting.capacity or _tiles(row) == setting.tiles:
                yield tuple(row)
                continue
            held.append(row)
            held.sort(key=_tiles, reverse=True)
            if len(held) > setting.buffers:
                yield tuple(held.pop(0))


def _fits(row: list[Item], item: Item, setting: Setting) -> bool:
    length = sum(each.length for each in row) + item.length
    return length <= setting.capacity and _tiles(row) + item.tiles <= setting.tiles


def _tiles(row: list[Item]) -> int:
    return sum(item.tiles for item in row)


def _order(items: Sequence[Item], seed: int, epoch: int) -> list[Item]:
    return random.Random(f"order {seed} {epoch}").sample(items, len(items))


def _cut(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    return [items[at : at + size] for at in range(0, len(items), size)]


def _steps(batches: Sequence[Sequence[Item]], setting: Setting) -> Iterator[Step]:
    """Whole steps of batches: one after the other goes to one rank after the other."""
    size = setting.ranks * setting.rounds
    for at in range(0, len(batches) - size + 1, size):
        step = [Forward(tuple((item,) for item in batch)) for batch in batches[at : at + size]]
        yield [step[rank :: setting.ranks] for rank in range(setting.ranks)]

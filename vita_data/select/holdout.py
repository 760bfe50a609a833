"""Who is held out: a share of every source's media by keyed hash, the same in every stage and for every seed.

Whole media stay together: a medium is held out by the hash of its pixels, so a picture that two sources
share is held out of both. A sample whose media are partly held is in neither part, since it would leak.
Small sources reach the least number by holding more media, named one by one. Never more than a tenth of
a source goes: a medium that too many of its samples share is spared, in every source.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

TRAIN, HELD, BETWEEN = 0, 1, 2
MOST = 0.1  # of a source, whatever the least number says: a folder of fifty pictures is there to train on


@dataclass(frozen=True)
class HoldOut:
    """The rule as numbers: hashes below `limit` are held out, and those in `extra`, but none of `spared`.

    Samples with sound are in neither part of a stage that does not read sound (`hears`).
    """

    limit: int
    extra: tuple[int, ...] = ()
    spared: tuple[int, ...] = ()
    hears: bool = True

    @classmethod
    def of(cls, facts: dict[str, Any]) -> HoldOut:
        """The rule as a plan or a task wrote it down."""
        return cls(facts["limit"], tuple(facts["extra"]), tuple(facts["spared"]), facts["hears"])

    def places(self, table: pa.Table) -> Any:
        """TRAIN, HELD or BETWEEN for each sample of a table of measures; needs columns `hold` and `sound_samples`."""
        status = self.status(table.column("hold").combine_chunks())
        if not self.hears:
            status[table.column("sound_samples").to_numpy() > 0] = BETWEEN
        return status

    def status(self, hold: pa.ListArray) -> Any:
        """TRAIN, HELD or BETWEEN for each sample of a `hold` column, as an array of int8."""
        values = hold.flatten().to_numpy(zero_copy_only=False)
        held = values < np.uint64(self.limit)
        if self.extra:
            held |= np.isin(values, np.array(self.extra, np.uint64))
        if self.spared:
            held &= ~np.isin(values, np.array(self.spared, np.uint64))
        starts = _offsets(hold)
        counts = (
            np.add.reduceat(np.append(held, False).astype(np.int64), starts[:-1]) if len(hold) else starts[:0]
        )
        sizes = np.diff(starts)
        return np.where(counts == 0, TRAIN, np.where(counts == sizes, HELD, BETWEEN)).astype(np.int8)


def hold_limit(share: float) -> int:
    """The hash below which a medium is held out."""
    return min(int(share * 2**64), 2**64 - 1)


def hold_out_of(sources: Iterator[list[pa.ListArray]], share: float, least: int) -> HoldOut:
    """The rule for a mixture, from the `hold` columns of each of its sources."""
    limit = hold_limit(share)
    extra: set[int] = set()
    spared: set[int] = set()
    for columns in sources:
        more, fewer = exceptions(columns, limit, least)
        extra |= more
        spared |= fewer
    return HoldOut(limit, tuple(sorted(extra - spared)), tuple(sorted(spared)))


def exceptions(holds: list[pa.ListArray], limit: int, least: int) -> tuple[set[int], set[int]]:
    """What one source changes of the rule: (media to hold out beyond the limit, media below it to spare).

    It holds out `least` samples where a tenth of it allows that, and with those that share a part of their
    media with them never more than a tenth (twice the share, where that is more).
    """
    media = _Media(holds)
    if not limit or not media.samples:
        return set(), set()
    room = int(media.samples * max(MOST, min(1.0, 2 * limit / 2**64)))
    wanted = min(least, int(media.samples * MOST))
    touched: set[int] = set()
    chosen: set[int] = set()
    spared: set[int] = set()
    for medium in media.below(limit):
        new = media.samples_of(medium) - touched
        if len(touched) + len(new) > room:
            spared.add(medium)
        else:
            touched |= new
            chosen.add(medium)
    held = {sample for sample in touched if chosen.issuperset(media.of(sample))}
    extra: set[int] = set()
    refused = set(spared)
    for sample in media.by_highest() if len(held) < wanted else ():
        parts = set(media.of(sample))
        if sample in held or parts & refused:
            continue
        affected: set[int] = set().union(*(media.samples_of(medium) for medium in parts))
        if len(touched | affected) > room:
            refused |= parts - chosen
            continue
        touched |= affected
        extra |= parts - chosen
        chosen |= parts
        held |= {other for other in affected if chosen.issuperset(media.of(other))}
        if len(held) >= wanted:
            break
    return extra, spared


class _Media:
    """Which samples of a source have which media, as arrays: a corpus has millions."""

    def __init__(self, holds: list[pa.ListArray]) -> None:
        columns = [column for column in holds if len(column)]
        values = [column.flatten().to_numpy(zero_copy_only=False) for column in columns]
        self._values = np.concatenate([*values, np.zeros(0, np.uint64)])
        sizes = np.concatenate([*(np.diff(_offsets(column)) for column in columns), np.zeros(0, np.int64)])
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.samples = len(sizes)
        self._order = np.argsort(self._values, kind="stable")
        self._sorted = self._values[self._order]
        self._owner = np.repeat(np.arange(self.samples), sizes)
        self._highest = np.concatenate([*(_highest(column) for column in columns), np.zeros(0, np.uint64)])

    def below(self, limit: int) -> list[int]:
        """The media below a limit, in the order of their hashes."""
        found: list[int] = np.unique(self._sorted[: np.searchsorted(self._sorted, np.uint64(limit))]).tolist()
        return found

    def by_highest(self) -> list[int]:
        """The samples in the order of their largest hash: those of one medium in the order of their media."""
        order: list[int] = np.argsort(self._highest, kind="stable").tolist()
        return order

    def of(self, sample: int) -> list[int]:
        """The media of a sample."""
        media: list[int] = self._values[self._starts[sample] : self._starts[sample + 1]].tolist()
        return media

    def samples_of(self, medium: int) -> set[int]:
        """The samples that have a medium."""
        first, end = (np.searchsorted(self._sorted, np.uint64(medium), side) for side in ("left", "right"))
        return set(self._owner[self._order[first:end]].tolist())


def _highest(hold: pa.ListArray) -> Any:
    """The largest hash of each sample: when it is held, all of the sample is."""
    if not len(hold):
        return np.zeros(0, np.uint64)
    values = hold.flatten().to_numpy(zero_copy_only=False)
    return np.maximum.reduceat(values, _offsets(hold)[:-1])


def _offsets(hold: pa.ListArray) -> Any:
    """Where each sample's hashes begin in the flattened column, which starts at 0 for a slice too."""
    offsets = hold.offsets.to_numpy()
    return offsets - offsets[0] if len(hold) else np.zeros(1, np.int64)

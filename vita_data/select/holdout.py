"""Who is held out: a share of every source's media by keyed hash, the same in every stage and for every seed.

Whole media stay together: a medium is held out by the hash of its pixels, so a picture that two sources
share is held out of both. A sample whose media are partly held is in neither part, since it would leak.
Small sources reach the least number by holding more media, named one by one; never more than a tenth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

TRAIN, HELD, BETWEEN = 0, 1, 2
MOST = 0.1  # of a source, whatever the least number says: a folder of fifty pictures is there to train on


@dataclass(frozen=True)
class HoldOut:
    """The rule as numbers: hashes below `limit` are held out, and so are those in `extra`."""

    limit: int
    extra: tuple[int, ...] = ()

    def status(self, hold: pa.ListArray) -> Any:
        """TRAIN, HELD or BETWEEN for each sample of a `hold` column, as an array of int8."""
        values = hold.flatten().to_numpy(zero_copy_only=False)
        held = values < np.uint64(self.limit)
        if self.extra:
            held |= np.isin(values, np.array(self.extra, np.uint64))
        starts = _offsets(hold)
        counts = (
            np.add.reduceat(np.append(held, False).astype(np.int64), starts[:-1]) if len(hold) else starts[:0]
        )
        sizes = np.diff(starts)
        return np.where(counts == 0, TRAIN, np.where(counts == sizes, HELD, BETWEEN)).astype(np.int8)


def hold_limit(share: float) -> int:
    """The hash below which a medium is held out."""
    return min(int(share * 2**64), 2**64 - 1)


def extra_media(holds: list[pa.ListArray], limit: int, least: int) -> set[int]:
    """Media to hold out beyond the limit so that a source has its least number of held-out samples."""
    samples = sum(len(column) for column in holds)
    wanted = min(least, int(samples * MOST))
    plain = HoldOut(limit)
    if not limit or sum(int((plain.status(column) == HELD).sum()) for column in holds) >= wanted:
        return set()
    highest = np.sort(np.concatenate([_highest(column) for column in holds]))
    reach = highest[wanted - 1]
    values = np.concatenate([column.flatten().to_numpy(zero_copy_only=False) for column in holds])
    return {int(value) for value in np.unique(values[(values <= reach) & (values >= np.uint64(limit))])}


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

"""Which questions are spoken: the first so many in the order of their hashes that can be.

A question's place is (hash, key, turn), ties of the hash included, so a cut-off takes exactly as many as it
should, whatever order the rows come in; and what a small share takes lies in what a large one takes.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vita_data.speech.task import EVERY_QUESTION, Rank

PLACE = ["hash", "key", "turn"]


def wanted(share: Fraction, questions: int) -> int:
    """How many of so many questions are to be spoken: the share of them, rounded down."""
    return floor(share * questions)


def cutoff(table: pa.Table, count: int) -> Rank | None:
    """The place of the `count`-th of a table's questions in their order; None for none of them."""
    if count <= 0 or not len(table):
        return None
    if count > len(table):
        return EVERY_QUESTION
    hashes = table.column("hash").to_numpy()
    at = np.partition(hashes, count - 1)[count - 1]
    before = int((hashes < at).sum())
    same = table.filter(pa.array(hashes == at)).select(PLACE).to_pylist()
    places = sorted((row["hash"], row["key"], row["turn"]) for row in same)
    return places[count - before - 1]


def up_to(table: pa.Table, rank: Rank | None) -> Any:
    """Which of a table's questions come no later than a place: an array of bool."""
    if rank is None:
        return np.zeros(len(table), bool)
    hashes = table.column("hash").to_numpy()
    mask = hashes <= np.uint64(rank[0])
    for row in np.flatnonzero(hashes == np.uint64(rank[0])):
        place = (table.column(name)[int(row)].as_py() for name in PLACE)
        mask[row] = tuple(place) <= rank
    return mask


def within(table: pa.Table, cutoffs: dict[str, Rank | None]) -> pa.Array:
    """Which of the questions of several sources come no later than their source's cut-off."""
    mask = np.zeros(len(table), bool)
    for source, rank in cutoffs.items():
        mine = pc.equal(table.column("source"), source).to_numpy()
        mask |= mine & up_to(table, rank)
    return pa.array(mask)


def further(tried: int, good: int, count: int, there: int) -> int:
    """How many questions to try next, when of those `tried` so many were `good` and `count` are wanted."""
    if good >= count:
        return tried
    return min(there, tried + -(-(count - good) * tried // max(good, 1)))

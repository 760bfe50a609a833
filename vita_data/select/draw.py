"""Drawing a source's quota: samples in the order of their selection hash until the quota is met.

A quota is an amount: of questions, of samples of sound for hours of speech, or of records that hold a clip
each, so that all are exact.

Because every stage orders a source alike, 4 % of it lies in 20 % lies in 100 %. Two passes over the
measures in bounded memory: a histogram of hashes weighted by amounts, then the exact place inside
the one bin where the quota is met. The last sample may carry a source over by less than its own amount.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from vita_data import files
from vita_data.manifest.plan import quota
from vita_data.select.holdout import TRAIN, HoldOut

BINS = 1 << 16
_SHIFT = np.uint64(64 - 16)

# What is drawn from a source: everything up to and including this (selection hash, key); None is nothing.
Cutoff = tuple[int, str]
Column = Literal["questions", "sound_samples", "key"]  # what is counted, as the measures name it
EVERYTHING: Cutoff = (2**64 - 1, "\U0010ffff")


def column_of(unit: str) -> Column:
    """The column of the measures that counts a unit of the cards: samples of sound for hours, keys for clips."""
    columns: dict[str, Column] = {"hours": "sound_samples", "clips": "key"}
    return columns.get(unit, "questions")


@dataclass(frozen=True)
class Drawn:
    """A source's part of a stage: what was asked, what there was, and where its samples end.

    All but the samples are amounts; `available` leaves out the held-out samples, whose amount is `held`.
    """

    source: str
    asked: int
    available: int
    available_samples: int
    held: int
    amount: int
    samples: int
    cutoff: Cutoff | None

    @property
    def short(self) -> bool:
        """Whether the source has less than the stage asks for, the held-out samples counted.

        A mixture that names a corpus' whole size asks for its held-out samples too; that these are not
        drawn is the hold-out's doing and not a lack of data.
        """
        return self.available + self.held < self.asked


@dataclass(frozen=True)
class Eligible:
    """The samples of one part that may be drawn: parallel arrays."""

    selection: Any
    amounts: Any
    keys: Any
    held: int  # the amount of the samples that are not


def eligible(
    paths: Iterable[str], column: Column, hold_out: HoldOut, late: frozenset[str]
) -> Iterator[Eligible]:
    """Part by part, the samples that are neither held out nor lost late."""
    for path in paths:
        table = files.read_table(
            path, list(dict.fromkeys(["key", "selection", column, "hold", "sound_samples"]))
        )
        mask = hold_out.places(table) == TRAIN
        selection = table.column("selection").to_numpy()
        keys = np.array(table.column("key").to_pylist(), dtype=object)
        amounts = np.ones(len(keys), np.int64) if column == "key" else table.column(column).to_numpy()
        there = ~np.isin(keys, list(late)) if late else np.ones(len(keys), bool)
        held = int(amounts[~mask & there].sum())
        mask &= there
        yield Eligible(selection[mask], amounts[mask], keys[mask], held)


def draw(
    source: str,
    paths: list[str],
    column: Column,
    share: Fraction,
    amount: Fraction | None,
    hold_out: HoldOut,
    late: frozenset[str],
) -> Drawn:
    """Draws `share` of an `amount` (None: of all there is) of a column from a source's measured parts."""
    weights = np.zeros(BINS, np.int64)
    counts = np.zeros(BINS, np.int64)
    held = 0
    for part in eligible(paths, column, hold_out, late):
        bins = (part.selection >> _SHIFT).astype(np.int64)
        weights += _sums(bins, part.amounts)
        counts += np.bincount(bins, minlength=BINS)
        held += part.held
    available, samples = int(weights.sum()), int(counts.sum())
    asked = quota(share, available if amount is None else amount)
    if asked == 0:
        return Drawn(source, 0, available, samples, held, 0, 0, None)
    if asked >= available:
        return Drawn(source, asked, available, samples, held, available, samples, EVERYTHING)
    totals = np.cumsum(weights)
    bin_number = int(np.searchsorted(totals, asked))
    before = int(totals[bin_number - 1]) if bin_number else 0
    samples_before = int(counts[:bin_number].sum())
    inside = _inside(paths, column, hold_out, late, bin_number)
    drawn = before
    for place, (selection, key, weight) in enumerate(inside):
        drawn += weight
        if drawn >= asked:
            ending = (drawn, samples_before + place + 1, (selection, key))
            return Drawn(source, asked, available, samples, held, *ending)
    raise AssertionError(f"histogram and samples of {source} disagree")


def _sums(bins: Any, amounts: Any) -> Any:
    """What each bin holds, in whole numbers: a sum of floats would lose samples of sound."""
    sums = np.zeros(BINS, np.int64)
    np.add.at(sums, bins, amounts.astype(np.int64))
    return sums


def _inside(
    paths: list[str], column: Column, hold_out: HoldOut, late: frozenset[str], bin_number: int
) -> list[tuple[int, str, int]]:
    rows: list[tuple[int, str, int]] = []
    for part in eligible(paths, column, hold_out, late):
        here = (part.selection >> _SHIFT) == np.uint64(bin_number)
        rows += zip(
            part.selection[here].tolist(),
            part.keys[here].tolist(),
            part.amounts[here].tolist(),
            strict=True,
        )
    return sorted(rows)

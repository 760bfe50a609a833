"""Comparing samples that met: which pairs are near enough, in turns and in pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from vita_data.curate import near, near_pictures
from vita_data.verdicts.meeting import MeetSource
from vita_data.verdicts.sketches import Sketches

KINDS = ("exact", "near_text", "near_picture")
PIECE = 1 << 17  # rows or pairs compared at a time

Rows = dict[str, Any]  # columns of MEETING, sorted by hash and then by who stays


@dataclass(frozen=True)
class Pairs:
    """Pairs of samples, the one that stands first in the order of a mixture named first."""

    SCHEMA = pa.schema(
        [
            ("first_place", pa.int16()),
            ("first", pa.uint64()),
            ("later_place", pa.int16()),
            ("later", pa.uint64()),
            ("later_part", pa.int32()),
            ("kind", pa.int8()),  # an index into KINDS
            ("similarity", pa.float32()),
            ("distance", pa.int8()),
        ]
    )
    table: pa.Table

    @classmethod
    def of(cls, rows: Rows, first: Any, later: Any, kind: str, similarity: Any, distance: Any) -> Pairs:
        """Pairs of rows by their numbers, with what was measured of each."""
        count = len(first)
        columns = [
            rows["place"][first],
            rows["name"][first],
            rows["place"][later],
            rows["name"][later],
            rows["part"][later],
            np.full(count, KINDS.index(kind), np.int8),
            np.broadcast_to(np.float32(similarity), count),
            pa.nulls(count, pa.int8()) if distance is None else np.asarray(distance, np.int8),
        ]
        return cls(pa.table([pa.array(column) for column in columns], schema=cls.SCHEMA))

    @classmethod
    def none(cls) -> Pairs:
        """No pairs."""
        return cls(cls.SCHEMA.empty_table())

    @staticmethod
    def joined(several: list[Pairs]) -> pa.Table:
        """All pairs in one table."""
        return pa.concat_tables([pairs.table for pairs in several])


def near_texts(rows: Rows, sources: list[MeetSource], sketches: Sketches) -> Pairs:
    """The pairs of pure texts that share a hash and are near by the stricter of their sources' thresholds."""
    meeting = _meeting(rows, sources)
    least = np.array([source.near_text or 1.0 for source in sources])
    found = [Pairs.none()]
    for some in near.pieces(rows["hash"][meeting], PIECE):
        numbers = meeting[some]
        first, later, similarity = near.pairs_of_texts(
            sketches.signatures(rows, numbers),
            least[rows["place"][numbers]],
            rows["hash"][numbers],
            rows["band"][numbers],
        )
        found.append(Pairs.of(rows, numbers[first], numbers[later], "near_text", similarity, None))
    return Pairs(Pairs.joined(found))


def near_pictures_of(rows: Rows, sources: list[MeetSource], sketches: Sketches) -> Pairs:
    """The pairs of samples that share a hash and are near in all their pictures, in their questions and their answers.

    Samples of equal turns share all bands: a group of nothing else is compared in the first of them alone. In each
    group those PARTNERS are named that stand first.
    """
    meeting = _meeting(rows, sources)
    meeting = meeting[(rows["band"][meeting] == 0) | differ(rows["hash"][meeting], rows["other"][meeting])]
    radius = np.array([source.radius or 0 for source in sources])[rows["place"][meeting]]
    least = np.array([source.near_turns for source in sources])[rows["place"]]
    met = near_pictures.pairs_of_pictures(rows["hash"][meeting], sketches.pictures(rows, meeting), radius)
    empty = np.zeros(0, np.int64)
    found = (empty, empty, np.zeros(0, np.float32), np.zeros(0, np.int8))
    for first, later, distance in met:
        for start in range(0, len(first), PIECE):
            some = slice(start, start + PIECE)
            alike = _alike(rows, sketches, least, meeting[first[some]], meeting[later[some]], distance[some])
            found = _joined(found, alike)
            if len(found[0]) > PIECE + near.PARTNERS * len(meeting):
                found = _first_partners(found)
    first, later, similarity, distance = _first_partners(found)
    return Pairs.of(rows, first, later, "near_picture", similarity, distance)


Found = tuple[
    Any, Any, Any, Any
]  # numbers of rows: first, later; similarity of their turns; distance of their pictures


def _alike(rows: Rows, sketches: Sketches, least: Any, first: Any, later: Any, distance: Any) -> Found:
    """Those of some pairs whose questions and whose answers are near, and which share no earlier band."""
    numbers, ends = np.unique(np.concatenate([first, later]), return_inverse=True)
    ours, theirs = np.split(ends, 2)
    sides = sketches.sides(rows, numbers)
    asked, answered = (near.similarities(sides[:, side], ours, theirs) for side in (0, 1))
    similarity = np.minimum(asked, answered)
    kept = np.flatnonzero(similarity >= np.maximum(least[first], least[later]))
    first, later = first[kept], later[kept]
    one, other = (sketches.signatures(rows, some) for some in (first, later))
    kept_here = near.first_met(one, other, rows["band"][later])
    kept = kept[kept_here]
    return first[kept_here], later[kept_here], similarity[kept], distance[kept]


def _joined(found: Found, more: Found) -> Found:
    first, later, similarity, distance = (np.concatenate(some) for some in zip(found, more, strict=True))
    return first, later, similarity, distance


def _first_partners(found: Found) -> Found:
    order = near.first_few(found[0], found[1], near.PARTNERS)
    first, later, similarity, distance = (column[order] for column in found)
    return first, later, similarity, distance


def differ(hashes: Any, other: Any) -> Any:
    """bool[n]: whether rows, sorted by hash, share theirs with one that differs in the rest."""
    if not len(hashes):
        return np.zeros(0, bool)
    new = np.diff(hashes, prepend=~hashes[:1]) != 0
    starts = np.flatnonzero(new)
    several = np.minimum.reduceat(other, starts) != np.maximum.reduceat(other, starts)
    return several[np.cumsum(new) - 1]


def _meeting(rows: Rows, sources: list[MeetSource]) -> Any:
    """The numbers of the rows that meet another of the same hash.

    Of those with equal turns and media, in sources that say the same of being near, it is the first: the rest leave
    with it.
    """
    hashes, twins, classes = rows["hash"], rows["twin"], classes_of(sources)[rows["place"]]
    order = np.lexsort((np.arange(len(hashes)), classes, twins, hashes))
    new = np.zeros(len(order), bool)
    new[:1] = True
    for column in (hashes, twins, classes):
        new[1:] |= column[order][1:] != column[order][:-1]
    kept = np.sort(order[new])
    same = hashes[kept][1:] == hashes[kept][:-1]
    several = np.zeros(len(kept), bool)
    several[1:] |= same
    several[:-1] |= same
    return kept[several]


def classes_of(sources: list[MeetSource]) -> Any:
    """A number for each source, equal for those whose cards say the same of being near."""
    numbers = {nearness: number for number, nearness in enumerate(dict.fromkeys(s.nearness for s in sources))}
    return np.array([numbers[source.nearness] for source in sources], np.int64)

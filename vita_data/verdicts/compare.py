"""Comparing samples that met: which pairs are near enough, in turns and in pictures."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from vita_data import files
from vita_data.curate import near, near_pictures
from vita_data.verdicts.meeting import MeetSource
from vita_data.verdicts.signals import signals_name

KINDS = ("exact", "near_text", "near_picture")
PARTS_HELD = 64


@dataclass(frozen=True)
class Pairs:
    """Pairs of samples, the one that stands first in the order of a mixture named first."""

    SCHEMA = pa.schema(
        [
            ("first_place", pa.int16()),
            ("first", pa.uint64()),
            ("later_place", pa.int16()),
            ("later", pa.uint64()),
            ("kind", pa.int8()),  # an index into KINDS
            ("similarity", pa.float32()),
            ("distance", pa.int8()),
        ]
    )
    table: pa.Table

    @classmethod
    def of(
        cls, rows: dict[str, Any], first: Any, later: Any, kind: str, similarity: Any, distance: Any
    ) -> Pairs:
        """Pairs of rows by their numbers, with what was measured of each."""
        count = len(first)
        columns = [
            rows["place"][first],
            rows["name"][first],
            rows["place"][later],
            rows["name"][later],
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


class Signals:
    """The signatures and hashes of samples, read a part at a time, the last few parts kept."""

    def __init__(self, folders: list[str]) -> None:
        self._folders = folders
        self._part = functools.lru_cache(maxsize=PARTS_HELD)(self._read)

    def _read(self, place: int, part: int) -> tuple[Any, pa.Array]:
        path = files.join(self._folders[place], signals_name(part))
        table = files.read_table(path, ["signature", "hashes"])
        data = b"".join(table.column("signature").to_pylist())
        signatures = np.frombuffer(data, "<u4").reshape(len(table), -1)
        return signatures, table.column("hashes").combine_chunks()

    def of(self, rows: dict[str, Any], numbers: Any, pictures: bool) -> tuple[Any, list[list[int | None]]]:
        """(signatures, hashes of the pictures where they are wanted) of some rows, in their order."""
        places = np.stack([rows["place"][numbers].astype(np.int64), rows["part"][numbers]], 1)
        signatures: Any = None
        hashes: list[list[int | None]] = [[] for _ in numbers] if pictures else []
        for place, part in np.unique(places, axis=0):
            here = np.flatnonzero((places == (place, part)).all(axis=1))
            all_signatures, all_hashes = self._part(int(place), int(part))
            wanted = rows["row"][numbers[here]]
            if signatures is None:
                signatures = np.empty((len(numbers), all_signatures.shape[1]), np.uint32)
            signatures[here] = all_signatures[wanted]
            if pictures:
                for number, found in zip(here, all_hashes.take(pa.array(wanted)).to_pylist(), strict=True):
                    hashes[number] = found
        return signatures, hashes


def near_texts(rows: dict[str, Any], sources: list[MeetSource], signals: Signals) -> Pairs:
    """The pairs of pure texts among rows that share a hash which are near by the stricter of their sources' thresholds.

    `rows` are sorted by hash and then by who stays. Of those with equal turns only the first meets the others,
    since the rest leave as exact duplicates.
    """
    meeting = _meeting(rows)
    if not len(meeting):
        return Pairs.none()
    signatures, _ = signals.of(rows, meeting, pictures=False)
    least = np.array([source.near_text or 1.0 for source in sources])[rows["place"][meeting]]
    first, later, similarity = near.pairs_of_texts(signatures, least, rows["hash"][meeting])
    return Pairs.of(rows, meeting[first], meeting[later], "near_text", similarity, None)


def near_pictures_of(rows: dict[str, Any], sources: list[MeetSource], signals: Signals) -> Pairs:
    """The pairs of samples with pictures among rows that share a hash which are near in pictures and in turns."""
    found = [Pairs.none()]
    meeting = _meeting(rows)
    hashes = rows["hash"][meeting]
    starts = np.flatnonzero(np.diff(hashes, prepend=~hashes[:1]))
    turns = np.array([source.near_turns for source in sources])
    radius = np.array([source.radius or 0 for source in sources])
    for group in np.split(meeting, starts[1:]) if len(meeting) else ():
        signatures, pictures = signals.of(rows, group, pictures=True)
        places = rows["place"][group]
        first, later, similarity, distance = near_pictures.pairs_of_pictures(
            signatures, pictures, turns[places], radius[places]
        )
        found.append(Pairs.of(rows, group[first], group[later], "near_picture", similarity, distance))
    return Pairs(Pairs.joined(found))


def _meeting(rows: dict[str, Any]) -> Any:
    """The numbers of the rows that meet another of the same hash: of those with equal turns and media the first."""
    if not len(rows["hash"]):
        return np.zeros(0, np.int64)
    order = np.lexsort((np.arange(len(rows["hash"])), rows["twin"], rows["hash"]))
    hashes, twins = rows["hash"][order], rows["twin"][order]
    new = np.ones(len(order), bool)
    new[1:] = (hashes[1:] != hashes[:-1]) | (twins[1:] != twins[:-1])
    kept = np.sort(order[new])
    hashes = rows["hash"][kept]
    same = hashes[1:] == hashes[:-1]
    several = np.zeros(len(kept), bool)
    several[1:] |= same
    several[:-1] |= same
    return kept[several]

"""Samples that a training goes without, each by name and reason."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from vita_data.errors import RecordError
from vita_data.shards.read import Pack, Place, Sample, Stage
from vita_model.batch.decode import Unreadable

Made = TypeVar("Made")


class LeftOut(Mapping[str, RecordError]):
    """The reason for each, by key; what is found in one rank's packs is not yet known to the others, and `fresh`."""

    def __init__(self) -> None:
        self._reasons: dict[str, RecordError] = {}
        self._fresh: dict[str, RecordError] = {}
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[str]:
        return iter(self._reasons)

    def __len__(self) -> int:
        return len(self._reasons)

    def __getitem__(self, key: str) -> RecordError:
        return self._reasons[key]

    def add(self, key: str, error: RecordError) -> None:
        """One more, for this reason."""
        with self._lock:
            self._reasons[key] = self._fresh[key] = error

    def fresh(self) -> list[dict[str, Any]]:
        """The rows of what was added since this was last asked."""
        with self._lock:
            found, self._fresh = self._fresh, {}
        return _rows(found)

    def rows(self) -> list[dict[str, Any]]:
        """{key, rule, value, threshold, message} of each, by key."""
        with self._lock:
            return _rows(self._reasons)

    def learn(self, rows: Iterable[dict[str, Any]]) -> None:
        """Takes over what another rank, or this training before, has found."""
        with self._lock:
            for row in rows:
                error = RecordError(row["rule"], row["message"], row["value"], row["threshold"])
                self._reasons[row["key"]] = error

    def kept(self, stage: Stage, pack: Pack, encode: Callable[[Sample], Made]) -> list[Made]:
        """What `encode` makes of a pack's samples, but for those left out and those whose media no decoder reads."""

        def read(place: Place) -> Made:
            return encode(stage.sample(place.shard, place.row))

        found = [self.tried(stage, place, read) for place in pack.samples]
        return [made for made in found if made is not None]

    def tried(self, stage: Stage, place: Place, read: Callable[[Place], Made]) -> Made | None:
        """What `read` makes of a sample; None for one that is left out, or is from now on, as no decoder reads it.

        A medium that is not what its index says is the shard's damage, and a ShardError.
        """
        if place.key in self:
            return None
        try:
            return read(place)
        except Unreadable as error:
            if not stage.shard(place.shard).intact(place.row):
                raise
            self.add(place.key, RecordError(error.rule, str(error), error.value, error.threshold))
            return None


def _rows(reasons: dict[str, RecordError]) -> list[dict[str, Any]]:
    return [
        {
            "key": key,
            "rule": error.rule,
            "value": error.value,
            "threshold": error.threshold,
            "message": str(error),
        }
        for key, error in sorted(reasons.items())
    ]

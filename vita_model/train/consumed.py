"""What share of each source a training has really gone through, by the order of its packs and the stage's index."""

from __future__ import annotations

from collections import Counter
from copy import copy
from typing import Any

import numpy

from vita_data.shards.read import Place, Stage
from vita_model.batch.left_out import LeftOut
from vita_model.batch.order import Order
from vita_model.train.breakdown import source_of

COUNTED = ("samples", "questions", "tokens")


class Consumed:
    """Counts a training's samples from its first step on, without media and without anything a crash could lose.

    Steps that are counted are not gone through again, unless samples were left out since: those were not consumed,
    wherever they stand in the order.
    """

    def __init__(self, stage: Stage, order: Order, left_out: LeftOut) -> None:
        self._stage = stage
        self._order = copy(order)  # it remembers an epoch, and the loader's thread is in another
        self._left_out = left_out
        self._sizes: dict[int, numpy.ndarray] = {}
        self._without = -1
        self._through = 0
        self._sums: dict[str, Counter[str]] = {}
        self._whole: dict[str, int] = {}

    def after(self, steps: int) -> dict[str, dict[str, float]]:
        """{source: {samples, of, share, questions, tokens}} after so many steps.

        `of` are the source's samples in the stage, each once; `share` is above 1 where epochs repeat them.
        """
        if len(self._left_out) != self._without or steps < self._through:
            self._without, self._through, self._sums = len(self._left_out), 0, {}
        for step in range(self._through, steps):
            for pack in self._order.step(step):
                for place in pack.samples if pack is not None else ():
                    self._count(place)
        self._through = steps
        whole = self._all()
        return {source: _told(self._sums.get(source, Counter()), whole[source]) for source in sorted(whole)}

    def _count(self, place: Place) -> None:
        if place.key in self._left_out:
            return
        questions, tokens = self._rows(place.shard)[place.row]
        sums = self._sums.setdefault(source_of(place.key), Counter())
        sums["samples"] += 1
        sums["questions"] += int(questions)
        sums["tokens"] += int(tokens)

    def _all(self) -> dict[str, int]:
        """How many samples of each source the stage has."""
        if not self._whole:
            counts: Counter[str] = Counter()
            for number in range(self._stage.shard_count):
                found = self._stage.shard(number).table.column("source").value_counts().to_pylist()
                counts.update({row["values"]: row["counts"] for row in found})
            self._whole = dict(counts)
        return self._whole

    def _rows(self, shard: int) -> numpy.ndarray:
        """Questions and tokens of a shard's samples."""
        if shard not in self._sizes:
            table = self._stage.shard(shard).table
            columns = [table.column(name).to_numpy() for name in ("questions", "length")]
            self._sizes[shard] = numpy.column_stack(columns)
        return self._sizes[shard]


def _told(sums: Counter[str], whole: int) -> dict[str, Any]:
    counts = {name: sums[name] for name in COUNTED}
    return {**counts, "of": whole, "share": counts["samples"] / whole}

"""Where a sample stands in the order in which its source is drawn."""

from __future__ import annotations

from typing import Any

from vita_data import files
from vita_data.select.draw import column_of, eligible
from vita_data.select.holdout import HoldOut


class Ranks:
    """The order of one source in one stage, from its measures and the hold-out of the stage's plan."""

    def __init__(self, measures: str, unit: str, hold_out: dict[str, Any], late: frozenset[str]) -> None:
        self._paths = [files.join(measures, name) for name in files.matching(measures, "part-*.parquet")]
        self._column = column_of(unit)
        self._hold_out = HoldOut.of(hold_out)
        self._late = late

    def of(self, key: str) -> int | None:
        """The place of a sample among those that could be drawn, from 1; 0 for one that could not; None if unknown."""
        own = self._selection(key)
        if own is None:
            return None
        before, there = 0, False
        for part in eligible(self._paths, self._column, self._hold_out, self._late):
            before += int((part.selection < own).sum())
            same = part.keys[part.selection == own].tolist()
            before += sum(other < key for other in same)
            there = there or key in same
        return before + 1 if there else 0

    def _selection(self, key: str) -> Any:
        for path in self._paths:
            table = files.read_table(path, ["key", "selection"])
            row = table.column("key").index(key).as_py()
            if row >= 0:
                return table.column("selection").to_numpy()[row]
        return None

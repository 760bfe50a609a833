"""What a run's files say over its steps, as curves: smoothed, and few enough points to draw."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from vita_data import files
from vita_data.errors import UsageError

METRICS, VALIDATION, RUN = "metrics.jsonl", "validation.jsonl", "run.json"
TERM = "loss_"
POINTS = 800
SPAN = 50  # a curve is smoothed over such a part of its length


@dataclass(frozen=True)
class Curve:
    """Values over steps, as measured and smoothed; `points` are few and stand each for itself."""

    name: str
    steps: Sequence[int]
    values: Sequence[float]
    smooth: Sequence[float]
    points: bool = False


@dataclass(frozen=True)
class Run:
    """A run's metrics and validations, line by line."""

    name: str
    stage: str
    lines: list[dict[str, Any]]
    validations: list[dict[str, Any]]

    def curve(self, key: str, name: str, group: str | None = None, exact: bool = False) -> Curve | None:
        """One number of each step that has it, by its key among the metrics or in a group of them."""
        found = [(line["step"], _value(line, key, group)) for line in self.lines]
        return curve_of(name, ((step, value) for step, value in found if value is not None), exact)

    def group(self, group: str) -> list[Curve | None]:
        """The curves of all that a group of the metrics tells apart."""
        keys = {key for line in self.lines for key in line.get(group) or {}}
        return [self.curve(key, key, group) for key in sorted(keys)]

    def terms(self) -> list[Curve | None]:
        """The curves of the terms of the loss."""
        names = {name for line in self.lines for name in line if name.startswith(TERM)}
        return [self.curve(name, name.removeprefix(TERM)) for name in sorted(names)]

    def held_out(self) -> list[Curve | None]:
        """The held-out loss of each source."""
        sources = {source for line in self.validations for source in line["sources"]}
        return [self.validation(source, source) for source in sorted(sources)]

    def validation(self, name: str, source: str | None = None) -> Curve | None:
        """The held-out loss, or that of one source."""
        told = [
            (line["step"], line if source is None else line["sources"].get(source))
            for line in self.validations
        ]
        found = [(step, said["loss"]) for step, said in told if said and said["loss"] is not None]
        if not found:
            return None
        steps, values = zip(*found, strict=True)
        return Curve(name, steps, values, values, points=True)


def curve_of(name: str, rows: Iterable[tuple[int, float]], exact: bool = False) -> Curve | None:
    """A curve of (step, value), thinned so that what stands out stays; None where there is nothing.

    What is `exact` has no noise that smoothing would take away.
    """
    kept = [(step, value) for step, value in rows if math.isfinite(value)]
    if not kept:
        return None
    steps, values = zip(*kept, strict=True)
    smooth = list(values) if exact else smoothed(values, len(values) // (2 * SPAN))
    size = math.ceil(len(values) / POINTS)
    odd = [
        max(range(first, min(first + size, len(values))), key=lambda at: abs(values[at] - smooth[at]))
        for first in range(0, len(values), size)
    ]
    return Curve(name, [steps[at] for at in odd], [values[at] for at in odd], [smooth[at] for at in odd])


def smoothed(values: Sequence[float], span: int) -> list[float]:
    """The mean of the values up to `span` before and after each, and at the beginning, where losses fall fast, of as
    many after as there are before.
    """
    sums = list(accumulate(values, initial=0.0))
    found = []
    for at in range(len(values)):
        first, last = at - min(span, at), at + min(span, at, len(values) - 1 - at)
        found.append((sums[last + 1] - sums[first]) / (last + 1 - first))
    return found


def runs_of(places: Sequence[Path]) -> list[Run]:
    """The runs at some places, each a run or a folder of runs; UsageError where there is none."""
    found = {run.resolve(): run for place in places for run in _found(place)}
    names = _names(list(found))
    return [_read(run, name) for run, name in zip(found.values(), names, strict=True)]


def _found(place: Path) -> list[Path]:
    below = (place, *place.glob("*"), *place.glob("*/*"))
    found = sorted(run for run in below if (run / METRICS).exists() and (run / RUN).exists())
    if not found:
        raise UsageError(f"{place} holds no metrics of a run; name what `vita-model train --out` has made.")
    return [place] if place in found else found


def _names(runs: list[Path]) -> list[str]:
    """The last part of each path, or as many as tell them from each other."""
    most = max(len(run.parts) for run in runs)
    for parts in range(1, most + 1):
        names = ["/".join(run.parts[-parts:]) for run in runs]
        if len(set(names)) == len(names):
            break
    return names


def _read(run: Path, name: str) -> Run:
    stage = str(files.read_json(str(run / RUN))["stage"])
    return Run(name, stage, _lines(run / METRICS), _lines(run / VALIDATION))


def _lines(path: Path) -> list[dict[str, Any]]:
    """Every whole line: the last may be half written by a run that goes on."""
    if not path.exists():
        return []
    whole = (
        line for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")
    )
    return [json.loads(line) for line in whole]


def _value(line: dict[str, Any], key: str, group: str | None) -> float | None:
    value = (line if group is None else line.get(group) or {}).get(key)
    return None if value is None else float(value)

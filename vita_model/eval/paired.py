"""Two models on the same questions: how far apart they are, and whether chance alone would put them there."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vita_data.errors import UsageError
from vita_model.eval.metrics import wilson

Asked = tuple[str, int]  # a sample's key and the turn of its answer


def compare(first: Mapping[Asked, bool], second: Mapping[Asked, bool]) -> dict[str, Any]:
    """{questions, first, second, difference, interval, only_first, only_second, p} over the questions of both.

    `difference` is second minus first, its 95 % interval Newcombe's for paired shares (1998, method 10), `p` that of
    McNemar's exact test, two-sided. UsageError where they share no question.
    """
    shared = sorted(first.keys() & second.keys())
    if not shared:
        raise UsageError("the two files of answers share no question; score the same stage with both models.")
    both = sum(first[asked] and second[asked] for asked in shared)
    only_first = sum(first[asked] and not second[asked] for asked in shared)
    only_second = sum(second[asked] and not first[asked] for asked in shared)
    count = len(shared)
    return {
        "questions": count,
        "first": (both + only_first) / count,
        "second": (both + only_second) / count,
        "difference": (only_second - only_first) / count,
        "interval": _newcombe(both, only_second, only_first, count),
        "only_first": only_first,
        "only_second": only_second,
        "p": mcnemar(only_first, only_second),
    }


def mcnemar(only_first: int, only_second: int) -> float:
    """The exact two-sided p of so many questions that one alone got right (McNemar, 1947)."""
    count = only_first + only_second
    tail = sum(math.comb(count, k) for k in range(min(only_first, only_second) + 1))
    return float(min(1.0, 2 * tail / 2**count))


def read_answers(path: Path) -> dict[Asked, bool]:
    """Which questions of an answers.jsonl were answered rightly; those that were not put are left out."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {(line["key"], line["turn"]): line["right"] for line in lines if line.get("right") is not None}


def _newcombe(both: int, second: int, first: int, count: int) -> tuple[float, float]:
    """The interval of the second's share minus the first's: both right, the second alone, the first alone."""
    neither = count - both - second - first
    ours, theirs = (both + second) / count, (both + first) / count
    (low, high), (their_low, their_high) = _wilson(both + second, count), _wilson(both + first, count)
    below, above = ours - low, high - ours
    their_below, their_above = theirs - their_low, their_high - theirs
    margins = (both + second) * (first + neither) * (both + first) * (second + neither)
    product = both * neither - second * first
    corrected = max(product - count / 2, 0.0) if product > 0 else product
    phi = corrected / math.sqrt(margins) if margins else 0.0
    down = math.sqrt(max(0.0, below**2 - 2 * phi * below * their_above + their_above**2))
    up = math.sqrt(max(0.0, their_below**2 - 2 * phi * their_below * above + above**2))
    difference = ours - theirs
    return difference - down, difference + up


def _wilson(right: int, count: int) -> tuple[float, float]:
    found = wilson(right, count)
    assert found is not None
    return found

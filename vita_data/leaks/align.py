"""The heaviest common subsequence of a question and a stretch of text, for many pairs at once."""

from __future__ import annotations

from typing import Any

import numpy as np

CELLS = 1 << 16  # values of one step, so that they stay in the cache


def common(
    questions: Any, weights: Any, firsts: Any, lengths: Any, texts: Any, starts: Any, ends: Any
) -> Any:
    """int32[n]: the weight of the tokens that two stretches have in common in the same order, at its most.

    Pair i is `questions[firsts[i]:firsts[i] + lengths[i]]`, weighing as `weights` say, and `texts[starts[i]:ends[i]]`.
    """
    result = np.zeros(len(firsts), np.int32)
    spans = ends - starts
    order = np.lexsort((spans, lengths))
    place = 0
    while place < len(order) and len(texts):
        width = int(spans[order[place : place + 256]].max())
        count = min(max(CELLS // max(width, 1), 1), 256)
        some = order[place : place + count]
        place += len(some)
        result[some] = _step(
            _padded(questions, firsts[some], lengths[some], 0),
            _padded(weights, firsts[some], lengths[some], 0),
            _padded(texts, starts[some], spans[some], 1),
        )
    return result


def _padded(values: Any, firsts: Any, counts: Any, fill: int) -> Any:
    """A row for each stretch of values, filled up behind its end."""
    places = np.arange(max(int(counts.max()), 1))
    rows = values[np.minimum(firsts[:, None] + places, len(values) - 1)]
    rows[places >= counts[:, None]] = fill
    return rows


def _step(questions: Any, weights: Any, texts: Any) -> Any:
    """Row after row of the table of common subsequences (Wagner and Fischer 1974), all pairs together."""
    best = np.zeros((len(texts), texts.shape[1] + 1), np.int32)
    for place in range(questions.shape[1]):
        gain = (texts == questions[:, place, None]) * weights[:, place, None]
        gain += best[:, :-1]
        np.maximum(gain, best[:, 1:], out=gain)
        np.maximum.accumulate(gain, axis=1, out=best[:, 1:])
    return best[:, -1]

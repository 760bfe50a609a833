"""The heaviest common subsequence of many pairs, beside the textbook's."""

from __future__ import annotations

import functools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vita_data.leaks.align import common

WORDS = st.lists(st.integers(2, 6), max_size=8)


def heaviest(one: tuple[int, ...], other: tuple[int, ...], weights: tuple[int, ...]) -> int:
    """By recursion on the first tokens."""

    @functools.cache
    def best(a: int, b: int) -> int:
        if a == len(one) or b == len(other):
            return 0
        both = weights[a] + best(a + 1, b + 1) if one[a] == other[b] else 0
        return max(both, best(a + 1, b), best(a, b + 1))

    return best(0, 0)


@given(st.lists(st.tuples(WORDS, WORDS), max_size=6))
def test_many_pairs_at_once_give_what_each_gives_alone(pairs: list[tuple[list[int], list[int]]]) -> None:
    questions = np.array([word for one, _ in pairs for word in one], np.uint64)
    texts = np.array([word for _, other in pairs for word in other], np.uint64)
    weights = np.arange(1, len(questions) + 1, dtype=np.int32)
    lengths = np.array([len(one) for one, _ in pairs], np.int64)
    spans = np.array([len(other) for _, other in pairs], np.int64)
    firsts, starts = np.cumsum(lengths) - lengths, np.cumsum(spans) - spans
    if not len(questions):
        return
    found = common(questions, weights, firsts, lengths, texts, starts, starts + spans)
    expected = [
        heaviest(tuple(one), tuple(other), tuple(weights[first : first + len(one)].tolist()))
        for (one, other), first in zip(pairs, firsts.tolist(), strict=True)
    ]
    assert found.tolist() == expected

"""How much each token of a question says, in bits: what the other questions do not let one expect.

A model of three tokens over all questions, each left out of its own prediction. "In the picture" says next to
nothing where many questions end so, a rare name a lot: evidence is counted in this currency.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from vita_data.curate.words import OF_TOKENS, mixed
from vita_data.leaks.plain import CHARACTERS, WORDS
from vita_data.leaks.tokens import Tokens, tokens_of

# Raise when a token would say more or less.
VERSION = 1
UNIT = 16  # parts of a bit: whole numbers add up alike everywhere
MOST_BITS = 14.0
WORD_BITS, CHARACTER_BITS, PLAIN_BITS = 13.0, 9.5, 4.0  # of a token of which the questions tell nothing
PRIOR = 20_000.0  # tokens; so many outweigh what is expected without any
FEW = 6.0  # other occurrences in a context that make nothing common: a question may have some copies
BELIEF = (
    24.0  # occurrences beyond those, for what is seen in a context to weigh as much as what is seen without
)
END = np.uint64(0x3C6EF372FE94F82B)  # stands before the first token and after the last


def information(some: Tokens, counted: Any) -> Any:
    """int32[tokens]: what each token of these questions says, in sixteenths of a bit; counts are of those tokens that
    `counted`, bool[tokens], names.

    A token says what the two before it leave open, or the two behind it, whichever is less, so
    that the plain words after a rare one stay plain.
    """
    h, firsts = some.hashes, some.firsts
    question = np.repeat(np.arange(len(firsts) - 1), np.diff(firsts))
    expected = np.exp2(-_plain_bits(some))
    everywhere = max(int(np.count_nonzero(counted)) - 1, 0)
    alone = (_others(mixed(h.copy()), counted) + PRIOR * expected) / (everywhere + PRIOR)
    share = alone
    for ends, step in ((firsts[:-1], 1), (firsts[1:] - 1, -1)):
        place = (np.arange(len(h)) - ends[question]) * step
        share = np.maximum(share, _in_context(h, place, step, counted, alone))
    return np.rint(np.minimum(-np.log2(share), MOST_BITS) * UNIT).astype(np.int32)


def _in_context(h: Any, place: Any, step: int, counted: Any, share: Any) -> Any:
    """The expectation of each token by the two next to it on one side."""
    one, two = _beside(h, place, step), _beside(h, place, 2 * step)
    pair = _joined(one, h)
    for hashes, context in ((pair, mixed(one.copy())), (_joined(_joined(two, one), h), _joined(two, one))):
        count, places = (np.maximum(_others(some, counted) - FEW, 0) for some in (hashes, context))
        share = (count + BELIEF * share) / (np.maximum(places, count) + BELIEF)
    return share


def _beside(hashes: Any, place: Any, step: int) -> Any:
    """The token `step` places before each; outside of the question stands END. `place` counts from that end."""
    result = np.full(len(hashes), END)
    there = np.flatnonzero(place >= abs(step))
    result[there] = hashes[there - step]
    return result


def _joined(first: Any, second: Any) -> Any:
    return mixed(first * OF_TOKENS + second)


def _others(hashes: Any, counted: Any) -> Any:
    """How often each hash stands in other places that are counted."""
    values, counts = np.unique(hashes[counted], return_counts=True)
    if not len(values):
        return np.zeros(len(hashes))
    found = np.minimum(np.searchsorted(values, hashes), len(values) - 1)
    return np.where(values[found] == hashes, np.maximum(counts[found] - 1, 0), 0).astype(np.float64)


def _plain_bits(some: Tokens) -> Any:
    bits = np.where(some.halves == 1, CHARACTER_BITS, WORD_BITS)
    plain = _plain()
    found = np.minimum(np.searchsorted(plain, some.hashes), len(plain) - 1)
    bits[(plain[found] == some.hashes) | (some.halves == 0)] = PLAIN_BITS
    return bits


@functools.cache
def _plain() -> Any:
    return np.unique(tokens_of([" ".join(WORDS), CHARACTERS]).hashes)

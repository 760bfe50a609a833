"""What is looked up when leaks of questions are searched: their runs of tokens, rare ones only, and their whole texts.

A question with options stands twice, without and with them, so that it is found either way. Equal texts stand
once, for the first question that has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from vita_data.leaks.bitmap import bitmap_of
from vita_data.leaks.information import information
from vita_data.leaks.tokens import HALVES_OF_WORD, Tokens, runs, stretches, tokens_of

# Raise when the arrays would hold something else.
VERSION = 1
COMMON = 40  # texts; a run of tokens in more of them leads to none


class Index(NamedTuple):
    """Texts of questions as arrays.

    Text t has the tokens `tokens[firsts[t]:firsts[t + 1]]`, which say `says`, `totals[t]` together, and belongs to
    question `owners[t]`; its length is `halves[t]` half words. `before` sums up `says`. `stems[q]` is the text of
    question q without its options, -1 if that has no tokens. `wholes` are sorted hashes of the texts numbered
    `of_wholes`. Run of tokens `grams[g]` stands in the texts `in_texts[a:b]` at the tokens `at_tokens[a:b]`, a and b
    from `gram_firsts[g:g + 2]`; `bitmap` has the bit of every run set.
    """

    tokens: Any
    says: Any
    before: Any
    firsts: Any
    totals: Any
    owners: Any
    halves: Any
    stems: Any
    wholes: Any
    of_wholes: Any
    grams: Any
    gram_firsts: Any
    in_texts: Any
    at_tokens: Any
    bitmap: Any


def build(questions: Sequence[str], options: Sequence[str]) -> Index:
    """The index of questions; `options` has the options of each in one text, empty where there are none."""
    written = [
        f"{stem}\n{rest}" if rest.strip() else stem for stem, rest in zip(questions, options, strict=True)
    ]
    with_options = [number for number, rest in enumerate(options) if rest.strip()]
    count = len(questions)
    texts = [*questions, *(written[number] for number in with_options)]
    numbers = np.array([*range(count), *with_options], np.int64)
    every = tokens_of(texts)
    counts = np.diff(every.firsts)
    filled = np.flatnonzero(counts)
    hashes = np.zeros(len(texts), np.uint64)
    hashes[filled] = stretches(every, every.firsts[filled], every.firsts[filled + 1])
    wholes, first_of, which = np.unique(hashes[filled], return_index=True, return_inverse=True)
    order = np.argsort(first_of, kind="stable")  # texts that stay, in the order in which they came
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    stems = np.full(len(texts), -1, np.int32)
    stems[filled] = rank[which]
    kept = filled[first_of[order]]
    some = _chosen(every, kept)
    stem_of = np.where(kept < count, 0, counts[numbers[kept]])  # tokens before the options of a text
    place = np.arange(len(some.hashes)) - np.repeat(some.firsts[:-1], np.diff(some.firsts))
    says = information(some, place >= np.repeat(stem_of, np.diff(some.firsts)))
    return Index(
        some.hashes,
        says,
        np.concatenate([[0], np.cumsum(says, dtype=np.int64)]),
        some.firsts,
        _sums(says, some.firsts).astype(np.int32),
        numbers[kept].astype(np.int32),
        _sums(some.halves, some.firsts).astype(np.int32),
        stems[:count],
        wholes,
        rank.astype(np.int32),
        *_grams(some, stem_of),
    )


def _chosen(some: Tokens, kept: Any) -> Tokens:
    """The tokens of some texts, without what is written."""
    counts = np.diff(some.firsts)[kept]
    firsts = np.concatenate([[0], np.cumsum(counts)])
    places = np.repeat(some.firsts[kept] - firsts[:-1], counts) + np.arange(firsts[-1])
    empty = np.zeros(0, np.int64)
    return Tokens(some.hashes[places], firsts, some.halves[places], empty, empty, empty, "")


def _sums(values: Any, firsts: Any) -> Any:
    return np.diff(np.concatenate([[0], np.cumsum(values, dtype=np.int64)])[firsts])


def _grams(some: Tokens, stem_of: Any) -> tuple[Any, Any, Any, Any, Any]:
    """(grams, gram_firsts, in_texts, at_tokens, bitmap) without the runs of tokens that are common.

    Runs that lie before the options of a text lead to that without options alone: many may share it.
    """
    hashes, places, widths = runs(some)
    text_of = np.searchsorted(some.firsts, places, side="right") - 1
    own = places + widths > some.firsts[text_of] + stem_of[text_of]
    hashes, places = hashes[own], places[own]
    order = np.argsort(hashes, kind="stable")
    hashes, places = hashes[order], places[order]
    text_of = np.searchsorted(some.firsts, places, side="right") - 1
    new = np.ones(len(hashes), bool)
    new[1:] = hashes[1:] != hashes[:-1]
    another = new.copy()
    another[1:] |= text_of[1:] != text_of[:-1]
    group = np.cumsum(new) - 1
    texts_in = np.bincount(group[another], minlength=int(new.sum()))
    rare = (texts_in <= COMMON)[group]
    starts = np.flatnonzero(new[rare])
    firsts = np.append(starts, np.count_nonzero(rare)).astype(np.int64)
    grams = hashes[rare][starts]
    in_texts, places = text_of[rare], places[rare]
    at_tokens = places - some.firsts[in_texts]
    return grams, firsts, in_texts.astype(np.int32), at_tokens.astype(np.int32), bitmap_of(grams)


def words_of(halves: int) -> float:
    """A length in words, of which two characters make one."""
    return halves / HALVES_OF_WORD

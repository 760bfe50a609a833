"""Leaks of questions in texts: equal ones, and those that stand somewhere in a text with a few words changed.

Rare runs of tokens lead to candidates; a stretch of the text around them is compared with the whole question.
What both have in common counts by what it says (`information.py`): by its share of all that the question says,
and by how much that is, since a match of few plain words is chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from vita_data.curate import words
from vita_data.leaks.align import common
from vita_data.leaks.bitmap import in_bitmap
from vita_data.leaks.index import Index, words_of
from vita_data.leaks.information import UNIT
from vita_data.leaks.tokens import Tokens, pieces, runs, stretches, tokens_of

# Raise when other leaks would be found, or be described otherwise.
VERSION = 1
SHARE = 0.65
BITS = 40.0
COVERED_SHARE, COVERED_BITS = 0.3, 14.0  # of what a question says, that rare runs hold at least
SLACK, SLACK_SHARE = 4, 10  # tokens more or fewer between two runs, and one in so many
BLOCK = 1 << 18  # characters looked at together


class Finding(NamedTuple):
    """A question in a text, both by number.

    `how` is "equal" if the text or a line of it is the question, else "near". `score` is the share, 0 to 1, of
    what the question says that stands there. `length` is the question's, in words; two characters are one.
    `words` is what stands in the text, in normal form.
    """

    text: int
    question: int
    how: str
    score: float
    length: float
    words: str


class _Matches(NamedTuple):
    """Arrays of places: a text of the index, a text, how much is common, and where it stands."""

    entries: Any
    texts: Any
    said: Any
    starts: Any
    ends: Any


def find(index: Index, texts: Sequence[str], share: float = SHARE, bits: float = BITS) -> list[Finding]:
    """What is found in texts, in their order, the best of each question."""
    findings: list[Finding] = []
    for first, end in words.blocks(texts, BLOCK):
        some = tokens_of(texts[first:end])
        equal = _equal(index, some)
        near = _near(index, some, share, bits)
        findings += _best(index, some, first, equal, near)
    return findings


def likeness(index: Index, texts: Sequence[str], questions: Sequence[int]) -> Any:
    """float64[n]: the share of what question i, without its options, says that stands in text i in its order.

    For pairs that something else connects, such as a picture: it does not ask how much that is.
    """
    result = np.zeros(len(texts))
    for first, end in words.blocks(texts, BLOCK):
        some = tokens_of(texts[first:end])
        entries = index.stems[np.asarray(questions[first:end], np.int64)]
        known = np.flatnonzero(entries >= 0)
        entries = entries[known]
        said = _common(index, entries, some, some.firsts[known], some.firsts[known + 1])
        result[first + known] = said / np.maximum(index.totals[entries], 1)
    return result


def _common(index: Index, entries: Any, some: Tokens, starts: Any, ends: Any) -> Any:
    firsts = index.firsts[entries]
    lengths = index.firsts[entries + 1] - firsts
    return common(index.tokens, index.says, firsts, lengths, some.hashes, starts, ends)


def _equal(index: Index, some: Tokens) -> _Matches:
    """Texts and lines that are a question."""
    longest = int(np.diff(index.firsts).max(initial=0))
    firsts, ends, texts = pieces(some, longest)
    hashes = stretches(some, firsts, ends)
    found = np.searchsorted(index.wholes, hashes)
    found[found == len(index.wholes)] = 0
    there = np.flatnonzero(index.wholes[found] == hashes) if len(index.wholes) else np.zeros(0, np.int64)
    entries = index.of_wholes[found[there]]
    return _Matches(entries, texts[there], index.totals[entries], firsts[there], ends[there])


def _near(index: Index, some: Tokens, share: float, bits: float) -> _Matches:
    """Stretches of texts that are near to a question."""
    candidates = _candidates(index, some)
    margin = SLACK // 2
    entries, texts = candidates.entries, candidates.texts
    starts = np.maximum(candidates.starts - margin, some.firsts[texts])
    ends = np.minimum(candidates.ends + margin, some.firsts[texts + 1])
    said = _common(index, entries, some, starts, ends)
    near = (said >= bits * UNIT) & (said >= share * index.totals[entries])
    starts = np.maximum(candidates.starts, some.firsts[texts])
    ends = np.minimum(candidates.ends, some.firsts[texts + 1])
    return _Matches(entries[near], texts[near], said[near], starts[near], ends[near])


def _hits(index: Index, some: Tokens) -> tuple[Any, Any, Any, Any]:
    """(entries, places there, places in the texts, widths) of every rare run of tokens that both have."""
    hashes, places, widths = runs(some)
    seen = in_bitmap(index.bitmap, hashes)
    hashes = hashes[seen]
    found = np.minimum(np.searchsorted(index.grams, hashes), max(len(index.grams) - 1, 0))
    there = np.flatnonzero(index.grams[found] == hashes) if len(index.grams) else np.zeros(0, np.int64)
    grams, seen = found[there], seen[there]
    starts = index.gram_firsts[grams]
    counts = index.gram_firsts[grams + 1] - starts
    nth = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    postings = np.repeat(starts, counts) + nth
    hit = np.repeat(seen, counts)
    return index.in_texts[postings], index.at_tokens[postings].astype(np.int64), places[hit], widths[hit]


def _candidates(index: Index, some: Tokens) -> _Matches:
    """Where whole questions would stand, by the runs of tokens that were found of them, if these say enough."""
    entries, places, at, widths = _hits(index, some)
    begins = at - places  # where the question's first token would stand
    longest = int(np.diff(index.firsts).max(initial=0))
    stride = len(some.hashes) + 2 * longest + 2
    order = np.argsort(entries.astype(np.int64) * stride + begins, kind="stable")
    entries, places, begins, widths, at = (column[order] for column in (entries, places, begins, widths, at))
    texts = np.searchsorted(some.firsts, at, side="right") - 1
    group = _groups(index, entries, texts, begins)
    order = np.lexsort((places, group))
    first = np.flatnonzero(np.diff(group, prepend=-1))
    covered = _covered(index, entries[order], places[order], widths[order], group)
    if not len(first):
        return _Matches(*(np.zeros(0, np.int64) for _ in range(5)))
    covered = np.add.reduceat(covered, first)
    low, high = np.minimum.reduceat(begins, first), np.maximum.reduceat(begins, first)
    entries, texts = entries[first], texts[first]
    least = np.maximum(COVERED_SHARE * index.totals[entries], COVERED_BITS * UNIT)
    kept = np.flatnonzero(covered >= least)
    ends = high + index.firsts[entries + 1] - index.firsts[entries]
    return _Matches(entries[kept], texts[kept], covered[kept], low[kept], ends[kept])


def _groups(index: Index, entries: Any, texts: Any, begins: Any) -> Any:
    """int64[n]: numbers of runs of hits that belong together: of one question, in one text, at about one place."""
    lengths = index.firsts[entries + 1] - index.firsts[entries]
    new = np.ones(len(entries), bool)
    new[1:] = (entries[1:] != entries[:-1]) | (texts[1:] != texts[:-1])
    new[1:] |= begins[1:] - begins[:-1] > SLACK + lengths[1:] // SLACK_SHARE
    group = np.cumsum(new) - 1
    spread = begins - begins[np.flatnonzero(new)[group]]
    part = spread // (lengths + 2 * SLACK)  # a text that repeats a run over and over
    new[1:] |= part[1:] != part[:-1]
    return np.cumsum(new) - 1


def _covered(index: Index, entries: Any, places: Any, widths: Any, group: Any) -> Any:
    """What the tokens say that each hit adds to those before it in its group; hits in the order of places."""
    ends = places + widths
    reach = np.zeros(len(places), np.int64)
    reach[1:] = np.where(group[1:] == group[:-1], ends[:-1], 0)
    firsts = index.firsts[entries]
    return index.before[firsts + ends] - index.before[firsts + np.maximum(np.minimum(reach, ends), places)]


def _best(index: Index, some: Tokens, first: int, equal: _Matches, near: _Matches) -> list[Finding]:
    """Findings in the order of texts and questions; of those with the same stem in one text the best.

    That is by score and by what it says: a plain stem that many share does not hide the question whose options
    stand there too.
    """
    entries, texts, said, starts, ends = (np.concatenate(pair) for pair in zip(equal, near, strict=True))
    if not len(entries):
        return []
    is_near = np.repeat([0, 1], [len(equal.entries), len(near.entries)])
    questions = index.owners[entries]
    stems = index.stems[questions]
    alike = np.where(stems < 0, questions, index.owners[stems])  # the first question with the same stem
    scores = said / np.maximum(index.totals[entries], 1)
    order = np.lexsort((starts, questions, is_near, -said * scores, alike, texts))
    new = np.ones(len(order), bool)
    new[1:] = (np.diff(texts[order]) != 0) | (np.diff(alike[order]) != 0)
    return [
        Finding(
            first + int(texts[n]),
            int(questions[n]),
            "near" if is_near[n] else "equal",
            float(scores[n]),
            words_of(int(index.halves[entries[n]])),
            some.words(int(starts[n]), int(ends[n])),
        )
        for n in order[new].tolist()
    ]

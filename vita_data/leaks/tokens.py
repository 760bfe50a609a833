"""Texts as long rows of tokens, many at once: what leaks of text are searched in.

A word is a token, and so is a character of a script without spaces; a mark counts only between two digits, so
that a transcript without punctuation has the tokens of its written form. A line break, or a place where a
medium stands, ends a piece: the question of a sample is often one line of its turn.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from vita_data.curate.words import (
    ALONE,
    ASSIGNED,
    DIGIT,
    LAST_OF_CHINESE,
    LETTER,
    MARK,
    OF_TOKENS,
    SPACELESS,
    kinds,
    mixed,
    normal,
    tokens,
)

# Raise when a text would have other tokens, runs or pieces.
VERSION = 1
WORDS, CHARACTERS = 3, 5  # tokens in a run, by what it begins with: two characters are about a word
HALVES_OF_WORD = 2
MEDIUM = re.compile(r"<(?:image|video|audio)(?: ?\d+)?>", re.IGNORECASE)
BREAK = "\x00"  # is neither white space nor part of a token


class Tokens(NamedTuple):
    """The tokens of some texts, one after another.

    `firsts` int64[n + 1] says where each text's begin. `halves` is the length of a token in half words: 2 for a
    word or number, 1 for a character of a script without spaces, 0 for a symbol or mark. `starts` and `ends` are
    the places of a token in `joined`, all texts in normal form; `breaks` are the places of line breaks there.
    """

    hashes: Any
    firsts: Any
    halves: Any
    starts: Any
    ends: Any
    breaks: Any
    joined: str

    def words(self, first: int, end: int) -> str:
        """What is written from one token until before another, in normal form, on one line."""
        if first >= end:
            return ""
        written = self.joined[self.starts[first] : self.ends[end - 1]]
        return " ".join(written.replace(BREAK, " ").split())


def tokens_of(texts: Sequence[str]) -> Tokens:
    """The tokens of texts as they are written; memory is about 60 bytes a character."""
    clean = [_clean(text) for text in texts]
    hashes, starts, ends, codes = tokens(clean)
    kind = kinds(codes[starts])
    single = np.flatnonzero(kind == MARK)
    kept = np.ones(len(starts), bool)
    if len(single):
        before = kinds(codes[np.maximum(starts[single], 1) - 1]) == DIGIT
        kept[single] = before & (kinds(codes[ends[single]]) == DIGIT) & (starts[single] > 0)
        hashes, starts, ends = hashes[kept], starts[kept], ends[kept]
    halves = _halves()[codes[starts]]
    places = np.cumsum([0, *(len(text) + 1 for text in clean)])
    firsts = np.searchsorted(starts, places)
    return Tokens(hashes, firsts, halves, starts, ends, np.flatnonzero(codes == 0), "\n".join([*clean, ""]))


@functools.cache
def _halves() -> Any:
    """The length of a token in half words, by its first character."""
    signs = np.arange(LAST_OF_CHINESE + 1)
    halves = np.zeros(0x110000, np.uint8)
    kind = kinds(signs)
    halves[signs[(kind == LETTER) | (kind == DIGIT)]] = HALVES_OF_WORD
    for first, last in (*SPACELESS, (ASSIGNED, LAST_OF_CHINESE)):
        halves[first : last + 1][kind[first : last + 1] == ALONE] = 1
    return halves


def _clean(text: str) -> str:
    if "<" in text:
        text = MEDIUM.sub("\n", text)
    if "\n" in text:
        text = text.replace("\n", f" {BREAK} ")
    return normal(text)


def runs(some: Tokens) -> tuple[Any, Any, Any]:
    """(hashes uint64, places, widths) of all runs of tokens within a text, by the place of their first token.

    A run has WORDS tokens, or CHARACTERS if its first is a character of a script without spaces.
    """
    h, count = some.hashes, len(some.hashes)
    if count < WORDS:
        return np.zeros(0, np.uint64), np.zeros(0, np.int64), np.zeros(0, np.uint8)
    ends = np.repeat(some.firsts[1:], np.diff(some.firsts))
    hashes = (h[:-2] * OF_TOKENS + h[1:-1]) * OF_TOKENS + h[2:]
    is_run = ends[: len(hashes)] - np.arange(len(hashes)) >= WORDS
    widths = np.full(len(hashes), WORDS, np.uint8)
    of_characters = np.flatnonzero(some.halves[: len(hashes)] == 1)
    fits = of_characters + CHARACTERS <= ends[of_characters]
    is_run[of_characters] = fits
    of_characters = of_characters[fits]
    longer = hashes[of_characters]
    for place in range(WORDS, CHARACTERS):
        longer = longer * OF_TOKENS + h[of_characters + place]
    hashes[of_characters] = longer
    widths[of_characters] = CHARACTERS
    places = np.flatnonzero(is_run)
    return mixed(hashes[places]), places, widths[places]


def stretches(some: Tokens, firsts: Any, ends: Any) -> Any:
    """uint64[n]: a hash of each stretch of tokens, none of them empty, in any order and overlap."""
    counts = ends - firsts
    if not len(counts):
        return np.zeros(0, np.uint64)
    starts = np.cumsum(counts) - counts
    nth = np.arange(starts[-1] + counts[-1]) - np.repeat(starts, counts)
    powers = np.full(int(counts.max()) + 1, OF_TOKENS, np.uint64)
    powers[0] = 1
    np.multiply.accumulate(powers, out=powers)
    terms = some.hashes[np.repeat(firsts, counts) + nth] * powers[nth]
    return mixed(np.add.reduceat(terms, starts) + counts.astype(np.uint64) * powers[1])


def pieces(some: Tokens, longest: int) -> tuple[Any, Any, Any]:
    """(firsts, ends, texts) of what may be a whole question: every text, and every line of those that have several.

    Those of more than `longest` tokens, and of none, are left out.
    """
    numbers = np.arange(len(some.firsts) - 1)
    firsts, ends, of = some.firsts[:-1], some.firsts[1:], numbers
    if len(some.breaks):
        cuts = np.unique(np.concatenate([np.searchsorted(some.starts, some.breaks), some.firsts]))
        lines_of = np.searchsorted(some.firsts, cuts[:-1], side="right") - 1
        is_part = some.firsts[lines_of + 1] - some.firsts[lines_of] != np.diff(cuts)
        firsts = np.concatenate([firsts, cuts[:-1][is_part]])
        ends = np.concatenate([ends, cuts[1:][is_part]])
        of = np.concatenate([of, lines_of[is_part]])
    filled = (ends > firsts) & (ends - firsts <= longest)
    return firsts[filled], ends[filled], of[filled]

"""Texts as sets of shingles: what two texts are compared by.

A text is normalised, cut into tokens, and every run of `width` tokens is hashed. A token is a word, a single
character of a script that puts no spaces between words, a symbol, or a mark that means something: one that
touches a digit or stands alone. Digits are content. A text of fewer tokens than a shingle has one shingle,
of all its characters, so that short texts are alike only if they are equal.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

# Raise when a text would have other shingles or another normal form.
VERSION = 1
WIDTH = 5
PLACEHOLDER = re.compile(r"(<(?:image|video|audio)>)")
# Soft hyphens, zero-width characters, marks of direction and variation selectors.
UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff]")
# What Chinese texts are full of, replaced before NFKC would: its quick check then passes, which is ten times faster.
WIDE = tuple((sign, unicodedata.normalize("NFKC", sign)) for sign in "，：；！？（）％～　")
GAP, LETTER, DIGIT, ALONE, MARK = range(5)
SPACELESS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),  # radicals
    (0x3005, 0x3007),
    (0x3040, 0x30FF),  # Japanese syllables
    (0x31F0, 0x31FF),
    (0x3400, 0x9FFF),  # Chinese characters
    (0xF900, 0xFAFF),
)
ASSIGNED = 0x20000  # below it categories differ; the two planes above hold Chinese characters
LAST_OF_CHINESE = 0x3FFFF
# Odd, from the digits of the square roots of 2 and 3.
OF_CHARACTERS = np.uint64(0x6A09E667F3BCC909)
OF_TOKENS = np.uint64(0xBB67AE8584CAA73B)


def normal(text: str) -> str:
    """A text in NFKC, without case, its white space collapsed, and without characters that nobody sees."""
    if text.isascii():
        return " ".join(text.lower().split())
    text = UNSEEN.sub("", text)
    for wide, narrow in WIDE:
        text = text.replace(wide, narrow)
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def normal_turns(turns: list[dict[str, str]]) -> str:
    """The turns of a conversation in normal form, a line each; equal exactly if all turns are.

    A placeholder is kept, with a space on either side: whether a line break follows it makes no difference.
    """
    return "\n".join(normal(PLACEHOLDER.sub(r" \1 ", turn["value"])) for turn in turns)


def blocks(texts: Sequence[str], size: int) -> Iterator[tuple[int, int]]:
    """Ranges (first, end) of texts that have about `size` characters together, so that arrays over them fit a cache."""
    start = held = 0
    for number, text in enumerate(texts):
        if held and held + len(text) > size:
            yield start, number
            start, held = number, 0
        held += len(text) + 1
    if start < len(texts):
        yield start, len(texts)


def shingles(text: str, width: int = WIDTH) -> Any:
    """The different shingles of a normalised text, hashed: a sorted uint64[m], m at least 1."""
    return np.unique(shingle_hashes([text], width)[0])


def shingle_hashes(texts: Sequence[str], width: int = WIDTH) -> tuple[Any, Any]:
    """(hashes, starts) of the shingles of many normalised texts at once, in their order, repeated ones too.

    `hashes` are uint64[m]; those of text i are `hashes[starts[i]:starts[i + 1]]`, at least one. They are a
    function of the text and the Unicode version of the interpreter alone. Memory is about 60 bytes a character.
    """
    codes = _codes(texts)
    ends = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)) + 1)
    starts = np.concatenate([[0], ends])[:-1]
    span_hash = _span_hashes(codes)
    token_starts, token_ends = _tokens(codes)
    tokens = span_hash(token_starts, token_ends)
    first_tokens = np.searchsorted(token_starts, np.append(starts, len(codes)))
    counts = np.diff(first_tokens)
    text_of = np.repeat(np.arange(len(texts), dtype=np.int32), counts)
    runs = tokens[: max(len(tokens) - width + 1, 0)].copy()
    for place in range(1, width):
        runs *= OF_TOKENS
        runs += tokens[place : place + len(runs)]
    runs = runs[text_of[: len(runs)] == text_of[width - 1 :]]
    return _with_short(runs, counts - width + 1, span_hash, starts, ends - 1)


def tokens(texts: Sequence[str]) -> tuple[Any, Any, Any, Any]:
    """(hashes, starts, ends, codes) of the tokens of normalised texts.

    Starts and ends are places among `codes`, the characters of all texts with a line break after each. Hashes
    uint64 are not yet mixed; equal tokens have equal ones.
    """
    codes = _codes(texts)
    starts, ends = _tokens(codes)
    return _span_hashes(codes)(starts, ends), starts, ends, codes


def kinds(codes: Any) -> Any:
    """The kind of each character: GAP, LETTER, DIGIT, ALONE or MARK."""
    return _kinds()[codes]


def _codes(texts: Sequence[str]) -> Any:
    return np.frombuffer("\n".join([*texts, ""]).encode("utf-32-le", "surrogatepass"), "<u4")


def _with_short(runs: Any, counts: Any, span_hash: Any, starts: Any, ends: Any) -> tuple[Any, Any]:
    """Mixed hashes of runs of tokens, with one of the whole text where there is no run."""
    first = np.concatenate([[0], np.cumsum(np.maximum(counts, 1))])
    short = np.flatnonzero(counts < 1)
    if len(short):
        is_run = np.ones(first[-1], bool)
        is_run[first[short]] = False
        hashes = np.empty(first[-1], np.uint64)
        hashes[is_run] = runs
        hashes[first[short]] = ~span_hash(starts[short], ends[short])
        runs = hashes
    return mixed(runs), first


def mixed(hashes: Any) -> Any:
    """Hashes uint64[n], in place, so that every bit depends on every bit: MurmurHash3's 64-bit finalizer."""
    hashes ^= hashes >> np.uint64(33)
    hashes *= np.uint64(0xFF51AFD7ED558CCD)
    hashes ^= hashes >> np.uint64(33)
    hashes *= np.uint64(0xC4CEB9FE1A85EC53)
    hashes ^= hashes >> np.uint64(33)
    return hashes


def _tokens(codes: Any) -> tuple[Any, Any]:
    """Where tokens start and end among characters."""
    kind = np.zeros(len(codes) + 2, np.uint8)
    kind[1:-1] = _kinds()[codes]
    digit, gap = kind == DIGIT, kind == GAP
    word = digit | (kind == LETTER)
    single = (kind == MARK)[1:-1]
    single &= digit[:-2] | digit[2:] | (gap[:-2] & gap[2:])
    single |= (kind == ALONE)[1:-1]
    starts = np.flatnonzero(single | (word[1:-1] & ~word[:-2]))
    ends = np.flatnonzero(single | (word[1:-1] & ~word[2:])) + 1
    return starts, ends


def _span_hashes(codes: Any) -> Any:
    """A function from starts and ends to polynomial hashes, modulo 2^64, of these spans of characters.

    The hash of a span does not depend on its place: it is a difference of prefix sums, divided by the power
    of the base at its start.
    """
    powers, inverses = _powers(1 << max(len(codes) - 1, 1).bit_length())
    sums = np.zeros(len(codes) + 1, np.uint64)
    np.cumsum((codes + np.uint64(1)) * powers[: len(codes)], out=sums[1:])
    return lambda starts, ends: (sums[ends] - sums[starts]) * inverses[starts]


@functools.lru_cache(maxsize=2)
def _powers(count: int) -> tuple[Any, Any]:
    """The first powers of the base and of its inverse, modulo 2^64."""
    inverse = pow(int(OF_CHARACTERS), -1, 1 << 64)
    both = []
    for base in (int(OF_CHARACTERS), inverse):
        powers = np.full(count, base, np.uint64)
        powers[0] = 1
        both.append(np.multiply.accumulate(powers))
    return both[0], both[1]


@functools.cache
def _kinds() -> Any:
    """The kind of every code point, by its Unicode category."""
    of_category = {"L": LETTER, "M": LETTER, "N": DIGIT, "S": ALONE, "P": MARK}
    kinds = np.zeros(0x110000, np.uint8)
    kinds[:ASSIGNED] = [of_category.get(unicodedata.category(chr(n))[0], GAP) for n in range(ASSIGNED)]
    for first, last in SPACELESS:
        here = kinds[first : last + 1]
        here[(here == LETTER)] = ALONE
    kinds[ASSIGNED : LAST_OF_CHINESE + 1] = ALONE
    return kinds

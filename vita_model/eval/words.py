"""Texts in the forms in which they are compared: what a reader would call the same answer is the same."""

from __future__ import annotations

import re
import unicodedata

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_NUMERALS = {name: str(number) for number, name in enumerate(DIGITS)}
_ENDS = re.compile(r"[\s.,;:!?\u3002\uff01\uff1f\uff1b\uff0c]+$")
_NO_WORD = re.compile(r"(?!(?<=\w)'(?=\w))[^\w\s]|_")
_ONE_DIGIT = re.compile(r"(\d)")


def plain_answer(text: str) -> str:
    """An answer without what does not make it another: case, width, white space, final punctuation.

    "  It is  THREE. " -> "it is three". Applying it twice changes nothing.
    """
    return _ENDS.sub("", " ".join(_folded(text).split()))


def plain_words(text: str) -> str:
    """A transcript as its words: no case, no punctuation but the apostrophe inside a word, one space between.

    "Don't -- STOP, he said." -> "don't stop he said".
    """
    return " ".join(_NO_WORD.sub(" ", _folded(text).replace("’", "'")).split())


def plain_digits(text: str) -> str:
    """A transcript of digits with one numeral a digit: "Three 47" -> "3 4 7"; other words stay."""
    split = _ONE_DIGIT.sub(r" \1 ", plain_words(text))
    return " ".join(_NUMERALS.get(word, word) for word in split.split())


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())

"""Whole numbers in English words, as they are read aloud."""

from __future__ import annotations

ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
        "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
        "nineteen")  # fmt: skip
TENS = ("", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def in_words(number: int) -> str:
    """A number from 0 to 99."""
    if number < len(ONES):
        return ONES[number]
    tens, ones = divmod(number, 10)
    return TENS[tens] + (f"-{ONES[ones]}" if ones else "")


def year_in_words(year: int) -> str:
    """A year from 1100 to 1999, read in pairs: 1806 is `eighteen oh six`."""
    first, second = divmod(year, 100)
    if second == 0:
        return f"{in_words(first)} hundred"
    return f"{in_words(first)} {'oh ' if second < 10 else ''}{in_words(second)}"

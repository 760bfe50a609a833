"""Numbers and long texts as a person reads them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

SLACK = 40  # a text that is hardly longer than its limit is shown whole
SIZES = ("bytes", "kB", "MB", "GB", "TB", "PB")


def count(number: float) -> str:
    """A number with thousands parted; hours keep one decimal, and few of them three figures."""
    if not isinstance(number, float) or number.is_integer():
        return f"{int(number):,}"
    return f"{number:,.1f}" if abs(number) >= 10 else f"{number:.3g}"


def counted(number: float, thing: str, things: str | None = None) -> str:
    """A number with its noun: `1 shard`, `2 shards`."""
    return f"{count(number)} {thing if number == 1 else things or thing + 's'}"


def unit_of(sources: list[dict[str, Any]]) -> str:
    """What a stage is counted in, by its sources, among which negatives are counted in clips."""
    return next((str(source["unit"]) for source in sources if source["unit"] != "clips"), "questions")


def counted_in(unit: str, questions: int, hours: float) -> str:
    """What a stage holds in the unit that it is counted in: `3 questions`, `11,000 hours of speech`."""
    return f"{count(hours)} hours of speech" if unit == "hours" else counted(questions, "question")


def percent(part: float, whole: float) -> str:
    """A part of a whole; what is there never reads as 0 %, nor what is missing as 100 %."""
    if not whole:
        return "–"
    value = 100 * part / whole
    if 0 < value < 0.1:
        return "< 0.1 %"
    if 99.9 < value < 100:
        return "> 99.9 %"
    return f"{value:.0f} %" if value in (0, 100) else f"{value:.1f} %"


def share(words: str) -> str:
    """A share as the plan writes it, such as 1/5, as a percentage."""
    return f"{float(100 * Fraction(words)):g} %"


def size(number: int) -> str:
    """Bytes in decimal units, three figures."""
    value, unit = float(number), 0
    while value >= 999.5 and unit < len(SIZES) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.0f} {SIZES[unit]}" if unit == 0 or value >= 99.95 else f"{value:.1f} {SIZES[unit]}"


def shorten(words: str, limit: int, lines: int = 0) -> str:
    """About the first `limit` characters in at most `lines` lines (0: any number), and how many follow."""
    cut = words
    if len(words) > limit + SLACK:
        cut = words[:limit]
    if lines and cut.count("\n") > lines:
        cut = "\n".join(cut.split("\n", lines)[:lines])
    rest = len(words) - len(cut)
    return f"{cut.rstrip()} … (+{counted(rest, 'character')})" if rest else words


def measured(words: str) -> str:
    """What a rule measured, with thousands parted when it is a plain number."""
    return count(int(words)) if words.isdecimal() and len(words) < 16 else words


def listed(words: list[str]) -> str:
    """Words as in a sentence: `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)

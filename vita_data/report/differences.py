"""Two texts side by side with what differs marked: words, and single characters where a script has no spaces."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import groupby

from vita_data.report.markup import Html, join, tag

COMPARED = 600  # tokens of each text, from a little before the first that differs
BEFORE = 24  # tokens of that little
SHOWN = 700  # characters of each
_SPACELESS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_SPACELESS}]|[^\W{_SPACELESS}]+|\s+|[^\w\s]")
_SEEN, _WORD = re.compile(r"\S"), re.compile(r"\w")

Run = tuple[str, bool]  # a piece of a text, and whether it differs from the other


def side_by_side(left: str, right: str, signs: bool = True) -> tuple[Html, Html]:
    """Both texts with what differs in `mark` elements, long ones from a little before where they part.

    Case and white space make no difference; nor does punctuation without `signs`.
    """
    ours, theirs = _TOKEN.findall(left), _TOKEN.findall(right)
    start = max(0, _common(ours, theirs) - BEFORE) if max(len(left), len(right)) > SHOWN else 0
    first, second = ours[start : start + COMPARED], theirs[start : start + COMPARED]
    matcher = SequenceMatcher(None, [*map(_plain, first)], [*map(_plain, second)], autojunk=False)
    marks = [True] * len(first), [True] * len(second)
    for block in matcher.get_matching_blocks():
        for which, at in enumerate((block.a, block.b)):
            marks[which][at : at + block.size] = [False] * block.size
    cut = len(ours) > start + COMPARED, len(theirs) > start + COMPARED
    return _html(first, marks[0], start > 0, cut[0], signs), _html(second, marks[1], start > 0, cut[1], signs)


def _plain(token: str) -> str:
    return " " if token.isspace() else token.casefold()


def _common(ours: list[str], theirs: list[str]) -> int:
    """How many tokens both begin with; 0 where they are equal throughout."""
    pairs = zip(ours, theirs, strict=False)
    parts = next((n for n, (one, other) in enumerate(pairs) if _plain(one) != _plain(other)), None)
    if parts is None:
        return 0 if len(ours) == len(theirs) else min(len(ours), len(theirs))
    return parts


def _with_gaps(tokens: list[str], marks: list[bool]) -> list[bool]:
    """The marks with the white space between two that are marked, so that several words are one piece."""
    before, after = [False, *marks][: len(marks)], [*marks, False][1:]
    return [
        mark or (token.isspace() and one and other)
        for token, mark, one, other in zip(tokens, marks, before, after, strict=True)
    ]


def _html(tokens: list[str], marks: list[bool], begun: bool, cut: bool, signs: bool) -> Html:
    pairs = zip(tokens, _with_gaps(tokens, marks), strict=True)
    runs = [
        ("".join(token for token, _ in run), mark) for mark, run in groupby(pairs, key=lambda pair: pair[1])
    ]
    shown: list[Run] = []
    left = SHOWN
    for words, mark in runs:
        if left <= 0:
            break
        shown.append((words[:left], mark))
        left -= len(words)
    counts = _SEEN if signs else _WORD
    parts = [tag("mark", words) if mark and counts.search(words) else words for words, mark in shown]
    return join(["… " if begun else None, *parts, " …" if cut or left < 0 else None])

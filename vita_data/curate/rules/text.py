"""Rules about what answers say: repeated phrases, broken markup, endless length."""

from __future__ import annotations

import re
from collections import Counter

from vita_data.curate.rules.base import Sample
from vita_data.records.reject import Reject

_SHORT = 200  # characters: shorter answers may repeat themselves
_WORD = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|[^\W\u3400-\u9fff\uf900-\ufaff]+")
_PHRASE = 10  # words
_DIFFERENT = 4  # of them at least: rows of zeros and ruled lines are no phrases
_FENCE = re.compile(r"^[ \t]*(?:(?:[-*+>]|\d+[.)])[ \t]+)?(`{3,}|~{3,})", re.MULTILINE)
_DISPLAY = re.compile(r"(?<!\\)(?<!left)\\\["), re.compile(r"(?<!\\)(?<!right)\\\]")


def repetition(sample: Sample, most: float) -> Reject | None:
    """Refuses an answer of which more than this part is phrases of ten words that it said before.

    For generated text that ran in circles. Source: Gopher's duplicate n-grams (Rae et al. 2021, table A1). Wrong for
    lists and tables of like lines, and for poems; answers below 200 characters are never judged.
    """
    for answer in sample.answers:
        if len(answer) >= _SHORT:
            part = repeated(answer)
            if part > most:
                words = f"Phrases that were said before make up {part:.0%} of an answer."
                return Reject("repetition", words, f"{part:.3f}", str(most))
    return None


def repeated(text: str) -> float:
    """The part of a text's words, 0 to 1, that stand in a phrase of ten words which stood there before."""
    words = _WORD.findall(text)
    if len(words) <= _PHRASE:
        return 0.0
    seen: set[tuple[str, ...]] = set()
    covered = 0  # words up to here are counted
    count = 0
    for start in range(len(words) - _PHRASE + 1):
        phrase = tuple(words[start : start + _PHRASE])
        if len(set(phrase)) < _DIFFERENT:
            continue
        if phrase in seen:
            end = start + _PHRASE
            count += end - max(start, covered)
            covered = end
        seen.add(phrase)
    return count / len(words)


def markup(sample: Sample, switch: str) -> Reject | None:
    """Refuses an answer that opens a block of code, a LaTeX environment or a group and never closes it.

    For answers that were cut off. Source: fences of CommonMark (section 4.5) and LaTeX's environments. Wrong for texts
    about markup itself.
    """
    for answer in sample.answers:
        what = unbalanced(answer)
        if what:
            return Reject("unbalanced_markup", f"An answer opens {what} and never closes it.", what, None)
    return None


def unbalanced(text: str) -> str | None:
    """What of its markup a text leaves open: a fence of code, a LaTeX environment, or display mathematics."""
    outside = _without_code(text)
    if outside is None:
        return "a block of code"
    begun, ended = (
        Counter(re.findall(rf"\\{verb}\{{([^{{}}]{{0,80}})\}}", outside)) for verb in ("begin", "end")
    )
    left = next((name for name, count in begun.items() if count != ended[name]), None)
    if left is not None:
        return f"\\begin{{{left[:40]}}}"
    if len(_DISPLAY[0].findall(outside)) != len(_DISPLAY[1].findall(outside)):
        return "\\["
    alone = sum(line.strip() == "$$" for line in outside.splitlines())  # elsewhere it may mean a price
    return "$$" if alone % 2 else None


def _without_code(text: str) -> str | None:
    """A text without its blocks of code; None where one is never closed. A block begins a line or an item of a list."""
    kept, at = [], 0
    while opening := _FENCE.search(text, at):
        mark = opening.group(1)
        end = text.find(mark, opening.end())
        if end < 0:
            return None
        kept.append(text[at : opening.start()])
        at = end + len(mark)
    return "".join([*kept, text[at:]])


def longest_answer(sample: Sample, most: int) -> Reject | None:
    """Refuses an answer of more than this many characters: nobody answers with a book.

    For records in which documents stand as answers. Source: what fits a training sequence with room to spare; about a
    tenth of the 100,000 words of Gopher's rule on documents (Rae et al. 2021). Wrong for pages to be transcribed whole.
    """
    longest = max(map(len, sample.answers), default=0)
    if longest <= most:
        return None
    return Reject("long_answer", f"An answer has {longest} characters.", str(longest), str(most))

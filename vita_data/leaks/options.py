"""The options of a multiple-choice question, which adapters write below it: a line each, by letters from A on."""

from __future__ import annotations

import re

# Raise when a question would be parted otherwise.
VERSION = 1
_OPTION = re.compile(r"\s*\(?([A-Z])[.):]\s*\S")


def parted(text: str) -> tuple[str, str]:
    """(what is asked, its options): at least two lines next to each other that begin with A, B, ... as A. or (A).

    What stands below the options, such as how to answer, belongs to what is asked. Without options, and where
    nothing but options stands there, the text is all that is asked.
    """
    lines = text.split("\n")
    begin = end = 0
    for place, line in enumerate(lines):
        found = _OPTION.match(line)
        letter = found[1] if found else ""
        if letter and end > begin and place == end and letter == chr(ord("A") + end - begin):
            end += 1
        elif letter == "A" and end - begin < 2:
            begin, end = place, place + 1
    rest = "\n".join(lines[:begin] + lines[end:]).strip()
    return (rest, "\n".join(lines[begin:end])) if end - begin >= 2 and rest else (text, "")

"""NaN and infinities in JSON documents, which pandas and Python write and the standard (RFC 8259) does not have.

`json.loads` reads them, line by line; the incremental parser of documents ends the whole file over them. So on
their way to it these words, where they stand outside of strings, become numbers that nobody writes, and in the
values that it gives they become again what they were: a record is read alike from a document and from a line.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

# The letters of the words, and their sign: a text that ends in none of them ends within no word.
LETTERS = "-NaInfity"
_WORD = re.compile("NaN|-?Infinity")
_MEANT = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_NUMBERS = {word: f"7.2973525693e-9137{n}" for n, word in enumerate(_MEANT)}
_VALUES = {Decimal(number): _MEANT[word] for word, number in _NUMBERS.items()}


class NonFinite:
    """Follows a document's text from piece to piece; `seen` says whether any word was replaced so far."""

    def __init__(self) -> None:
        self.seen = False
        self._in_string = False

    def replaced(self, text: str) -> str:
        """The next piece with the words as numbers; it must end within no word and no escape."""
        pieces, at = [], 0
        for word in _WORD.finditer(text) if "NaN" in text or "Infinity" in text else ():
            before = text[at : word.start()]
            at = word.end()
            self._pass(before)
            pieces.append(before)
            if self._in_string:
                pieces.append(word.group())
            else:  # the spaces keep it apart from what must not touch it: -NaN stays an error
                pieces.append(f" {_NUMBERS[word.group()]} ")
                self.seen = True
        self._pass(text[at:])
        return "".join([*pieces, text[at:]]) if pieces else text

    def _pass(self, text: str) -> None:
        quotes = text.count('"')
        if quotes and "\\" in text:
            unpaired = text.replace("\\\\", "")  # what is left of a run of backslashes escapes what follows
            quotes = unpaired.count('"') - unpaired.count('\\"')
        self._in_string ^= bool(quotes % 2)


def restored(value: Any) -> Any:
    """A value of the parser with the numbers that stand for words as floats; lists and dicts are changed in place."""
    if isinstance(value, Decimal):
        return _VALUES.get(value, value)
    waiting = [value] if isinstance(value, (dict, list)) else []
    while waiting:  # and no recursion: records may be nested beyond measure
        holder: Any = waiting.pop()
        for key, inner in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
            if isinstance(inner, (dict, list)):
                waiting.append(inner)
            elif isinstance(inner, Decimal) and inner in _VALUES:
                holder[key] = _VALUES[inner]
    return value

"""A text as the speech decoder reads it: what can be said, in one spelling, and no longer than it can hold.

The same function prepares the texts of training and the clauses that a model is about to say.
"""

from __future__ import annotations

import re
import unicodedata

from vita_data.errors import RecordError

_SILENT = {"Cc", "Cf", "Co", "Cn", "Cs", "Pc", "Ps", "Pe", "Pi", "Pf", "Sk", "So"}
_NEVER_SAID = frozenset('"#*\\|<>~^`•·※§¶†‡')
_SAID = frozenset("°")  # though Unicode files it among the symbols that nobody says
_PLAIN = str.maketrans({**dict.fromkeys("‘’‛ʼ´`", "'"), **dict.fromkeys("‐‑‒–—―−", "-")})
_HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_CHINESE = f"{_HAN}\u3001\u3002"
_NEEDLESS_SPACE = re.compile(rf"(?<=[{_CHINESE}]) | (?=[{_CHINESE},!?;:]|\.(?:\s|$))")
_QUOTE = re.compile(r"(?<!\w)'|'(?!\w)")
_SETTLED_AFTER = 4


def spoken_text(text: str) -> str:
    """The text that is said, with nothing in it that is not; empty where nothing is left.

      - NFKC, lower case, one space for any white space, none beside a Chinese character: "ＮＢＡ 20 分" -> "nba 20分"
      - letters, digits, the marks of pauses and symbols with a name (% & + = / @ $ € °) stay: "5% of $3?"
      - brackets, quotes, emphasis, bullets, emojis and what no screen shows go: "**Yes** (☺)" -> "yes"
      - all apostrophes and dashes become straight; an apostrophe that stands in no word goes

    Applying it twice changes nothing.
    """
    for _ in range(_SETTLED_AFTER):
        before, text = text, _pass(text)
        if text == before:
            break
    return text if any(character.isalnum() for character in text) else ""


def _pass(text: str) -> str:
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text.translate(_PLAIN)).lower())
    text = " ".join("".join(map(_said, text.translate(_PLAIN))).split())
    return _NEEDLESS_SPACE.sub("", " ".join(_QUOTE.sub(" ", text).split()))


def _said(character: str) -> str:
    if character in _SAID:
        return character
    category = unicodedata.category(character)
    return " " if character in _NEVER_SAID or category in _SILENT or category[0] == "Z" else character


def check_positions(words: int, codes: int, pieces: int, positions: int) -> None:
    """Raises RecordError for a text of `words` token ids that cannot be said in `codes` codec tokens.

    `pieces` are the positions of a word's token, `positions` all that the speech decoder has; the text's start and
    the speech's take one each. Rules `nothing_to_say` and `too_long_to_say`.
    """
    if not words:
        raise RecordError("nothing_to_say", "The text holds nothing that can be said; leave it out.", 0, 1)
    needed = 1 + words * pieces + 1 + codes
    if needed > positions:
        raise RecordError(
            "too_long_to_say",
            f"The text of {words} tokens and the speech of {codes} take {needed} positions and the speech decoder "
            f"has {positions}; cut the recording into shorter ones.",
            needed,
            positions,
        )

"""The kinds of values that stand in cards, each with what is said when one is out of range.

A kind is a type with functions attached (`Annotated`): each function takes the value and returns None,
or the rest of a sentence that begins with the key and the value: what is wrong; what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Annotated

NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
LONGEST_NAME = 40
_STAGE = re.compile(r"[0-9a-z][0-9a-z.-]*")
_CLASS_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


def _share(value: Fraction) -> str | None:
    if value < 0:
        return "is below 0; shares are parts of a source, write a number from 0 to 1"
    if value <= 1:
        return None
    instead = value / 100 if value <= 100 else Fraction(1)
    return f"is above 1; shares are parts of a source, write {float(instead):g}"


def _text(value: str) -> str | None:
    return None if value.strip() else "is blank; write text or remove the key"


def _name(value: str) -> str | None:
    if len(value) > LONGEST_NAME:
        return f"is longer than {LONGEST_NAME} characters; write a shorter name"
    if NAME.fullmatch(value):
        return None
    instead = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-") or "my-corpus"
    return f"is no name; use a-z, 0-9 and hyphens, write {instead[:LONGEST_NAME].rstrip('-')}"


def _stage_id(value: str) -> str | None:
    return None if _STAGE.fullmatch(value) else "is no stage; write an id such as 1.3"


def _start(value: str) -> str | None:
    name = value.removeprefix("weights:")
    return (
        None
        if _STAGE.fullmatch(name.replace("_", "-"))
        else "is no start; write 1.2 or weights:language_model"
    )


def class_path(value: str) -> bool:
    """Whether the text is `package.module:Class`."""
    return _CLASS_PATH.fullmatch(value) is not None


def at_least(least: int) -> Callable[[float], str | None]:
    """Numbers that may not be smaller."""
    return lambda value: None if value >= least else f"is below {least}; write {least} or more"


def _positive(value: float) -> str | None:
    return None if value > 0 else "is not above 0; write a number above 0"


def _part(value: float) -> str | None:
    return None if 0 <= value <= 1 else "is not between 0 and 1; write a part of the whole, such as 0.03"


Share = Annotated[Fraction, _share]
Text = Annotated[str, _text]
Name = Annotated[str, _name]
StageId = Annotated[str, _stage_id]
Start = Annotated[str, _start]
Count = Annotated[int, at_least(1)]
Amount = Annotated[int, at_least(0)]
Positive = Annotated[float, _positive]
NotNegative = Annotated[float, at_least(0)]
Part = Annotated[float, _part]
Hours = Annotated[Fraction, _positive]


def number(value: Fraction) -> int | float:
    """An exact number as JSON wants it: an integer where it is one."""
    return value.numerator if value.denominator == 1 else float(value)

"""What an annotation takes, in the words that a message uses."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

_WORDS = {str: "text", bool: "true or false", int: "a whole number", float: "a number", Fraction: "a number"}


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was most likely meant."""
    from difflib import get_close_matches  # only on the way to an error: it costs start-up time

    return next(iter(get_close_matches(word, list(known), 1, 0.6)), None)


def choices(hint: Any) -> list[Any]:
    """The literal values among which an annotation chooses, none when it does not."""
    if get_origin(hint) is Literal:
        return list(get_args(hint))
    if get_origin(hint) in (Union, UnionType):
        return [choice for arg in get_args(hint) for choice in choices(arg)]
    return []


def wanted(hint: Any) -> str:
    """What an annotation takes, in words."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return wanted(args[0])
    if origin is Literal:
        return str(args[0]) if len(args) == 1 else f"one of {', '.join(map(str, args))}"
    if origin in (Union, UnionType):
        return " or ".join(wanted(arg) for arg in args if arg is not NoneType)
    if origin in (tuple, list):
        count = "a list" if origin is list or args[-1] is Ellipsis else f"a list of {len(args)}"
        return f"{count}: {wanted(args[0])}, in square brackets or with dashes"
    return _WORDS.get(hint, "keys and values below it")

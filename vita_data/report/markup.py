"""HTML by construction: whatever is not markup already is escaped, so no text of a corpus becomes a tag."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

VOID = ("img", "meta")
# Controls (but tab and newline), half surrogates and non-characters: HTML has no place for them.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


class Html(str):
    """Text that is markup; only the functions of this file make it."""

    __slots__ = ()


Child = str | None
Value = str | int | float | bool | None


def text(value: object) -> Html:
    """A value as escaped text; markup passes as it is, and unprintable characters become U+FFFD."""
    if isinstance(value, Html):
        return value
    return Html(html.escape(_UNPRINTABLE.sub("\ufffd", str(value))))


def tag(name: str, /, *children: Child, **attributes: Value) -> Html:
    """An element; attributes lose a trailing underscore, and None leaves a child or an attribute out."""
    start = name + "".join(_attribute(key, value) for key, value in attributes.items())
    return Html(f"<{start}>" if name in VOID else f"<{start}>{join(children)}</{name}>")


def _attribute(name: str, value: Value) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{text(value)}"'


def join(parts: Iterable[Child]) -> Html:
    """Parts one after the other, each escaped unless it is markup."""
    return Html("".join(text(part) for part in parts if part is not None))


def raw(markup: str) -> Html:
    """A constant of this package that is markup or a style sheet; never text from outside."""
    return Html(markup)

"""The pieces of a card, each of which remembers its line, so that every complaint can name it.

A node keeps the text of a scalar as it was written: whether `1.1` is a stage or a number, and whether
`0.2` is exactly a fifth, is for the card's field to decide and not for YAML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from vita_data.errors import ManifestError

_NULL = frozenset(["", "~", "null", "Null", "NULL"])
_DIGITS = r"(0|[1-9][0-9]{0,17}|[1-9][0-9]{0,2}(_[0-9]{3}){1,6})"
INTEGER = re.compile(rf"[+-]?{_DIGITS}")
NUMBER = re.compile(rf"[+-]?({_DIGITS}(\.[0-9]{{0,18}})?|\.[0-9]{{1,18}})([eE][+-]?[0-9]{{1,2}})?")


class Node:
    """A piece of a card: `value` is text, a list of nodes or a dict of nodes; `line` counts from 1."""

    __slots__ = ("card", "line", "quoted", "value")

    def __init__(
        self, value: str | list[Node] | dict[str, Node], line: int, card: str, quoted: bool = False
    ) -> None:
        self.value = value
        self.line = line
        self.card = card
        self.quoted = quoted

    @property
    def place(self) -> str:
        """`file:line`, where a person can go and look."""
        return f"{self.card}:{self.line}"

    @property
    def empty(self) -> bool:
        """Whether nothing stands behind the key, or a plain null."""
        return isinstance(self.value, str) and not self.quoted and self.value in _NULL

    def wrong(self, sentence: str) -> ManifestError:
        """The error to raise about this node: its place, then the sentence."""
        return ManifestError(f"{self.place}: {sentence}")

    def shown(self) -> str:
        """What stands here, short enough for a message."""
        if isinstance(self.value, list):
            return "a list"
        if isinstance(self.value, dict):
            return "keys and values"
        if self.empty:
            return "empty"
        text = self.value if len(self.value) <= 40 else self.value[:37] + "..."
        return f"the quoted text {text!r}" if self.quoted else repr(text)

    def plain(self) -> object:
        """The node as None, bool, int, float, str, list and dict; only `true` and `false` are bools."""
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if self.quoted:
            return self.value
        if self.empty:
            return None
        if self.value in ("true", "false"):
            return self.value == "true"
        if INTEGER.fullmatch(self.value):
            return int(self.value)
        return float(self.value) if NUMBER.fullmatch(self.value) else self.value


class Options(Mapping[str, object]):
    """The free part of a card: a mapping of plain values whose `node` still knows file and line."""

    __slots__ = ("_values", "node")

    def __init__(self, node: Node) -> None:
        values = node.plain()
        self.node = node
        self._values: dict[str, object] = values if isinstance(values, dict) else {}

    def __getitem__(self, key: str) -> object:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Options({self._values!r})"

    def where(self, key: str) -> str:
        """`file:line` of an option, or of the options themselves when it is not there."""
        value = self.node.value
        return value[key].place if isinstance(value, dict) and key in value else self.node.place

"""The key map at work: which released tensor holds which of ours, and of which shape it must be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from vita_data.errors import VitaError
from vita_model.weights import keys

Shape = tuple[int, ...]
_BLOCK = re.compile(r"codec\.generator\.stages\.0\.blocks\.(\d+)\..*")
_STAGE = re.compile(r"speech_adapter\.stages\.(\d+)\..*")
LAST_LEVEL = 2


@dataclass(frozen=True)
class Entry:
    """A released tensor by its name and shape; `pieces` of ours, by name and shape, lie in it along the first axis."""

    name: str
    pieces: tuple[tuple[str, Shape], ...]

    @property
    def shape(self) -> Shape:
        """The shape of the pieces together."""
        first = self.pieces[0][1]
        if len(self.pieces) == 1:
            return first
        return (sum(shape[0] for _, shape in self.pieces), *first[1:])


def entries(part: str, shapes: Mapping[str, Shape], prefix: str = "") -> list[Entry]:
    """The released tensors of a part, in the order of the key map's lines for each name.

    `shapes` are those of the whole model's tensors by our names, `prefix` stands before the released ones. Raises
    VitaError for a tensor of ours that the map has no line for.
    """
    pieces: dict[str, list[tuple[int, str]]] = {}
    blocks, stages = _count(_BLOCK, shapes), _count(_STAGE, shapes)
    for ours in shapes:
        name = ours.removeprefix(part + ".")
        if name == ours or matches(ours, keys.OURS_ALONE):
            continue
        line, released = _released(part, name, blocks, stages)
        pieces.setdefault(prefix + released, []).append((line, ours))
    return [
        Entry(name, tuple((ours, shapes[ours]) for _, ours in sorted(found)))
        for name, found in pieces.items()
    ]


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name is one of those that patterns of the key map stand for."""
    return any(_pattern(pattern).fullmatch(name) for pattern in patterns)


def _count(pattern: re.Pattern[str], names: Iterable[str]) -> int:
    return 1 + max((int(found[1]) for found in map(pattern.fullmatch, names) if found), default=-1)


def _released(part: str, name: str, blocks: int, stages: int) -> tuple[int, str]:
    for line, (ours, released) in enumerate(keys.PARTS[part]):
        found = _pattern(ours).fullmatch(name)
        if found:
            said = found.groupdict()
            if "k" in said:
                said["at"] = str(int(said["s"]) * blocks + int(said["k"]))
            if "a" in said:
                said["level"] = str(LAST_LEVEL - stages + 1 + int(said["a"]))
            return line, _ending(released.format(**said))
    raise VitaError(f"the key map has no line for {part}.{name}; add one to vita_model/weights/keys.py.")


def _ending(name: str) -> str:
    for ours, released in keys.ENDINGS:
        if name.endswith(ours):
            return name.removesuffix(ours) + released
    return name


@cache
def _pattern(template: str) -> re.Pattern[str]:
    text = re.escape(template).replace(r"\{rest\}", "(?P<rest>.+)")
    return re.compile(re.sub(r"\\\{([a-z])\\\}", r"(?P<\1>\\d+)", text))

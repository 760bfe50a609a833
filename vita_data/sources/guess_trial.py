"""A guess tried on the first records of a file: how many are good, and where their media are."""

from __future__ import annotations

import posixpath
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vita_data.errors import VitaError
from vita_data.manifest.bind import bind
from vita_data.manifest.nodes import Node
from vita_data.sources.base import Fault, Medium, Native
from vita_data.sources.below import Below, parted
from vita_data.sources.guess_base import Shape
from vita_data.sources.guess_words import Words
from vita_data.sources.head import Reading, Source
from vita_data.sources.registry import ADAPTERS

RECORDS = 40
LEAST_FOUND = 0.3  # of the records with media, so that they count as found
LEAST = 0.1  # of the records that must be good, without their media, for a guess to be one
ROOTED = ("llava_json", "hf_parquet", "qa_rows", "ocr_json", "donut", "segmented_json", "vlmeval_tsv")
PREFIXED = ("manifest", "kaldi")


@dataclass(frozen=True)
class Trial:
    """What came of a try: `share` of the `read` records are good, with `options` that find most of their media."""

    read: int
    share: float
    options: dict[str, Any]
    words: Words
    root: str = "."
    media: dict[str, Any] = field(default_factory=dict)
    why: tuple[str, ...] = ()
    splits: frozenset[str] = frozenset()  # that its records name

    @property
    def rank(self) -> tuple[bool, float]:
        """What makes a try better than another: media that are found, then good records."""
        return bool(self.words.kinds) and self.share >= LEAST_FOUND, self.share


@dataclass(frozen=True)
class _Place:
    """Where media lie: options that say so, the root, and archives; `found` of those that were asked for."""

    found: int
    options: dict[str, Any] = field(default_factory=dict)
    root: str = "."
    media: dict[str, Any] = field(default_factory=dict)
    why: tuple[str, ...] = ()


def tried(folder: Path, name: str, shape: Shape, below: Below, scratch: str) -> Trial | None:
    """The shape tried on a file; None when it reads none of its records."""
    try:
        bound = bind(_node(shape.options), ADAPTERS[shape.adapter][1])
    except VitaError:
        return None
    options = {key: getattr(bound, key) for key in shape.options}
    records = _records(folder, name, shape.adapter, options, scratch)
    faults = [each.error for each in records if isinstance(each, Fault)]
    absolute = [each.value for each in faults if each.rule == "path_outside_root" and each.value]
    good = [each for each in records if isinstance(each, Native) and _answers(each)]
    if not records or (len(good) < LEAST * len(records) and not absolute):
        return None
    named = [medium for each in good for medium in each.media if medium.data is None]
    if not good and absolute:
        named = [Medium("audio", path) for path in absolute]
    place = _place(named, folder, name, shape.adapter, below)
    whole = place.found / len(named) if named else 1.0
    read_share = (len(good) or len(absolute)) / len(records)
    words = Words.of(good)
    return Trial(
        len(records),
        read_share * whole,
        {**shape.options, **place.options},
        words,
        place.root,
        place.media,
        place.why,
        frozenset(each.split for each in good if each.split is not None),
    )


def _node(value: Any) -> Node:
    """A value as a card would have it."""
    if isinstance(value, dict):
        return Node({key: _node(each) for key, each in value.items()}, 1, "guess")
    if isinstance(value, (list, tuple)):
        return Node([_node(each) for each in value], 1, "guess")
    if isinstance(value, bool):
        return Node(str(value).lower(), 1, "guess")
    return Node(str(value), 1, "guess", quoted=isinstance(value, str))


def _records(
    folder: Path, name: str, adapter: str, options: dict[str, Any], scratch: str
) -> list[Native | Fault]:
    source = Source(adapter, options, str(folder), scratch)
    try:
        return [record for _, record in Reading(source, [name], RECORDS).records()]
    except (VitaError, OSError):
        return []


def _answers(record: Native) -> bool:
    said = [turn.get("value") for turn in record.turns if turn.get("from") not in ("human", "user", "system")]
    return any(isinstance(value, str) and value.strip() for value in said)


def _place(named: list[Medium], folder: Path, annotation: str, adapter: str, below: Below) -> _Place:
    """The place below which most of the named media are found."""
    kinds = {posixpath.normpath(medium.name): medium.kind for medium in named}
    names = list(kinds)
    places = [_Place(sum((folder / name).is_file() for name in names))]
    if names and places[0].found < len(names):
        beside = posixpath.dirname(annotation)
        places += [_in_folder(names, folder, beside, adapter)] if beside else []
        places += [_above(names, folder)]
        found = {name: there for name in names if (there := below.find(name, kinds[name])) is not None}
        ways = Counter((archive, *parted(name, other)) for name, (archive, other) in found.items())
        places += [_way(*way, names, found, adapter, folder) for way, _ in ways.most_common(3)]
    best = max(places, key=lambda place: place.found)
    counts = Counter(posixpath.normpath(medium.name) for medium in named)
    share = best.found / len(names) if names else 0.0
    return _Place(round(share * sum(counts.values())), best.options, best.root, best.media, best.why)


def _in_folder(names: list[str], folder: Path, base: str, adapter: str) -> _Place:
    """Names that begin at another folder than the root."""
    there = sum((folder / posixpath.normpath(posixpath.join(base, name))).is_file() for name in names)
    if adapter not in (*ROOTED, *PREFIXED):
        return _Place(0)
    key = "media_root" if adapter in ROOTED else "path_prefix"
    return _Place(there, {key: base}, why=(f"the media lie below {base}",))


def _above(names: list[str], folder: Path) -> _Place:
    """Names that begin with the folder's own, so that its parent is the root."""
    own = folder.resolve()
    inside = [name for name in names if name.startswith(f"{own.name}/") and (own.parent / name).is_file()]
    return _Place(
        len(inside),
        root="..",
        why=(f"names of media begin with {own.name}/, so the root is the folder above",),
    )


def _way(
    archive: str,
    wanted: str,
    there: str,
    names: list[str],
    found: dict[str, tuple[str, str]],
    adapter: str,
    folder: Path,
) -> _Place:
    """Names that lie elsewhere by one rule: in an archive, below a folder, or under another extension or case."""
    alike = [
        name
        for name, (held, other) in found.items()
        if (held, *parted(name, other)) == (archive, wanted, there)
    ]
    media: dict[str, Any] = {}
    bases = {(posixpath.basename(name), posixpath.basename(found[name][1])) for name in alike}
    if any(name.lower() != other.lower() for name, other in bases):
        media["fallback"] = ["case", "extension"]
    elif any(name != other for name, other in bases):
        media["fallback"] = ["case"]
    if archive:
        rule = {"inside": archive, "prefix": f"{wanted}/" * bool(wanted), "strip": f"{there}/" * bool(there)}
        media["places"] = [{key: value for key, value in rule.items() if value}]
        return _Place(len(alike), media=media, why=(f"the media lie in {archive}",))
    if not wanted and not there:
        return _Place(len(alike), media=media, why=("the media have another extension or case",))
    if not wanted and adapter in (*ROOTED, *PREFIXED):
        base = _in_folder(alike, folder, there, adapter)
        return _Place(len(alike), base.options, ".", media, base.why)
    if adapter in PREFIXED:
        options = {"strip_prefix": f"{wanted}/", "path_prefix": there or "."}
        return _Place(
            len(alike),
            options,
            ".",
            media,
            (f"paths begin with {wanted}/, which stands for {there or 'the root'}",),
        )
    return _Place(0)

"""The check of one source: files found, first records judged, some media opened, and a verdict."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from vita_data import files
from vita_data.catalog.task import CatalogTask
from vita_data.check import estimate, odd
from vita_data.check.hints import hints
from vita_data.check.opened import Archive, Opened, list_archives, open_media
from vita_data.check.records import Rule, Tally
from vita_data.errors import SourceError
from vita_data.manifest.mixture import MixtureSource
from vita_data.manifest.source import SourceCard, source_root
from vita_data.sources.head import Reading, Source
from vita_data.sources.registry import ADAPTERS, checked_options

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Asked:
    """How many records are read and media opened."""

    records: int = 1000
    media: int = 100


def check_source(
    card: SourceCard, data_root: str | None, line: MixtureSource | None, asked: Asked, tell: Tell
) -> dict[str, Any]:
    """What is there of a source against its card, as plain values: {source, ok, files, records, media, odd, ...}.

    `line` is the source's in a mixture; `tell` hears what is being done, and how much of how much is done. A card
    whose options its adapter does not have is a ManifestError; all else that is wrong is in the answer.
    """
    options = checked_options(card)
    root = source_root(card, data_root)
    root = root if files.is_url(root) else os.path.normpath(root)
    found, wrong = _annotations(card, root, data_root)
    names = list(dict.fromkeys(name for each in found for name in each["names"]))
    with tempfile.TemporaryDirectory(prefix="vita-check-") as scratch:
        task = _task(card, options, root, scratch)
        archives: list[Archive] = []
        if found and files.exists(root):
            path, archives, more = list_archives(task, card.media)
            wrong += more
            task = _task(card, options, root, scratch, path)
        tally, reading = _read(task, names, asked, tell)
        wrong += reading.errors.values()
        opened = open_media(
            task, card.media, tally.chosen, archives, lambda n, of: tell("opening media", n, of)
        )
    there = estimate.estimate(card, tally, opened, reading, _size(root, names), line)
    look = odd.Look(card, tally, opened, reading, there)
    wrong += odd.wrong(look) if names else []
    lost = [(each.medium.name, each.medium.kind) for each in opened.missing]
    said = hints(lost, root, _all_options(card, options), [each.name for each in archives])
    return {
        "source": card.source,
        "title": card.title,
        "root": root,
        "ok": not wrong,
        "files": [{key: value for key, value in each.items() if key != "names"} for each in found],
        "archives": [asdict(each) for each in archives],
        "records": _records(tally, reading),
        "media": _media(tally, opened),
        "estimate": there,
        "wrong": wrong,
        "odd": [*odd.odd(look, archives), *said],
        "tolerance": float(card.tolerance),
    }


def _annotations(
    card: SourceCard, root: str, data_root: str | None
) -> tuple[list[dict[str, Any]], list[str]]:
    """The files that the card's globs match, and sentences about those that match nothing."""
    if not files.exists(root):
        return [], [f"the folder {root} is not there; {_moved(card, data_root)}get it so: {card.get}"]
    found, wrong = [], []
    for pattern in card.annotations:
        names = [] if pattern.startswith("/") else files.matching(root, pattern)
        found.append({"pattern": pattern, "found": len(names), "bytes": _size(root, names), "names": names})
        if not names:
            wrong.append(
                f"no file matches {pattern} below {root}; fetch it or mend `annotations` in the card."
            )
    return found, wrong


def _moved(card: SourceCard, data_root: str | None) -> str:
    """Whether the folder that was given is the corpus itself instead of the one that holds it."""
    here = data_root is not None and any(files.matching(data_root, pattern) for pattern in card.annotations)
    return "--data-root is the corpus itself, point it at the folder that holds it as " * here + (
        f"{card.root}, or " * here
    )


def _size(root: str, names: list[str]) -> int:
    return sum(files.identity(files.join(root, name))["size"] for name in names)


def _task(
    card: SourceCard, options: dict[str, Any], root: str, scratch: str, archives: str | None = None
) -> CatalogTask:
    """The source as its catalog pass would see it, with the default frames of films."""
    return CatalogTask(
        source=card.source,
        row=card.row.name,
        kind=card.kind,
        language=card.language,
        licence=card.licence,
        adapter=card.adapter,
        options=options,
        media=asdict(card.media),
        seconds=asdict(card.seconds),
        frames={},
        case=card.case,
        root=root,
        folder=scratch,
        slices=[],
        buckets=1,
        archives=archives,
    )


def _read(task: CatalogTask, names: list[str], asked: Asked, tell: Tell) -> tuple[Tally, Reading]:
    tally = Tally(task, asked.media)
    reading = Reading(
        Source(task.adapter, task.options, task.root, files.join(task.folder, "split")), names, asked.records
    )
    files.make_folder(files.join(task.folder, "split"))
    try:
        for annotation, record in reading.records():
            tell("reading records", tally.read, asked.records)
            tally.add(annotation, record)
    except SourceError as error:
        reading.errors[""] = str(error)
    return tally, reading


def _all_options(card: SourceCard, options: dict[str, Any]) -> dict[str, Any]:
    """The card's options, and None for those that it leaves out."""
    known = ADAPTERS[card.adapter][1].__dataclass_fields__ if card.adapter in ADAPTERS else {}
    return {**dict.fromkeys(known), **options}


def _records(tally: Tally, reading: Reading) -> dict[str, Any]:
    return {
        "read": tally.read,
        "kept": tally.kept,
        "unwanted": tally.unwanted,
        "all": reading.whole,
        "rules": _rules(tally.rules),
        "without_id": tally.without_id,
        "doubled_ids": len(tally.doubled),
        "chinese": tally.chinese,
    }


def _media(tally: Tally, opened: Opened) -> dict[str, Any]:
    rules = {name: rule for name, rule in opened.rules.items() if name != "media_missing"}
    return {
        "named": tally.media,
        "opened": opened.opened,
        "missing": len(opened.missing),
        "broken": sum(rule.count for rule in rules.values()),
        "unlooked": len(opened.unlooked),
        "rules": _rules(opened.rules),
        "examples": [f"{each.medium.name} ({each.place})" for each in opened.missing[:3]],
        "ranges": {name: [min(values), max(values)] for name, values in opened.sizes.items()},
    }


def _rules(rules: dict[str, Rule]) -> dict[str, Any]:
    ordered = sorted(rules.items(), key=lambda item: (-item[1].count, item[0]))
    return {name: asdict(rule) for name, rule in ordered}

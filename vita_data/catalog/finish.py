"""A source's catalog from outside: is it there and current, what is left to read, and its summary at the end.

`source.json` is written last and means complete. `building.json` names the digest of a catalog that is
being read; files left by another digest are removed before anything is written.
"""

from __future__ import annotations

import functools
from importlib import metadata
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vita_data import files
from vita_data.catalog.batches import batch_starts, slice_weights
from vita_data.catalog.merge import part_name, rejects_name
from vita_data.catalog.task import (
    CARD_FACTS,
    UNREADABLE_STEPS,
    VERSION,
    CatalogTask,
    bucket_count,
    work_folder,
)
from vita_data.errors import SourceError, VitaError
from vita_data.media.containers import listing
from vita_data.media.containers.walk import files_of
from vita_data.media.members import left_out_of
from vita_data.media.resolve import state_of
from vita_data.records.key import digest_of
from vita_data.records.places import Place
from vita_data.sources.base import Split

MOST_OF_ONE = 0.1  # of a source said by one speaker


def annotations_of(root: str, globs: list[str], source: str) -> dict[str, files.Identity]:
    """The annotation files of a source, sorted, with their identities.

    Raises SourceError when the folder or a glob's files are not there.
    """
    if not files.exists(root):
        raise SourceError(
            f"source {source}: its folder {root} is not there; fetch the corpus "
            f"(`vita-data sources {source}` says how) or point --data-root at the folder that holds it."
        )
    found: dict[str, files.Identity] = {}
    for pattern in globs:
        if pattern.startswith("/"):
            raise SourceError(
                f"source {source}: annotation {pattern} is an absolute path; write it relative to the root {root}."
            )
        matching = files.identities(root, pattern)
        if not matching:
            raise SourceError(
                f"source {source}: no file matches {pattern} below {root}; fetch it or mend `annotations` in the card."
            )
        found |= matching
    for name in found:
        if name != name.encode("utf-8", "replace").decode():  # its bytes are not UTF-8
            raise SourceError(
                f"source {source}: the file name {name!r} is no readable text; rename the file."
            )
    return dict(sorted(found.items()))


def catalog_digest(facts: dict[str, Any], root: str, annotations: dict[str, files.Identity]) -> str:
    """Names a catalog: step version, card facts, identities of annotations and archives, and the decoders."""
    places = [Place(**place) for place in facts["media"]["places"]]
    archives = [name for place in places for name in files_of(root, place)]
    identities = {name: files.identity(files.join(root, name)) for name in archives}
    return digest_of("catalog", VERSION, listing.VERSION, facts, identities | annotations, _decoders())


@functools.cache
def _decoders() -> dict[str, str]:
    """The libraries whose decoded media a catalog holds."""
    return {name: metadata.version(name) for name in ("pillow", "av", "soundfile", "soxr")}


def current_summary(folder: str, digest: str, root: str) -> dict[str, Any] | None:
    """The summary of a finished catalog of this digest; None when it must be read (again)."""
    path = files.join(folder, "source.json")
    if not files.exists(path):
        return None
    summary: dict[str, Any] = files.read_json(path)
    if summary["digest"] != digest or _something_was_mended(summary, root):
        return None
    return summary


def _something_was_mended(summary: dict[str, Any], root: str) -> bool:
    """Whether a medium that cost a record is another file now, so that the record deserves another reading."""
    return any(state_of(root, name) != state for name, state in summary["lost"].items())


def start(folder: str, digest: str) -> None:
    """Makes a catalog folder ready for (more) work on this digest."""
    marker = files.join(folder, "building.json")
    if files.exists(marker) and files.read_json(marker)["digest"] == digest and not _finished(folder):
        return
    files.remove(files.join(folder, "source.json"))  # first: from here on the catalog is not whole
    files.remove_tree(folder)
    files.make_folder(work_folder(folder))
    files.write_json(marker, {"digest": digest})


def _finished(folder: str) -> bool:
    return files.exists(files.join(folder, "source.json"))


def make_task(
    facts: dict[str, Any],
    root: str,
    folder: str,
    annotations: dict[str, files.Identity],
    splits: list[tuple[str, Split]],
    archives: str | None = None,
) -> CatalogTask:
    """The task of a source from its card's facts and its splits, in the order of their names."""
    ordered = sorted(splits, key=lambda item: item[0])
    slices = [part for _, split in ordered for part in split.slices]
    batches = batch_starts(
        weight for name, split in ordered for weight in slice_weights(annotations[name]["size"], split)
    )
    text_bytes, records = (sum(getattr(s, name) for _, s in ordered) for name in ("text_bytes", "records"))
    buckets = bucket_count(text_bytes, records)
    return CatalogTask(
        **facts,
        root=root,
        folder=folder,
        slices=slices,
        buckets=buckets,
        archives=archives,
        batches=batches,
    )


def finish(task: CatalogTask, digest: str, splits: list[tuple[str, Split]]) -> dict[str, Any]:
    """Checks that no two samples share a key, writes `source.json`, and removes the intermediate files.

    Raises SourceError when an annotation is not the file any more that it was when the reading began.
    """
    _refuse_changed(task, digest, [name for name, _ in splits])
    summaries = [
        files.read_json(files.join(task.work, name)) for name in files.matching(task.work, "part-*.json")
    ]
    parts = sorted(summary["part"] for summary in summaries)
    _refuse_collisions(task, parts)
    rejected: dict[str, int] = {}
    for summary in summaries:
        for rule, count in summary["rejected"].items():
            rejected[rule] = rejected.get(rule, 0) + count
    counted = ("kept", "questions", "sound_samples", "bytes")
    totals = {name: sum(summary[name] for summary in summaries) for name in counted}
    said = {
        "source": task.source,
        "digest": digest,
        "content": digest_of(
            "content", [(s["part"], s["sha256"]) for s in sorted(summaries, key=lambda s: s["part"])]
        ),
        "rejects_digest": digest_of(
            "rejects", [(s["part"], s["rejects_sha256"]) for s in sorted(summaries, key=lambda s: s["part"])]
        ),
        "files": {name: split.sha256 for name, split in sorted(splits)},
        "parts": parts,
        "read": totals["kept"] + sum(rejected.values()),
        "rejected": dict(sorted(rejected.items())),
        "lost": _lost_media(task, parts),
        "common_speakers": _common_speakers(task, parts, totals["kept"]),
        "archives": left_out_of(task.archives),
        **totals,
    }
    files.write_json(files.join(task.folder, "source.json"), said)
    files.remove_tree(task.work)
    return said


def _refuse_collisions(task: CatalogTask, parts: list[int]) -> None:
    keys: list[Any] = []
    for part in parts:
        column = files.read_table(files.join(task.folder, part_name(part)), ["key"]).column("key")
        keys.append(np.array([int(key[-16:], 16) for key in column.to_pylist()], np.uint64))
    joined = np.sort(np.concatenate(keys)) if keys else np.zeros(0, np.uint64)
    twice = joined[1:][joined[1:] == joined[:-1]]
    if len(twice):
        raise VitaError(
            f"source {task.source}: two records have the key {task.source}-{int(twice[0]):016x}; "
            "rename the source in its card, which gives every record another key."
        )


def _refuse_changed(task: CatalogTask, digest: str, annotations: list[str]) -> None:
    facts = {name: getattr(task, name) for name in CARD_FACTS}
    now = {name: files.identity(files.join(task.root, name)) for name in annotations}
    if catalog_digest(facts, task.root, now) != digest:
        raise SourceError(
            f"source {task.source}: its annotation files in {task.root} changed while they were read; "
            "let the corpus rest and run the same command again: it reads this source from the start."
        )


def _common_speakers(task: CatalogTask, parts: list[int], kept: int) -> list[str]:
    """The speakers of more than a tenth of a source: too much of it to be held out as a whole."""
    names = [
        files.read_table(files.join(task.folder, part_name(part)), ["speaker"]).column("speaker")
        for part in parts
    ]
    counts = pc.value_counts(pa.chunked_array([c for name in names for c in name.chunks], pa.string()))
    many = (
        row["values"] for row in counts.to_pylist() if row["values"] and row["counts"] > MOST_OF_ONE * kept
    )
    return sorted(many)


def _lost_media(task: CatalogTask, parts: list[int]) -> dict[str, str]:
    """The media of records that were refused over a medium, with what stands under each name now.

    They are looked at again at every build.
    """
    names: set[str] = set()
    for part in parts:
        table = files.read_table(files.join(task.folder, rejects_name(part)), ["step", "media"])
        rows = zip(table.column("step").to_pylist(), table.column("media").to_pylist(), strict=True)
        names |= {name for step, media in rows if step == "media" for name in media or () if name}
    return {name: state_of(task.root, name) for name in sorted(names)}


def unreadable(summary: dict[str, Any]) -> int:
    """How many records of a source the tolerance counts: not readable, or with broken media."""
    return sum(n for rule, n in summary["rejected"].items() if rule.split("/")[0] in UNREADABLE_STEPS)


def check_tolerance(summary: dict[str, Any], tolerance: float, late: int = 0) -> None:
    """Raises SourceError when more than the tolerance could not be read, or nothing is left of a source.

    One bad record never stops a build, unless the tolerance is 0, and a tolerance of 1 accepts whatever there
    is. `late` are records whose media were lost after they had been read.
    """
    lost, read = unreadable(summary) + late, summary["read"]
    worst = sorted(summary["rejected"].items(), key=lambda item: (-item[1], item[0]))[:3]
    words = ", ".join(f"{count} {rule.split('/')[1]}" for rule, count in worst)
    words = ", ".join(filter(None, [words, f"{late} medium_changed" if late else ""]))
    if lost > (max(1, int(tolerance * read)) if tolerance else 0):
        raise SourceError(
            f"source {summary['source']}: {lost} of {read} records could not be read ({words}), above its tolerance "
            f"of {tolerance:.2%}; mend the corpus, or raise `tolerance` in its card if you can do without them."
        )
    if not summary["kept"] and tolerance < 1:
        raise SourceError(
            f"source {summary['source']}: none of its {read} records can be used ({words or 'its files are empty'}); "
            "check `annotations`, `adapter` and `options` in its card against the files."
        )

"""Filling one shard: the bytes of its samples read from where the catalog says, checked, and written.

A medium that changed or vanished since the catalog pass costs its sample, not the build: the shard is
not written, the samples are named, and the caller draws again without them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from vita_data import files
from vita_data.catalog.task import SPOKEN, medium_path
from vita_data.errors import SourceError, VitaError
from vita_data.progress import Progress
from vita_data.records.key import digest_of
from vita_data.select.gather import Piece, SourcePart, StageTask, load_stage_task, piece_rows
from vita_data.shards.write import ShardSample, finished_shard, write_shard

# Raise when the bytes of a shard would come out differently from the same rows.
VERSION = 1
STEP = "write"
MEASURED = ("text_tokens", "visual_tokens", "audio_tokens", "length", "grids")


def fill_shard(task_path: str, number: int, pieces: list[Piece]) -> dict[str, Any]:
    """Writes a shard unless it was written from the same rows; returns its facts, or {"late": rejects}."""
    task = load_stage_task(task_path)
    digest = _plan_digest(_rows(task, pieces))
    facts = finished_shard(task.folder, number, digest)
    if facts is None:
        late: list[dict[str, Any]] = []
        try:
            facts = write_shard(task.folder, number, _samples(task, _rows(task, pieces), late), digest)
        except _LostMedia:
            return {"number": number, "late": late}
    return {
        "number": number,
        **{name: getattr(facts, name) for name in ("samples", "questions", "bytes", "digest")},
    }


def fill_shard_to_file(task_path: str, number: int, pieces: list[Piece]) -> str:
    """`fill_shard` with its facts left in a file, which is returned: results travel in files."""
    path = facts_path(load_stage_task(task_path).work, number)
    files.write_json(path, fill_shard(task_path, number, pieces))
    return path


def facts_path(work: str, number: int) -> str:
    """Where the facts of a filled shard lie."""
    return files.join(work, f"shard-{number:05d}.json")


def _rows(task: StageTask, pieces: list[Piece]) -> Iterator[dict[str, Any]]:
    """The rows of a shard in order; gone through twice, since all of them at once may be many."""
    for piece in pieces:
        yield from piece_rows(task.rows, piece)


def _plan_digest(rows: Iterator[dict[str, Any]]) -> str:
    """Over everything that decides a shard's and its index's bytes."""
    hasher = hashlib.blake2b(digest_size=16)
    for row in rows:
        hasher.update(row["record"].encode())
        for medium in row["media"]:
            hasher.update(medium["sha256"])
        hasher.update(repr([row[name] for name in MEASURED]).encode())
    return digest_of("shard", VERSION, hasher.hexdigest())


class _LostMedia(Exception):
    """Raised at a shard's end, so that it is not written, when media were lost."""


class _LostMedium(Exception):
    """One medium is not what the catalog knows."""

    def __init__(self, path: str, medium: dict[str, Any], words: str) -> None:
        super().__init__(f"{medium['native']} {words}.")
        self.path = path
        self.offset: int = medium["offset"]
        self.length: int = medium["length"]
        self.sha256: str = medium["sha256"].hex()


def _samples(
    task: StageTask, rows: Iterator[dict[str, Any]], late: list[dict[str, Any]]
) -> Iterator[ShardSample]:
    reader, progress = files.RangeReader(), Progress(files.join(task.work, "progress"))
    try:
        for row in rows:
            progress.add()
            place = task.sources[row["source"]]
            try:
                media = [_bytes(reader, place, task.speech, medium) for medium in row["media"]]
            except _LostMedium as lost:
                late.append(_reject(row, lost))
                continue
            yield _sample(place, row, media)
    finally:
        reader.close()
        progress.flush()
    if late:
        raise _LostMedia


def _bytes(reader: files.RangeReader, place: SourcePart, speech: str, medium: dict[str, Any]) -> bytes:
    path = medium_path(medium["path"], place.root, place.catalog, speech)
    try:
        data = reader.read(path, medium["offset"], medium["length"])
    except (OSError, SourceError) as error:
        if medium["path"].startswith(SPOKEN):
            raise _damaged(path) from error
        raise _LostMedium(path, medium, f"could be read by the catalog pass but not now ({error})") from error
    if hashlib.sha256(data).digest() != medium["sha256"]:
        if medium["path"].startswith(SPOKEN):
            raise _damaged(path)
        raise _LostMedium(
            path,
            medium,
            "has other bytes than when it was catalogued; touch its annotation file to have the source read again",
        )
    return data


def _damaged(path: str) -> VitaError:
    """What was made here is made again and costs no sample."""
    return VitaError(
        f"{path} is damaged; remove it and run the same command again, which speaks anew what it held."
    )


def _sample(place: SourcePart, row: dict[str, Any], media: list[bytes]) -> ShardSample:
    return ShardSample(
        key=row["key"],
        record=row["record"].encode(),
        media=[(medium["extension"], data) for medium, data in zip(row["media"], media, strict=True)],
        questions=row["questions"],
        text_tokens=row["text_tokens"],
        visual_tokens=row["visual_tokens"],
        audio_tokens=row["audio_tokens"],
        length=row["length"],
        grids=tuple((grid["cols"], grid["rows"]) for grid in row["grids"]),
        seconds=sum(medium["samples"] / medium["rate"] for medium in row["media"] if medium["samples"]),
        sound_samples=row["sound_samples"],
        source=place.source,
        language=row["language"],
        licence=place.licence,
    )


def _reject(row: dict[str, Any], lost: _LostMedium) -> dict[str, Any]:
    return {
        "key": row["key"],
        "source": row["source"],
        "annotation": None,
        "position": None,
        "native_id": None,
        "step": STEP,
        "rule": "medium_changed",
        "value": None,
        "threshold": None,
        "message": str(lost),
        "media": [medium["native"] for medium in row["media"]],
        "path": lost.path,  # these say when the sample deserves another try
        "offset": lost.offset,
        "sha256": lost.sha256,
        "length": lost.length,
    }

"""Measuring a catalog part for one geometry: tokens, tiles, bytes in a shard, and the hashes that choose.

In: a catalog part. Out, under `<out>/curate/<digest>/<source>/`: a table with a row for every sample that
fits the training length, and rejects for those that do not. No media are opened: sizes are catalogued.
"""

from __future__ import annotations

import functools
import json
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from vita_data import files
from vita_data.catalog.merge import part_name, rejects_name
from vita_data.errors import RecordError
from vita_data.manifest.geometry import Geometry
from vita_data.progress import Progress
from vita_data.prompt.record import measure_record
from vita_data.prompt.template import template_digest
from vita_data.prompt.tokenizer import load_tokenizer
from vita_data.records.canon import canonical
from vita_data.records.key import digest_of, keyed_hash, selection_hash
from vita_data.records.schema import MEASURE, MEASURE_VERSION, REJECTS, REJECTS_VERSION
from vita_data.shards.tar import padded

# Raise when a measured number would come out differently.
VERSION = 1
HOLD_SEED = 0  # the held-out samples stay the same whatever seed a build has, so that evaluations compare
STEP = "measure"
BATCH = 1024


@dataclass(frozen=True)
class MeasureTask:
    """A source's catalog to measure, and where the measures go."""

    source: str
    catalog: str
    folder: str
    parts: list[int]
    common_speakers: list[str]
    geometry: Geometry
    state_tokens: bool
    seed: int
    noise_ends: bool = False

    def save(self) -> str:
        """Writes the task beside its results and returns its path."""
        path = files.join(self.folder, "task.json")
        files.write_json(path, asdict(self))
        return path


@functools.lru_cache(maxsize=64)
def load_measure_task(path: str) -> MeasureTask:
    """The task at a path."""
    facts = files.read_json(path)
    return MeasureTask(**{**facts, "geometry": Geometry(**facts["geometry"])})


def measure_digest(
    catalog_digest: str, geometry: Geometry, state_tokens: bool, seed: int, noise_ends: bool = False
) -> str:
    """Names the measures of a catalog: everything they depend on."""
    tokenizer = load_tokenizer(geometry.tokenizer).digest()
    template = template_digest(state_tokens, noise_ends)
    return digest_of("measure", VERSION, catalog_digest, geometry.digest(), tokenizer, template, seed)


def measure_part(task_path: str, part: int) -> str:
    """Measures one catalog part, unless that was done; returns the path of its table."""
    task = load_measure_task(task_path)
    path = files.join(task.folder, part_name(part))
    if files.exists(path):
        return path
    columns = [
        "key",
        "annotation",
        "position",
        "native_id",
        "questions",
        "sound_samples",
        "speaker",
        "record",
        "media",
    ]
    table = files.read_table(files.join(task.catalog, part_name(part)), columns)
    kept, rejected = _Rows(MEASURE, MEASURE_VERSION), _Rows(REJECTS, REJECTS_VERSION)
    progress = Progress(files.join(task.folder, "progress"))
    first = 0
    for batch in table.to_batches(max_chunksize=BATCH):
        for number, row in enumerate(batch.to_pylist(), first):
            progress.add()
            try:
                kept.add({**_measures(task, row), "row": number})
            except RecordError as error:
                rejected.add(_reject(task.source, row, error))
        first += len(batch)
    progress.flush()
    rejected.write(files.join(task.folder, rejects_name(part)))
    kept.write(path)
    return path


class _Rows:
    """Rows on their way to a table: as Python objects a whole part would take ten times its bytes."""

    def __init__(self, schema: pa.Schema, version: int) -> None:
        self._schema = schema.with_metadata({"vita": canonical({"version": version})})
        self._tables: list[pa.Table] = []
        self._held: list[dict[str, Any]] = []

    def add(self, row: dict[str, Any]) -> None:
        self._held.append(row)
        if len(self._held) >= BATCH:
            self._settle()

    def _settle(self) -> None:
        self._tables.append(pa.Table.from_pylist(self._held, self._schema))
        self._held.clear()

    def write(self, path: str) -> None:
        self._settle()
        files.write_table(path, pa.concat_tables(self._tables))


def _measures(task: MeasureTask, row: dict[str, Any]) -> dict[str, Any]:
    record, media = json.loads(row["record"]), row["media"]
    lengths = measure_record(
        record,
        [(medium["width"], medium["height"]) for medium in media if medium["kind"] == "image"],
        [medium["samples"] for medium in media if medium["kind"] == "audio"],
        task.geometry,
        load_tokenizer(task.geometry.tokenizer),
        task.state_tokens,
        task.noise_ends,
    )
    return {
        "key": row["key"],
        "questions": row["questions"],
        "sound_samples": row["sound_samples"],
        "text_tokens": lengths.text_tokens,
        "visual_tokens": lengths.visual_tokens,
        "audio_tokens": lengths.audio_tokens,
        "length": lengths.length,
        "grids": [{"cols": cols, "rows": rows} for cols, rows in lengths.grids],
        "bytes": padded(len(row["record"].encode()))
        + sum(padded(medium["length"]) for medium in row["media"]),
        "selection": selection_hash(task.seed, row["key"]),
        "hold": [keyed_hash(HOLD_SEED, "hold-out", name) for name in _held_by(task, row)],
    }


def _held_by(task: MeasureTask, row: dict[str, Any]) -> list[str]:
    """What decides whether a sample is held out: its media, its speaker as a whole, or for text its key.

    A voice that is a large part of its source cannot be held out whole; its sounds stand for themselves.
    """
    if row["speaker"] is not None and row["speaker"] not in task.common_speakers:
        return [f"speaker {task.source} {row['speaker']}"]
    return list(dict.fromkeys(medium["content"].hex() for medium in row["media"])) or [row["key"]]


def _reject(source: str, row: dict[str, Any], error: RecordError) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("key", "annotation", "position", "native_id")},
        "source": source,
        "step": STEP,
        "rule": error.rule,
        "value": error.value,
        "threshold": error.threshold,
        "message": str(error),
        "media": [medium["native"] for medium in row["media"]],
    }

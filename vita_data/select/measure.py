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
import pyarrow.compute as pc

from vita_data import files
from vita_data.catalog.counted import TOTALS
from vita_data.catalog.merge import part_name, rejects_name
from vita_data.errors import RecordError
from vita_data.manifest.geometry import Geometry
from vita_data.progress import Progress
from vita_data.prompt.lengths import measure
from vita_data.prompt.template import template_digest
from vita_data.prompt.tokenizer import load_tokenizer
from vita_data.records.canon import canonical
from vita_data.records.key import digest_of, keyed_hash, selection_hash
from vita_data.records.schema import MEASURE, MEASURE_VERSION, REJECTS, REJECTS_VERSION
from vita_data.select.stage import Source
from vita_data.shards.tar import padded

# Raise when a measured number would come out differently.
VERSION = 1
HOLD_SEED = 0  # the held-out samples stay the same whatever seed a build has, so that evaluations compare
STEP = "measure"


@dataclass(frozen=True)
class MeasureTask:
    """A source's catalog to measure, and where the measures go."""

    source: str
    catalog: str
    folder: str
    parts: list[int]
    geometry: Geometry
    state_tokens: bool
    seed: int

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


def measure_digest(catalog_digest: str, geometry: Geometry, state_tokens: bool, seed: int) -> str:
    """Names the measures of a catalog: everything they depend on."""
    tokenizer = load_tokenizer(geometry.tokenizer).digest()
    return digest_of(
        "measure", VERSION, catalog_digest, geometry.digest(), tokenizer, template_digest(state_tokens), seed
    )


def keep_totals(source: Source, geometry: Geometry) -> None:
    """Writes what a source's measures sum to, for `vita-data plan`; nothing to do when that was done."""
    path = files.join(source.measures, TOTALS)
    if not files.exists(path):
        tables = [files.read_table(part, ["length"]) for part in source.paths]
        tokens = sum(pc.sum(table.column("length")).as_py() or 0 for table in tables)
        facts = {"catalog": source.catalog_digest, "geometry": geometry.digest(), "tokens": tokens}
        files.write_json(path, facts)


def measure_part(task_path: str, part: int) -> str:
    """Measures one catalog part, unless that was done; returns the path of its table."""
    task = load_measure_task(task_path)
    path = files.join(task.folder, part_name(part))
    if files.exists(path):
        return path
    columns = ["key", "annotation", "position", "native_id", "questions", "record", "media"]
    table = files.read_table(files.join(task.catalog, part_name(part)), columns)
    kept: list[dict[str, Any]] = []
    rejected: list[dict[str, Any]] = []
    progress = Progress(files.join(task.folder, "progress"))
    for number, row in enumerate(_rows(table)):
        progress.add()
        try:
            kept.append({**_measures(task, row), "row": number})
        except RecordError as error:
            rejected.append(_reject(task.source, row, error))
    progress.flush()
    _write(files.join(task.folder, rejects_name(part)), rejected, REJECTS, REJECTS_VERSION)
    _write(path, kept, MEASURE, MEASURE_VERSION)
    return path


def _rows(table: pa.Table) -> Any:
    for batch in table.to_batches(max_chunksize=1024):
        yield from batch.to_pylist()


def _write(path: str, rows: list[dict[str, Any]], schema: pa.Schema, version: int) -> None:
    table = pa.Table.from_pylist(rows, schema)
    files.write_table(path, table.replace_schema_metadata({"vita": canonical({"version": version})}))


def _measures(task: MeasureTask, row: dict[str, Any]) -> dict[str, Any]:
    turns = json.loads(row["record"])["conversations"]
    sizes = [(medium["width"], medium["height"]) for medium in row["media"]]
    lengths = measure(turns, sizes, task.geometry, load_tokenizer(task.geometry.tokenizer), task.state_tokens)
    held_by = [medium["content"].hex() for medium in row["media"]] or [row["key"]]
    return {
        "key": row["key"],
        "questions": row["questions"],
        "text_tokens": lengths.text_tokens,
        "visual_tokens": lengths.visual_tokens,
        "length": lengths.length,
        "grids": [{"cols": cols, "rows": rows} for cols, rows in lengths.grids],
        "bytes": padded(len(row["record"].encode()))
        + sum(padded(medium["length"]) for medium in row["media"]),
        "selection": selection_hash(task.seed, row["key"]),
        "hold": [keyed_hash(HOLD_SEED, "hold-out", name) for name in held_by],
    }


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

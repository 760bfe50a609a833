"""Readings: what an engine reads in the pictures of a few samples, so that a rule can hold it against their answers.

In: a catalog part. Out, under `<out>/curate/<digest>/<source>/`: a row for each of its samples that was read. Who is
read follows from its key; of those alone whose answers say what stands in their pictures. No threshold matters here.
Samples with pictures that were gone when the rest was read are read again.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from vita_data import files
from vita_data.catalog.merge import part_name
from vita_data.catalog.task import medium_path
from vita_data.curate.rules import ocr
from vita_data.errors import RecordError
from vita_data.media import reading
from vita_data.progress import Progress
from vita_data.records.canon import canonical
from vita_data.records.key import UNIT, digest_of, keyed_hash
from vita_data.verdicts.gone import GONE, rows_to_measure, written

# Raise when the same engine would leave other files.
VERSION = 1
BATCH = 1024
READINGS = pa.schema(
    [
        ("key", pa.string()),
        (
            "texts",
            pa.list_(pa.string()),
        ),  # of each picture, a line for each box; null where one cannot be read
        ("boxes", pa.int32()),  # of all its pictures
        ("certainty", pa.float32()),  # the mean over its pictures with text, 0 to 1
    ]
)
CLAIMING = "claiming"  # in the metadata of a file: how many samples of the part could have been read


@dataclass(frozen=True)
class ReadingsTask:
    """A source's catalog, the share of its samples that is read, and where the readings go."""

    source: str
    root: str
    catalog: str
    folder: str
    share: float

    def save(self) -> str:
        """Writes the task beside its results and returns its path."""
        path = files.join(self.folder, "task.json")
        files.write_json(path, asdict(self))
        return path


@functools.lru_cache(maxsize=64)
def load_readings_task(path: str) -> ReadingsTask:
    """The task at a path."""
    return ReadingsTask(**files.read_json(path))


def readings_name(part: int) -> str:
    """File name of the readings of a catalog part."""
    return f"readings-{part:05d}.parquet"


def readings_digest(catalog_digest: str, share: float) -> str:
    """Names the readings of a catalog. UsageError where the engine is not installed."""
    versions = [VERSION, reading.VERSION, ocr.VERSION]
    return digest_of("readings", versions, reading.engine_versions(), catalog_digest, share)


def is_chosen(key: str, share: float) -> bool:
    """Whether a sample is among this share: of two shares the smaller one lies in the larger."""
    return keyed_hash(0, "ocr", key) < share * UNIT


def readings_part(task_path: str, part: int) -> str:
    """Reads the chosen samples of one part, unless that was done; returns the path of its table."""
    task = load_readings_task(task_path)
    path = files.join(task.folder, readings_name(part))
    wanted = rows_to_measure(path)
    if wanted == []:
        return path
    known = {} if wanted is None else {row["key"]: row for row in files.read_table(path).to_pylist()}
    table = files.read_table(files.join(task.catalog, part_name(part)), ["key", "record", "media"])
    reader, progress = files.RangeReader(), Progress(files.join(task.folder, "progress"))
    rows: list[dict[str, Any]] = []
    gone: list[int] = []
    claiming = 0
    try:
        for number, row in _each(table, progress):
            if not _claims(row):
                continue
            claiming += 1
            if not is_chosen(row["key"], task.share):
                continue
            if wanted is None or number in wanted:
                found = _read(task, row, reader)
                gone += [number] if found is None else []
                known[row["key"]] = found or {"key": row["key"]}
            rows.append(known[row["key"]])
    finally:
        reader.close()
        progress.flush()
    schema = READINGS.with_metadata({"vita": canonical({"version": VERSION, CLAIMING: claiming})})
    with written(path, gone) as stream:
        files.put_table(stream, pa.Table.from_pylist(rows, schema))
    return path


def _each(table: pa.Table, progress: Progress) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a table with their numbers; those of a batch count as done when all were seen."""
    for start in range(0, len(table), BATCH):
        rows = table.slice(start, BATCH).to_pylist()
        yield from enumerate(rows, start)
        progress.add(len(rows))


def _claims(row: dict[str, Any]) -> bool:
    """Whether a sample has pictures, no film, and answers that say what stands in them."""
    kinds = {medium["kind"] for medium in row["media"]}
    return kinds == {"image"} and bool(ocr.claimed(json.loads(row["record"])["conversations"]))


def _read(task: ReadingsTask, row: dict[str, Any], reader: files.RangeReader) -> dict[str, Any] | None:
    """The row of a sample that is read, without texts where the engine trips over it; None where a picture is gone."""
    found: list[reading.Reading] = []
    for medium in row["media"]:
        path = medium_path(medium["path"], task.root, task.catalog)
        try:
            found.append(reading.read_picture(reader.read(path, medium["offset"], medium["length"])))
        except GONE as error:
            tripped = isinstance(error, RecordError) and error.rule == reading.FAILED
            return {"key": row["key"]} if tripped else None
    certain = [one.certainty for one in found if one.lines]
    return {
        "key": row["key"],
        "texts": ["\n".join(one.lines) for one in found],
        "boxes": sum(len(one.lines) for one in found),
        "certainty": sum(certain) / len(certain) if certain else 0.0,
    }


def texts_of(folder: str | None, part: int) -> dict[str, list[str]]:
    """What was read in the pictures of a part's samples, by their keys; nothing where no folder is given."""
    if folder is None:
        return {}
    table = files.read_table(files.join(folder, readings_name(part)), ["key", "texts"])
    return {row["key"]: row["texts"] for row in table.to_pylist() if row["texts"] is not None}


def summed(folder: str, judged: dict[int, str]) -> dict[str, int]:
    """How many samples of a source say what stands in their pictures, how many were held against them, how many differ.

    `judged` are the files of rejects by part. What another rule refused first was not judged by this one.
    """
    claiming = held = differ = 0
    for part, path in judged.items():
        table = files.read_table(files.join(folder, readings_name(part)), ["key", "texts"])
        claiming += json.loads(table.schema.metadata[b"vita"])[CLAIMING]
        keys = table.filter(pc.is_valid(table.column("texts"))).column("key").combine_chunks()
        rejects = files.read_table(path, ["key", "rule"])
        rules = rejects.filter(pc.is_in(rejects.column("key"), keys)).column("rule").to_pylist()
        differ += rules.count(ocr.RULE)
        held += len(keys) - len(rules) + rules.count(ocr.RULE)
    return {"claiming": claiming, "read": held, "disagree": differ}

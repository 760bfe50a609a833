"""One hash bucket of a source, from all its chunks: ids numbered, keys given, kept and rejected parted.

The records of one native id in one file always meet in one bucket, so counting their occurrences by
position needs no other. The part is sorted by key, so it does not depend on how the source was cut.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

import pyarrow as pa

from vita_data import files
from vita_data.catalog.task import CatalogTask, load_task
from vita_data.records.canon import canonical
from vita_data.records.key import sample_key
from vita_data.records.schema import CATALOG, CATALOG_VERSION, RECORD_VERSION, REJECTS, REJECTS_VERSION
from vita_data.shards.write import member_name


def part_name(number: int) -> str:
    """File name of a catalog part."""
    return f"part-{number:05d}.parquet"


def rejects_name(number: int) -> str:
    """File name of the rejects beside a catalog part."""
    return f"rejects-{number:05d}.parquet"


def merge_bucket(task_path: str, bucket: int, batches: list[tuple[str, int]]) -> str:
    """Writes a part and its rejects from (chunk, batch) pairs, unless they are there; returns its summary's path."""
    task = load_task(task_path)
    done = files.join(task.work, f"part-{bucket:05d}.json")
    if files.exists(done):
        return done
    rows = [row for path, batch in sorted(batches) for row in _batch(path, batch)]
    rows.sort(key=lambda row: (row["annotation"], row["native_id"], row["position"]))
    kept: list[dict[str, Any]] = []
    rejected: list[dict[str, Any]] = []
    for (annotation, native_id), same in itertools.groupby(rows, key=lambda row: (row["annotation"], row["native_id"])):
        for occurrence, row in enumerate(same):
            key = sample_key(task.source, annotation, native_id, occurrence)
            if row["rule"] is None:
                kept.append(_kept(task, key, occurrence, row))
            else:
                rejected.append({**row, "key": key, "source": task.source, "media": row["names"]})
    kept.sort(key=lambda row: str(row["key"]))
    rejected.sort(key=lambda row: str(row["key"]))
    _write(files.join(task.folder, part_name(bucket)), kept, CATALOG, CATALOG_VERSION)
    _write(files.join(task.folder, rejects_name(bucket)), rejected, REJECTS, REJECTS_VERSION)
    files.write_json(done, _summary(bucket, kept, rejected))
    return done


def _batch(path: str, number: int) -> list[dict[str, Any]]:
    with files.open_read(path) as stream, pa.ipc.open_file(stream) as reader:
        rows: list[dict[str, Any]] = reader.get_batch(number).to_pylist()
        return rows


def _write(path: str, rows: list[dict[str, Any]], schema: pa.Schema, version: int) -> None:
    names = set(schema.names)
    table = pa.Table.from_pylist([{k: v for k, v in row.items() if k in names} for row in rows], schema)
    files.write_table(path, table.replace_schema_metadata({"vita": canonical({"version": version})}))


def _kept(task: CatalogTask, key: str, occurrence: int, row: dict[str, Any]) -> dict[str, Any]:
    turns = json.loads(row["turns"])
    record = {
        "version": RECORD_VERSION,
        "id": key,
        "source": task.source,
        "native_id": json.loads(row["native_id"]),
        "row": task.row,
        "type": task.kind,
        "language": task.language,
        "licence": task.licence,
        "conversations": turns,
        "image": [member_name(key, n, medium["extension"]) for n, medium in enumerate(row["media"])],
        "audio": [],
        "video": [],
        "inserted_id": None,
        "spoken": [],
    }
    questions = sum(turn["from"] == "gpt" for turn in turns)
    return {**row, "key": key, "occurrence": occurrence, "questions": questions, "record": canonical(record)}


def _summary(bucket: int, kept: list[dict[str, Any]], rejected: list[dict[str, Any]]) -> dict[str, Any]:
    rules: dict[str, int] = {}
    for row in rejected:
        name = f"{row['step']}/{row['rule']}"
        rules[name] = rules.get(name, 0) + 1
    return {
        "part": bucket,
        "kept": len(kept),
        "questions": sum(row["questions"] for row in kept),
        "bytes": sum(medium["length"] for row in kept for medium in row["media"]),
        "rejected": rules,
    }

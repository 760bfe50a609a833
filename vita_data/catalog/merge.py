"""One hash bucket of a source, from all its chunks: ids numbered, keys given, kept and rejected parted.

The records of one native id in one file always meet in one bucket, so counting their occurrences by
position needs no other. The part is sorted by key, so it does not depend on how the source was cut.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from vita_data import files
from vita_data.catalog.read import CHUNK
from vita_data.catalog.task import CatalogTask, load_task
from vita_data.records.canon import canonical
from vita_data.records.key import sample_key
from vita_data.records.schema import CATALOG, CATALOG_VERSION, RECORD_VERSION, REJECTS, REJECTS_VERSION
from vita_data.shards.write import member_name

BATCH = 1024


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
    table = pa.Table.from_batches([_batch(path, number) for path, number in sorted(batches)], CHUNK)
    table = table.take(
        pc.sort_indices(table, [(name, "ascending") for name in ("annotation", "native_id", "position")])
    )
    keys, occurrences = _number(task.source, table)
    table = table.append_column("key", pa.array(keys)).append_column(
        "occurrence", pa.array(occurrences, pa.int32())
    )
    table = table.sort_by("key")
    rejected = pc.is_valid(table.column("rule"))
    counts = _Counts()
    kept_rows = (_kept(task, counts.kept(row)) for row in _rows(table.filter(pc.invert(rejected))))
    _write(files.join(task.folder, part_name(bucket)), kept_rows, CATALOG, CATALOG_VERSION)
    lost_rows = (_rejected(task, counts.rejected(row)) for row in _rows(table.filter(rejected)))
    _write(files.join(task.folder, rejects_name(bucket)), lost_rows, REJECTS, REJECTS_VERSION)
    digests = {
        "sha256": _sha256(files.join(task.folder, part_name(bucket))),
        "rejects_sha256": _sha256(files.join(task.folder, rejects_name(bucket))),
    }
    files.write_json(done, {"part": bucket, **digests, **counts.facts})
    return done


def _sha256(path: str) -> str:
    with files.open_read(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def _batch(path: str, number: int) -> pa.RecordBatch:
    with files.open_read(path) as stream, pa.ipc.open_file(stream) as reader:
        return reader.get_batch(number)


def _number(source: str, table: pa.Table) -> tuple[list[str], list[int]]:
    """Keys and occurrences of rows that are sorted by annotation, native id and position."""
    keys: list[str] = []
    occurrences: list[int] = []
    before: tuple[str, str] | None = None
    annotations, ids = (table.column(name).to_pylist() for name in ("annotation", "native_id"))
    for same in zip(annotations, ids, strict=True):
        occurrences.append(occurrences[-1] + 1 if same == before else 0)
        keys.append(sample_key(source, same[0], same[1], occurrences[-1]))
        before = same
    return keys, occurrences


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Rows as dicts, a few at a time: as Python objects a whole bucket would take ten times its bytes."""
    for batch in table.to_batches(max_chunksize=BATCH):
        yield from batch.to_pylist()


class _Counts:
    """What passes, counted on its way to the files."""

    def __init__(self) -> None:
        self._rules: dict[str, int] = {}
        totals = dict.fromkeys(("kept", "questions", "sound_samples", "bytes"), 0)
        self.facts: dict[str, Any] = {**totals, "rejected": self._rules}

    def kept(self, row: dict[str, Any]) -> dict[str, Any]:
        turns = json.loads(row["turns"])
        questions = sum(turn["from"] == "gpt" for turn in turns)
        self.facts["kept"] += 1
        self.facts["questions"] += questions
        self.facts["bytes"] += sum(medium["length"] for medium in row["media"])
        samples = sum(medium["samples"] or 0 for medium in row["media"])
        self.facts["sound_samples"] += samples
        return {**row, "turns": turns, "questions": questions, "sound_samples": samples}

    def rejected(self, row: dict[str, Any]) -> dict[str, Any]:
        name = f"{row['step']}/{row['rule']}"
        self._rules[name] = self._rules.get(name, 0) + 1
        return row


def _write(path: str, rows: Iterator[dict[str, Any]], schema: pa.Schema, version: int) -> None:
    metadata = {"vita": canonical({"version": version})}
    names = schema.names
    batches: Iterator[pa.Table] = (
        pa.Table.from_pylist([{name: row.get(name) for name in names} for row in some], schema)
        for some in iter(lambda: list(itertools.islice(rows, BATCH)), [])
    )
    table = pa.concat_tables([schema.empty_table(), *batches])
    files.write_table(path, table.replace_schema_metadata(metadata))


def _rejected(task: CatalogTask, row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "source": task.source, "media": row["names"]}


def _kept(task: CatalogTask, row: dict[str, Any]) -> dict[str, Any]:
    """The row with its record, the JSON member of its sample: `speaker` and `split` as the publisher names them.

    Both are null where the corpus does not say.
    """
    key = row["key"]
    language = row["language"] or task.language
    record = {
        "version": RECORD_VERSION,
        "id": key,
        "source": task.source,
        "native_id": json.loads(row["native_id"]),
        "row": task.row,
        "type": task.kind,
        "language": language,
        "licence": task.licence,
        "speaker": row["speaker"],
        "split": row["split"],
        "conversations": row["turns"],
        **_members(key, row["media"]),
        "inserted_id": row["inserted_id"],
        "spoken": [],
    }
    if task.kind == "tts":  # what is to be said, and how it sounds: nothing is heard
        record["conversations"] = [turn for turn in row["turns"] if turn["from"] == "gpt"]
        record["spoken"] = [{"turn": 0, "audio": name} for name in record["audio"]]
    return {**row, "language": language, "record": canonical(record)}


def _members(key: str, media: list[dict[str, Any]]) -> dict[str, Any]:
    """The members of a sample as its record names them: pictures, films as frames with their times, sounds."""
    named = [(member_name(key, n, medium["extension"]), medium) for n, medium in enumerate(media)]
    films: dict[int, dict[str, list[Any]]] = {}
    for name, medium in named:
        if medium["kind"] == "video-frame":
            film = films.setdefault(medium["part_of"], {"frames": [], "times": []})
            film["frames"].append(name)
            film["times"].append(medium["time"])
    plain = {kind: [name for name, medium in named if medium["kind"] == kind] for kind in ("image", "audio")}
    return {**plain, "video": [films[number] for number in sorted(films)]}

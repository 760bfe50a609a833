"""Looking for benchmarks in one part of a source: by split and id, decoded media, pictures, questions and recordings.

A question alone, a picture alone and both together are different findings. What removes a sample: that it is the
benchmark's own, that a medium decodes to the same, a picture within the radius with the question equal or near, a
recording of a benchmark of speech, a picture alone where the benchmark's card says so, and a question alone in pure
text if it is long enough to be no chance. All else is reported. Of a sample and a benchmark the strongest counts.
"""

from __future__ import annotations

import functools
import json
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from vita_data import files
from vita_data.catalog.merge import part_name
from vita_data.leaks import search, sound
from vita_data.manifest.benchmark import Guard
from vita_data.records.key import digest_of
from vita_data.verdicts.alike import pictures_and_questions
from vita_data.verdicts.benchmarks import Benchmarks, asked, open_index
from vita_data.verdicts.finding import CONTENT, FOUND, ITSELF, finding, strongest
from vita_data.verdicts.heard import recordings
from vita_data.verdicts.signals import signals_name

# Raise when other findings would come of the same index, or others would remove a sample.
VERSION = 2


@dataclass(frozen=True)
class LeaksTask:
    """A source to look through: its tables, the index, and what the cards say of both."""

    source: str
    catalog: str
    signals: str
    index: str
    folder: str
    pure_text: bool
    speech: bool
    radius: int | None  # for pictures alone; None where a source's pictures look alike by nature
    guards: dict[str, list[dict[str, Any]]]  # benchmark -> what of this source is the benchmark itself
    alone: list[str]  # benchmarks whose pictures alone remove a sample
    heard: list[str]  # benchmarks whose recordings remove one
    prints: str | None  # of the source's sounds, where a benchmark has recordings

    def save(self) -> str:
        """Writes the task beside its results and returns its path."""
        path = files.join(self.folder, "task.json")
        files.write_json(path, asdict(self))
        return path


@functools.lru_cache(maxsize=64)
def load_leaks_task(path: str) -> LeaksTask:
    """The task at a path."""
    return LeaksTask(**files.read_json(path))


def found_name(part: int) -> str:
    """File name of what was found in a part."""
    return f"found-{part:05d}.parquet"


def leaks_digest(index: str, measured: list[str | None], facts: list[Any]) -> str:
    """Names what is found in a source, by what was measured of it and what the cards say."""
    return digest_of("leaks", VERSION, search.VERSION, sound.VERSION, index, measured, facts)


def leaks_part(task_path: str, part: int) -> str:
    """Looks through one part, unless that was done; returns the path of what was found."""
    task = load_leaks_task(task_path)
    path = files.join(task.folder, found_name(part))
    if files.exists(path):
        return path
    columns = ["key", "native_id", "split", "record", "media"]
    rows = files.read_table(files.join(task.catalog, part_name(part)), columns).to_pylist()
    seen = files.read_table(files.join(task.signals, signals_name(part)), ["hashes"]).column("hashes")
    index = open_index(task.index)
    turns = [asked(json.loads(row["record"]), task.pure_text or task.speech) for row in rows]
    keys = [row["key"] for row in rows]
    found = [
        *_themselves(task, rows, turns),
        *_equal_media(index, rows),
        *pictures_and_questions(
            index, keys, turns, seen.to_pylist(), task.radius, task.alone, task.pure_text
        ),
    ]
    if task.prints is not None:
        found += recordings(task.prints, part, index, rows, turns, task.heard)
    files.write_table(path, pa.Table.from_pylist(strongest(found), FOUND))
    return path


def _themselves(task: LeaksTask, rows: list[dict[str, Any]], turns: list[list[str]]) -> list[dict[str, Any]]:
    guards = {
        name: [Guard(**{**one, "splits": tuple(one["splits"])}) for one in some]
        for name, some in task.guards.items()
    }
    return [
        finding(row["key"], name, None, ITSELF, ours="\n".join(said), removes=True)
        for name, some in guards.items()
        for row, said in zip(rows, turns, strict=True)
        if any(guard.holds(row["split"], row["native_id"]) for guard in some)
    ]


def _equal_media(index: Benchmarks, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Samples with a medium that decodes to the same as one of a benchmark."""
    return [
        finding(row["key"], item["benchmark"], item, CONTENT, ours=medium["native"], removes=True)
        for row in rows
        for medium in row["media"]
        for item in index.with_content(medium["content"])
    ]

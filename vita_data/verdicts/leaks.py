"""Looking for benchmarks in one part of a source: by split and id, by decoded media, pictures and questions.

A question alone, a picture alone and both together are different findings. What removes a sample: that it is the
benchmark's own, that a medium decodes to the same, a picture within the radius with the question equal or near, a
picture alone where the benchmark's card says so, and a question alone in pure text if it is long enough to be no
chance. All else is reported.
"""

from __future__ import annotations

import functools
import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from vita_data import files
from vita_data.catalog.merge import part_name
from vita_data.curate import hamming, phash
from vita_data.leaks import search
from vita_data.manifest.benchmark import Guard
from vita_data.records.key import digest_of
from vita_data.verdicts.benchmarks import Benchmarks, asked, open_index
from vita_data.verdicts.signals import signals_name

# Raise when other findings would come of the same index, or others would remove a sample.
VERSION = 1
LONG_ENOUGH = 13  # words, or twice as many Chinese characters, from which a question alone is no chance
WORDS = 300  # characters of evidence
ITSELF, CONTENT, BOTH, PICTURE, QUESTION = "itself", "content", "picture_and_question", "picture", "question"
ORDER = (ITSELF, CONTENT, BOTH, PICTURE, QUESTION)

FOUND = pa.schema(
    [
        ("key", pa.string()),
        ("benchmark", pa.string()),
        ("theirs", pa.string()),  # the key of the benchmark's item
        ("how", pa.string()),
        ("score", pa.float32()),  # of the question, 0 to 1
        ("length", pa.float32()),  # of the benchmark's question, in words
        ("distance", pa.int8()),  # bits in which the pictures differ
        ("ours", pa.string()),  # what stands in the sample
        ("question", pa.string()),  # what stands in the benchmark
        ("removes", pa.bool_()),
    ]
)


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


def leaks_digest(index: str, signals: str, facts: list[Any]) -> str:
    """Names what is found in a source."""
    return digest_of("leaks", VERSION, search.VERSION, index, signals, facts)


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
    texts = [asked(json.loads(row["record"]), task.pure_text or task.speech) for row in rows]
    found = [
        *_themselves(task, rows),
        *_equal_media(index, rows),
        *_near(task, index, rows, texts, seen.to_pylist()),
    ]
    best: dict[tuple[str, str, str], dict[str, Any]] = {}
    for one in found:
        named = (one["key"], one["benchmark"], one["how"])
        if named not in best or (one["score"] or 0) > (best[named]["score"] or 0):
            best[named] = one
    kept = sorted(best.values(), key=lambda one: (one["key"], one["benchmark"], ORDER.index(one["how"])))
    files.write_table(path, pa.Table.from_pylist(kept, FOUND))
    return path


def _themselves(task: LeaksTask, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    guards = {
        name: [Guard(**{**one, "splits": tuple(one["splits"])}) for one in some]
        for name, some in task.guards.items()
    }
    return [
        _row(row["key"], name, None, ITSELF, removes=True)
        for name, some in guards.items()
        for row in rows
        if any(guard.holds(row["split"], row["native_id"]) for guard in some)
    ]


def _equal_media(index: Benchmarks, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Samples with a medium that decodes to the same as one of a benchmark."""
    found = []
    for row in rows:
        for medium in row["media"]:
            for number in index.contents.get(medium["content"], ())[:1]:
                item = index.items[number]
                found.append(
                    _row(row["key"], item["benchmark"], item, CONTENT, ours=medium["native"], removes=True)
                )
    return found


def _near(
    task: LeaksTask,
    index: Benchmarks,
    rows: list[dict[str, Any]],
    texts: list[str],
    seen: list[list[int | None]],
) -> list[dict[str, Any]]:
    pictures = _near_pictures(index, seen)
    found = []
    with_question: set[tuple[int, str]] = set()
    for one in index.questions.find(texts):
        item = index.items[one.question]
        asked_of = {"score": one.score, "length": one.length, "ours": one.words[:WORDS]}
        near = [
            (distance, number)
            for distance, number in pictures.get(one.text, ())
            if index.same_text[number] == index.same_text[one.question]
        ]
        key = rows[one.text]["key"]
        if near:
            distance, number = min(near)
            other = index.items[number]
            with_question.add((one.text, other["benchmark"]))
            found.append(
                _row(key, other["benchmark"], other, BOTH, distance=distance, removes=True, **asked_of)
            )
        else:
            removes = task.pure_text and one.length >= LONG_ENOUGH
            found.append(_row(key, item["benchmark"], item, QUESTION, removes=removes, **asked_of))
    for text, some in pictures.items():
        for distance, number in some:
            item = index.items[number]
            if (text, item["benchmark"]) not in with_question:
                alone = task.radius is not None and distance <= min(task.radius, phash.ALONE)
                removes = alone and item["benchmark"] in task.alone
                found.append(
                    _row(
                        rows[text]["key"],
                        item["benchmark"],
                        item,
                        PICTURE,
                        distance=distance,
                        removes=removes,
                    )
                )
    return found


def _near_pictures(index: Benchmarks, seen: list[list[int | None]]) -> dict[int, list[tuple[int, int]]]:
    """For each sample that has some: (bits that differ, item) of the benchmarks' pictures within the radius."""
    owners = [number for number, some in enumerate(seen) for value in some if value is not None]
    values = np.array([value for some in seen for value in some if value is not None], np.uint64)
    near: dict[int, list[tuple[int, int]]] = {}
    if not len(values) or not len(index.hashes):
        return near
    ours, theirs = hamming.near(values, index.hashes, phash.RADIUS)
    distances = np.bitwise_count(values[ours] ^ np.asarray(index.hashes)[theirs]).tolist()
    items = np.asarray(index.hash_items)[theirs].tolist()
    for one, distance, item in zip(ours.tolist(), distances, items, strict=True):
        near.setdefault(owners[one], []).append((distance, item))
    return near


def _row(
    key: str, benchmark: str, item: dict[str, Any] | None, how: str, removes: bool, **facts: Any
) -> dict[str, Any]:
    row = {"key": key, "benchmark": benchmark, "how": how, "removes": removes}
    row |= {"theirs": item["key"] if item else None, "question": item["text"][:WORDS] if item else None}
    return {**dict.fromkeys(("score", "length", "distance", "ours")), **row, **facts}

"""What the benchmarks hold, ready to be looked for: their questions, their pictures, and what decodes to the same.

In: the catalogs and signals of benchmarks, which are read as sources are. Out, below the folder that is named by
them: an index of questions, arrays of hashes and contents with the item each belongs to, and a table of the items.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from vita_data import files
from vita_data.catalog.merge import part_name
from vita_data.curate import phash
from vita_data.leaks import arrays
from vita_data.leaks.questions import VERSIONS as QUESTION_VERSIONS
from vita_data.leaks.questions import QuestionIndex
from vita_data.records.key import digest_of
from vita_data.verdicts.signals import signals_name

# Raise when the same benchmarks would be indexed otherwise.
VERSION = 1
ITEMS = pa.schema([("benchmark", pa.string()), ("key", pa.string()), ("text", pa.string())])
_PICTURES = "pictures"
_DONE = "benchmarks.json"


@dataclass(frozen=True)
class ReadBenchmark:
    """A benchmark that was catalogued: its name, where its tables lie, and what they are called by content."""

    name: str
    catalog: str
    catalog_digest: str
    signals: str
    parts: list[int]
    speech: bool


@dataclass(frozen=True)
class Benchmarks:
    """The opened index."""

    items: list[dict[str, Any]]
    questions: QuestionIndex
    same_text: Any  # int32[items]: the first item whose text is equal
    hashes: Any  # uint64[n], with the item of each
    hash_items: Any
    contents: dict[bytes, list[int]]


def index_digest(benchmarks: list[ReadBenchmark]) -> str:
    """Names an index: the benchmarks by their content, and what reads them."""
    facts = [(one.name, one.catalog_digest, one.signals.split("/")[-2]) for one in benchmarks]
    return digest_of("benchmarks", VERSION, QUESTION_VERSIONS, phash.VERSION, facts)


def asked(record: dict[str, Any], everything: bool) -> str:
    """What of a record is compared with questions: its questions, or `everything` that is said in it."""
    turns = record["conversations"]
    said = [turn["value"] for turn in turns if everything or turn["from"] == "human"]
    text = "\n".join(said)
    for mark in ("<image>", "<video>", "<audio>"):
        text = text.replace(mark, " ")
    return text.strip()


def build_index(benchmarks: list[ReadBenchmark], folder: str) -> None:
    """Writes the index of these benchmarks, unless it is there."""
    if files.exists(files.join(folder, _DONE)):
        return
    items: list[dict[str, Any]] = []
    hashes: list[int] = []
    hash_items: list[int] = []
    contents: list[bytes] = []
    content_items: list[int] = []
    for one in benchmarks:
        for part in one.parts:
            catalog = files.read_table(files.join(one.catalog, part_name(part)), ["key", "record", "media"])
            signals = files.read_table(files.join(one.signals, signals_name(part)), ["hashes"])
            for row, seen in zip(catalog.to_pylist(), signals.column("hashes").to_pylist(), strict=True):
                number = len(items)
                text = asked(json.loads(row["record"]), one.speech)
                items.append({"benchmark": one.name, "key": row["key"], "text": text})
                known = [value for value in seen if value is not None]
                hashes += known
                hash_items += [number] * len(known)
                own = list(dict.fromkeys(medium["content"] for medium in row["media"]))
                contents += own
                content_items += [number] * len(own)
    QuestionIndex.build([item["text"] for item in items]).save(files.join(folder, "questions"))
    found = {
        "hashes": np.array(hashes, np.uint64),
        "hash_items": np.array(hash_items, np.int32),
        "contents": np.frombuffer(b"".join(contents), np.uint8).reshape(-1, 16),
        "content_items": np.array(content_items, np.int32),
    }
    arrays.save(files.join(folder, "media"), _PICTURES, [VERSION, phash.VERSION], found)
    files.write_table(files.join(folder, "items.parquet"), pa.Table.from_pylist(items, ITEMS))
    files.write_json(files.join(folder, _DONE), {"benchmarks": [one.name for one in benchmarks]})


@functools.lru_cache(maxsize=1)
def open_index(folder: str) -> Benchmarks:
    """The index in a folder."""
    media = arrays.load(files.join(folder, "media"), _PICTURES, [VERSION, phash.VERSION])
    questions = QuestionIndex.load(files.join(folder, "questions"))
    contents: dict[bytes, list[int]] = {}
    for content, item in zip(media["contents"], media["content_items"].tolist(), strict=True):
        contents.setdefault(content.tobytes(), []).append(item)
    items = files.read_table(files.join(folder, "items.parquet")).to_pylist()
    return Benchmarks(items, questions, questions.first_equal, media["hashes"], media["hash_items"], contents)

"""What the benchmarks hold, ready to be looked for: questions, pictures, recordings, and what decodes to the same.

In: the catalogs, signals and fingerprints of benchmarks, which are read as sources are. Out, below the folder that
is named by them: an index of questions and one of recordings, arrays of hashes and contents with the item each
belongs to, and a table of the items.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from vita_data import files
from vita_data.catalog.merge import part_name
from vita_data.curate import phash
from vita_data.leaks import arrays, options, prints, questions, sound
from vita_data.leaks.questions import QuestionIndex
from vita_data.leaks.sound import SoundIndex
from vita_data.records.key import digest_of
from vita_data.verdicts.gone import digest_in, digest_of_measured
from vita_data.verdicts.prints import prints_name, read_prints
from vita_data.verdicts.signals import signals_name

# Raise when the same benchmarks would be indexed otherwise.
VERSION = 3
ITEMS = pa.schema([("benchmark", pa.string()), ("key", pa.string()), ("text", pa.string())])
_MEDIA = "media of benchmarks"
_MEDIA_VERSIONS = [VERSION, phash.VERSION]
_DONE = "benchmarks.json"


@dataclass(frozen=True)
class ReadBenchmark:
    """A benchmark that was catalogued: its name, where its tables lie, and what they are called by content.

    `prints` is None for one without sounds.
    """

    name: str
    catalog: str
    catalog_digest: str
    signals: str
    prints: str | None
    parts: list[int]
    speech: bool

    @property
    def digests(self) -> list[str | None]:
        """What the tables hold."""
        heard = self.prints and digest_of_measured(self.prints, prints_name, self.parts)
        return [self.catalog_digest, digest_of_measured(self.signals, signals_name, self.parts), heard]


@dataclass(frozen=True)
class Benchmarks:
    """The opened index.

    `hashes` uint64[3, n] are those of the benchmarks' pictures, and what they may be mirrored (`phash.mirrored`);
    picture n is of item `hash_items[n]`, recording n of `sound_items[n]`.
    """

    items: list[dict[str, Any]]
    questions: QuestionIndex
    same_text: Any  # int32[items]: the first item whose question is equal, whatever its options
    texts: dict[int, dict[str, int]]  # by that number: for each benchmark its first item with that question
    hashes: Any
    hash_items: Any
    contents: dict[bytes, dict[str, int]]  # decoded media: for each benchmark its first item with them
    sounds: SoundIndex
    sound_items: Any

    def in_each(self, text: int) -> list[dict[str, Any]]:
        """The items with a question, one of each benchmark."""
        return [self.items[number] for number in self.texts[text].values()]

    def with_content(self, content: bytes) -> list[dict[str, Any]]:
        """The items with a medium that decodes so, one of each benchmark."""
        return [self.items[number] for number in self.contents.get(content, {}).values()]


@dataclass
class _Found:
    """What is gathered of the benchmarks, each with the item it belongs to."""

    items: list[dict[str, Any]] = field(default_factory=list)
    hashes: list[tuple[int, int]] = field(default_factory=list)
    contents: list[tuple[bytes, int]] = field(default_factory=list)
    sounds: list[tuple[prints.Print, int]] = field(default_factory=list)

    def add(self, benchmark: ReadBenchmark, row: dict[str, Any], seen: list[Any], heard: list[Any]) -> None:
        number = len(self.items)
        text = "\n".join(asked(json.loads(row["record"]), benchmark.speech))
        self.items.append({"benchmark": benchmark.name, "key": row["key"], "text": text})
        self.hashes += [(value, number) for value in seen if value is not None]
        self.contents += [
            (content, number) for content in dict.fromkeys(medium["content"] for medium in row["media"])
        ]
        self.sounds += [(prints.unpacked(data), number) for data in heard if data]


def index_digest(benchmarks: list[ReadBenchmark]) -> str:
    """Names an index: the benchmarks by their content, and what reads them."""
    versions = [VERSION, questions.VERSIONS, options.VERSION, sound.VERSIONS, phash.VERSION]
    return digest_of("benchmarks", versions, [(one.name, one.speech, *one.digests) for one in benchmarks])


def asked(record: dict[str, Any], everything: bool) -> list[str]:
    """The turns of a record that are compared with questions: its questions, or `everything` that is said in it."""
    said = [turn["value"] for turn in record["conversations"] if everything or turn["from"] == "human"]
    for mark in ("<image>", "<video>", "<audio>"):
        said = [text.replace(mark, " ") for text in said]
    return [text.strip() for text in said if text.strip()]


def build_index(benchmarks: list[ReadBenchmark], folder: str) -> None:
    """Writes the index of these benchmarks, unless it is there."""
    if files.exists(files.join(folder, _DONE)):
        return
    found = _Found()
    for one in benchmarks:
        for part in one.parts:
            for row, seen, heard in _rows(one, part):
                found.add(one, row, seen, heard)
    parted = [options.parted(item["text"]) for item in found.items]
    index = QuestionIndex.build([stem for stem, _ in parted], [choices for _, choices in parted])
    index.save(files.join(folder, "questions"))
    SoundIndex.build([one for one, _ in found.sounds]).save(files.join(folder, "sounds"))
    hashes = np.array([value for value, _ in found.hashes], np.uint64)
    media = {
        "hashes": np.concatenate([hashes[None], phash.mirrored(hashes).T]),
        "hash_items": np.array([item for _, item in found.hashes], np.int32),
        "contents": np.frombuffer(b"".join(value for value, _ in found.contents), np.uint8).reshape(-1, 16),
        "content_items": np.array([item for _, item in found.contents], np.int32),
        "sound_items": np.array([item for _, item in found.sounds], np.int32),
    }
    arrays.save(files.join(folder, "media"), _MEDIA, _MEDIA_VERSIONS, media)
    files.write_table(files.join(folder, "items.parquet"), pa.Table.from_pylist(found.items, ITEMS))
    made_of = [digest_in(path) for one in benchmarks for path in (one.signals, one.prints) if path]
    facts = {"benchmarks": [one.name for one in benchmarks], "made_of": made_of}
    files.write_json(files.join(folder, _DONE), facts)


def _rows(one: ReadBenchmark, part: int) -> Iterator[tuple[dict[str, Any], list[Any], list[Any]]]:
    """Each sample of a part with the hashes of its pictures and the fingerprints of its sounds."""
    catalog = files.read_table(files.join(one.catalog, part_name(part)), ["key", "record", "media"])
    signals = files.read_table(files.join(one.signals, signals_name(part)), ["hashes"]).column("hashes")
    if one.prints is None:
        heard: list[list[Any]] = [[]] * len(catalog)
    else:
        batches = read_prints(files.join(one.prints, prints_name(part)))
        heard = [row["prints"] for row in chain.from_iterable(batches)]
    return zip(catalog.to_pylist(), signals.to_pylist(), heard, strict=True)


@functools.lru_cache(maxsize=1)
def open_index(folder: str) -> Benchmarks:
    """The index in a folder."""
    media = arrays.load(files.join(folder, "media"), _MEDIA, _MEDIA_VERSIONS)
    items = files.read_table(files.join(folder, "items.parquet")).to_pylist()
    known = QuestionIndex.load(files.join(folder, "questions"))
    same_text = known.first_equal
    texts: dict[int, dict[str, int]] = {}
    for item, text in enumerate(same_text.tolist()):
        texts.setdefault(text, {}).setdefault(items[item]["benchmark"], item)
    contents: dict[bytes, dict[str, int]] = {}
    for content, item in zip(media["contents"], media["content_items"].tolist(), strict=True):
        contents.setdefault(content.tobytes(), {}).setdefault(items[item]["benchmark"], item)
    return Benchmarks(
        items=items,
        questions=known,
        same_text=same_text,
        texts=texts,
        hashes=media["hashes"],
        hash_items=media["hash_items"],
        contents=contents,
        sounds=SoundIndex.load(files.join(folder, "sounds")),
        sound_items=media["sound_items"],
    )

"""Signals: what is dear to measure of every catalogued sample, once, whatever the thresholds are.

In: a catalog part. Out, under `<out>/curate/<digest>/<source>/`: a row for each of its samples in the same
order. Media are opened and decoded here and nowhere else in curation.
"""

from __future__ import annotations

import functools
import hashlib
import json
import unicodedata
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any

import pyarrow as pa

from vita_data import files
from vita_data.catalog.merge import part_name
from vita_data.catalog.task import medium_path
from vita_data.curate import minhash, phash, words
from vita_data.curate.rules import language
from vita_data.errors import RecordError, SourceError
from vita_data.media import sound_levels
from vita_data.progress import Progress
from vita_data.records.canon import canonical
from vita_data.records.key import digest_of
from vita_data.records.schema import SIGNALS, SIGNALS_VERSION

# Raise when a signal would come out differently.
VERSION = 2
BATCH = 1024
# What a medium says that was moved or changed; any other trouble of a disk may pass, and must not be kept as measured.
GONE = (FileNotFoundError, NotADirectoryError, SourceError, RecordError)


@dataclass(frozen=True)
class SignalsTask:
    """A source's catalog to measure, and where its signals go; `speech` asks whether somebody speaks in its sounds."""

    source: str
    root: str
    catalog: str
    folder: str
    speech: bool

    def save(self) -> str:
        """Writes the task beside its results and returns its path."""
        path = files.join(self.folder, "task.json")
        files.write_json(path, asdict(self))
        return path


@functools.lru_cache(maxsize=64)
def load_signals_task(path: str) -> SignalsTask:
    """The task at a path."""
    return SignalsTask(**files.read_json(path))


def signals_name(part: int) -> str:
    """File name of the signals of a catalog part."""
    return f"signals-{part:05d}.parquet"


def signals_digest(catalog_digest: str, speech: bool) -> str:
    """Names the signals of a catalog: everything they depend on, and no threshold."""
    versions = [
        VERSION,
        phash.VERSION,
        minhash.VERSION,
        words.VERSION,
        language.VERSION,
        sound_levels.VERSION,
    ]
    libraries = {name: metadata.version(name) for name in ("pillow", "soundfile", language.LIBRARY)}
    return digest_of("signals", versions, libraries, unicodedata.unidata_version, catalog_digest, speech)


def signals_part(task_path: str, part: int) -> str:
    """Measures one catalog part, unless that was done; returns the path of its table."""
    task = load_signals_task(task_path)
    path = files.join(task.folder, signals_name(part))
    if files.exists(path):
        return path
    table = files.read_table(files.join(task.catalog, part_name(part)), ["key", "record", "media"])
    schema = SIGNALS.with_metadata({"vita": canonical({"version": SIGNALS_VERSION})})
    reader, progress = files.RangeReader(), Progress(files.join(task.folder, "progress"))
    tables = [schema.empty_table()]
    try:
        for batch in table.to_batches(max_chunksize=BATCH):
            tables.append(pa.Table.from_pylist(_signals(task, batch.to_pylist(), reader), schema))
            progress.add(len(batch))
    finally:
        reader.close()
        progress.flush()
    files.write_table(path, pa.concat_tables(tables))
    return path


def _signals(
    task: SignalsTask, rows: list[dict[str, Any]], reader: files.RangeReader
) -> list[dict[str, Any]]:
    turns = [json.loads(row["record"])["conversations"] for row in rows]
    texts = [words.normal_turns(some) for some in turns]
    asked = [words.normal_turns([turn for turn in some if turn["from"] == "human"]) for some in turns]
    signatures = minhash.signatures(texts)
    return [
        {
            "key": row["key"],
            "turns": _digest(text),
            "questions": _digest(question),
            "media": _media_digest(row["media"]),
            "signature": signature.astype("<u4").tobytes(),
            **_of_words(some),
            **_of_media(task, row["media"], reader),
        }
        for row, some, text, question, signature in zip(rows, turns, texts, asked, signatures, strict=True)
    ]


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _media_digest(media: list[dict[str, Any]]) -> bytes | None:
    """Over the decoded contents of a sample's media; the frames of one film stand for it once."""
    if not media:
        return None
    contents = dict.fromkeys((medium["kind"], medium["part_of"], medium["content"]) for medium in media)
    return hashlib.blake2b(b"".join(content for *_, content in contents), digest_size=16).digest()


def _of_words(turns: list[dict[str, str]]) -> dict[str, Any]:
    found = language.identify(" ".join(turn["value"] for turn in turns))
    return {"language": found[0], "certainty": found[1]} if found else {}


def _of_media(task: SignalsTask, media: list[dict[str, Any]], reader: files.RangeReader) -> dict[str, Any]:
    hashes: list[int | None] = []
    sounds: list[dict[str, Any]] = []
    for medium in media:
        path = medium_path(medium["path"], task.root, task.catalog)
        try:
            data = reader.read(path, medium["offset"], medium["length"])
            if medium["kind"] == "audio":
                sounds.append(asdict(sound_levels.measure(data, task.speech)))
            else:
                hashes.append(phash.perceptual_hash(data))
        except GONE:  # since it was catalogued: the shard's writer says so
            if medium["kind"] != "audio":
                hashes.append(None)
    return {"hashes": hashes, "sounds": sounds}

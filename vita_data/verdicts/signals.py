"""Signals: what is dear to measure of every catalogued sample, once, whatever the thresholds are.

In: a catalog part. Out, under `<out>/curate/<digest>/<source>/`: a row for each of its samples in the same
order. Media are opened and decoded here, and again only where a card wants pictures read (`readings.py`) or a
benchmark has recordings (`prints.py`).
"""

from __future__ import annotations

import functools
import hashlib
import json
import unicodedata
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any

import numpy as np
import pyarrow as pa

from vita_data import files
from vita_data.catalog.merge import part_name
from vita_data.catalog.task import medium_path
from vita_data.curate import minhash, phash, words
from vita_data.curate.rules import language
from vita_data.media import sound_levels
from vita_data.progress import Progress
from vita_data.records.canon import canonical
from vita_data.records.key import digest_of
from vita_data.records.schema import SIGNALS, SIGNALS_VERSION
from vita_data.verdicts.gone import GONE, rows_to_measure, written

# Raise when a signal would come out differently.
VERSION = 3
BATCH = 1024


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
    """Measures one catalog part, unless that was done; returns the path of its table.

    Samples with media that were gone when the rest was measured are measured again.
    """
    task = load_signals_task(task_path)
    path = files.join(task.folder, signals_name(part))
    rows = rows_to_measure(path)
    if rows == []:
        return path
    catalog = files.read_table(files.join(task.catalog, part_name(part)), ["key", "record", "media"])
    measured, gone = _measured(task, catalog if rows is None else catalog.take(rows))
    if rows is not None:
        measured, gone = _replaced(files.read_table(path), rows, measured), [rows[place] for place in gone]
    with written(path, gone) as stream:
        files.put_table(stream, measured)
    return path


def _measured(task: SignalsTask, catalog: pa.Table) -> tuple[pa.Table, list[int]]:
    """The signals of catalogued samples, and the places of those of which a medium is gone."""
    schema = SIGNALS.with_metadata({"vita": canonical({"version": SIGNALS_VERSION})})
    reader, progress = files.RangeReader(), Progress(files.join(task.folder, "progress"))
    tables = [schema.empty_table()]
    gone: list[int] = []
    try:
        for start in range(0, len(catalog), BATCH):
            rows = catalog.slice(start, BATCH).to_pylist()
            seen = [_of_media(task, row["media"], reader) for row in rows]
            gone += [start + place for place, (_, whole) in enumerate(seen) if not whole]
            signals = [{**words, **media} for words, (media, _) in zip(_of_turns(rows), seen, strict=True)]
            tables.append(pa.Table.from_pylist(signals, schema))
            progress.add(len(rows))
    finally:
        reader.close()
        progress.flush()
    return pa.concat_tables(tables), gone


def _replaced(table: pa.Table, rows: list[int], measured: pa.Table) -> pa.Table:
    """The table with other signals in the place of some rows."""
    order = np.arange(len(table))
    order[rows] = len(table) + np.arange(len(rows))
    return pa.concat_tables([table, measured]).take(pa.array(order))


def _of_turns(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    turns = [json.loads(row["record"])["conversations"] for row in rows]
    texts = [words.normal_turns(some) for some in turns]
    asked, answered = (
        [words.normal_turns([turn for turn in some if (turn["from"] == "human") == human]) for some in turns]
        for human in (True, False)
    )
    signatures = minhash.signatures(texts)
    sides = _sides(rows, asked, answered)
    return [
        {
            "key": row["key"],
            "turns": _digest(text),
            "questions": _digest(question),
            "media": _media_digest(row["media"]),
            "signature": signature.astype("<u4").tobytes(),
            "sides": side,
            **_of_words(some),
        }
        for row, some, text, question, signature, side in zip(
            rows, turns, texts, asked, signatures, sides, strict=True
        )
    ]


def _sides(rows: list[dict[str, Any]], asked: list[str], answered: list[str]) -> list[bytes | None]:
    """MinHash of questions and of answers, one after the other, for samples that show something."""
    seen = [n for n, row in enumerate(rows) if any(medium["kind"] != "audio" for medium in row["media"])]
    sides: list[bytes | None] = [None] * len(rows)
    signatures = [minhash.signatures([texts[n] for n in seen]) for texts in (asked, answered)]
    for number, both in zip(seen, np.concatenate(signatures, axis=1), strict=True):
        sides[number] = both.astype("<u2").tobytes()
    return sides


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


def _of_media(
    task: SignalsTask, media: list[dict[str, Any]], reader: files.RangeReader
) -> tuple[dict[str, Any], bool]:
    """The hashes and levels of a sample's media, and whether all of them were there."""
    hashes: list[int | None] = []
    sounds: list[dict[str, Any]] = []
    whole = True
    for medium in media:
        path = medium_path(medium["path"], task.root, task.catalog)
        try:
            data = reader.read(path, medium["offset"], medium["length"])
            if medium["kind"] == "audio":
                sounds.append(asdict(sound_levels.measure(data, task.speech)))
            else:
                hashes.append(phash.perceptual_hash(data))
        except GONE:  # since it was catalogued; if it stays so, the shard's writer says it
            whole = False
            if medium["kind"] != "audio":
                hashes.append(None)
    return {"hashes": hashes, "sounds": sounds}, whole

"""Samples that may equal one another meet in buckets: by their turns, their media, and bands of their signatures.

`emit_part` writes a row for each hash of each sample that no rule refused, a batch a bucket; `meet_bucket`
compares those of one bucket. A sample is an exact duplicate when its turns and its media both are another's;
a near one when its turns are similar and every picture lies within the radius. What shares its media alone
or its questions alone is counted and stays: half of Table 1 shares its pictures by design.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vita_data import files
from vita_data.curate import near
from vita_data.records.schema import MEETING
from vita_data.verdicts.compare import Pairs, Signals, near_pictures_of, near_texts
from vita_data.verdicts.judge import survivors
from vita_data.verdicts.meeting import MeetSource, load_meet_task
from vita_data.verdicts.signals import signals_name

TURNS, MEDIA, QUESTIONS, BAND_OF_TEXT, BAND_OF_PICTURE = range(5)
Ref = tuple[int, str, int]


def emit_part(task_path: str, place: int, part: int) -> list[Ref]:
    """Writes what the samples of a source's part are met by; returns (bucket, path, number of the batch)."""
    task = load_meet_task(task_path)
    source = task.sources[place]
    keys, rows = survivors(source.measures, source.judged, part)
    if not len(keys):
        return []
    wanted = ["turns", "questions", "media", "signature", "hashes", "sounds"]
    signals = files.read_table(files.join(source.signals, signals_name(part)), wanted).take(rows)
    base = {
        "place": np.full(len(keys), place, np.int16),
        "part": np.full(len(keys), part, np.int32),
        "row": rows.to_numpy().astype(np.int32),
        "name": np.array([int(key[-16:], 16) for key in keys.to_pylist()], np.uint64),
    }
    turns, questions, media = (_hashes(signals.column(name)) for name in ("turns", "questions", "media"))
    base["twin"] = turns ^ np.bitwise_or(media << np.uint64(1), media >> np.uint64(63))
    there = ~np.asarray(signals.column("media").is_null())
    tables = [
        _rows(base, turns, TURNS, media),
        _rows(base, media, MEDIA, turns, there),
        _rows(base, questions, QUESTIONS, media),
        *_bands(source, base, signals, there),
    ]
    path = files.join(task.work, f"meeting-{place:04d}-{part:05d}.arrow")
    return _write_buckets(path, pa.concat_tables(tables), task.buckets)


def _hashes(column: pa.ChunkedArray) -> Any:
    """The first 64 bits of digests; 0 where there is none."""
    digests = b"".join(value or bytes(16) for value in column.to_pylist())
    return np.frombuffer(digests, "<u8")[::2].astype(np.uint64)


def _rows(base: dict[str, Any], hashes: Any, kind: int, other: Any, mask: Any = None) -> pa.Table:
    columns = {**base, "hash": hashes, "kind": np.full(len(hashes), kind, np.int8), "other": other}
    chosen = slice(None) if mask is None else mask
    return pa.table([columns[name][chosen] for name in MEETING.names], schema=MEETING)


def _bands(source: MeetSource, base: dict[str, Any], signals: pa.Table, has_media: Any) -> list[pa.Table]:
    seen = np.asarray(pc.list_value_length(signals.column("hashes"))) > 0
    texts = ~has_media if source.near_text is not None else np.zeros(len(seen), bool)
    heard = np.asarray(pc.list_value_length(signals.column("sounds"))) > 0  # what is heard is told by no hash
    pictures = seen & ~heard if source.radius is not None else np.zeros(len(seen), bool)
    tables = []
    for kind, mask in ((BAND_OF_TEXT, texts), (BAND_OF_PICTURE, pictures)):
        chosen = np.flatnonzero(mask)
        if not len(chosen):
            continue
        data = b"".join(signals.column("signature").take(chosen).to_pylist())
        bands = near.bands(np.frombuffer(data, "<u4").reshape(len(chosen), -1))
        some = {name: column[chosen] for name, column in base.items()}
        tables += [_rows(some, band, kind, some["twin"]) for band in bands.T]
    return tables


def _write_buckets(path: str, table: pa.Table, buckets: int) -> list[Ref]:
    hashes = table.column("hash").to_numpy()
    places = ((hashes >> np.uint64(32)) * np.uint64(buckets)) >> np.uint64(32)
    order = np.argsort(places, kind="stable")
    table, places = table.take(pa.array(order)), places[order]
    refs: list[Ref] = []
    with files.atomic_write(path) as stream, pa.ipc.new_file(stream, MEETING) as writer:
        starts = np.flatnonzero(np.diff(places, prepend=~places[0]))
        for start, end in zip(starts, [*starts[1:], len(places)], strict=True):
            writer.write_batch(table.slice(start, end - start).combine_chunks().to_batches()[0])
            refs.append((int(places[start]), path, len(refs)))
    return refs


def met_name(bucket: int) -> str:
    """File name of what a bucket gave: a pair a row."""
    return f"met-{bucket:05d}.arrow"


def meet_bucket(task_path: str, bucket: int, batches: list[tuple[str, int]]) -> str:
    """Compares the samples of one bucket; writes pairs that are equal or near, and counts what shares a part."""
    task = load_meet_task(task_path)
    table = pa.Table.from_batches([_batch(path, number) for path, number in sorted(batches)], MEETING)
    columns = {name: table.column(name).to_numpy() for name in MEETING.names}
    order = np.lexsort([columns[name] for name in ("name", "place", "hash", "kind")])
    columns = {name: column[order] for name, column in columns.items()}
    signals = Signals([source.signals for source in task.sources])
    pairs = [
        _exact(_of(columns, TURNS)),
        near_texts(_of(columns, BAND_OF_TEXT), task.sources, signals),
        near_pictures_of(_of(columns, BAND_OF_PICTURE), task.sources, signals),
    ]
    path = files.join(task.work, met_name(bucket))
    with files.atomic_write(path) as stream, pa.ipc.new_file(stream, Pairs.SCHEMA) as writer:
        writer.write_table(Pairs.joined(pairs))
    shared = {
        "media": _shared(_of(columns, MEDIA), len(task.sources)),
        "questions": _shared(_of(columns, QUESTIONS), len(task.sources)),
    }
    files.write_json(files.join(task.work, f"shared-{bucket:05d}.json"), shared)
    return path


def _batch(path: str, number: int) -> pa.RecordBatch:
    with files.open_read(path) as stream, pa.ipc.open_file(stream) as reader:
        return reader.get_batch(number)


def _of(columns: dict[str, Any], kind: int) -> dict[str, Any]:
    """The rows of one kind, which lie together, by hash and then by who stays."""
    start, end = np.searchsorted(columns["kind"], [kind, kind + 1])
    return {name: column[start:end] for name, column in columns.items()}


def _exact(rows: dict[str, Any]) -> Pairs:
    """Each sample whose turns and media are those of one that stands before it, with the first of them."""
    order = np.lexsort((rows["name"], rows["place"], rows["other"], rows["hash"]))
    rows = {name: column[order] for name, column in rows.items()}
    if not len(order):
        return Pairs.none()
    new = np.ones(len(order), bool)
    new[1:] = (rows["hash"][1:] != rows["hash"][:-1]) | (rows["other"][1:] != rows["other"][:-1])
    first = np.flatnonzero(new)[np.cumsum(new) - 1]
    later = np.flatnonzero(~new)
    return Pairs.of(rows, first[later], later, "exact", 1.0, None)


def _shared(rows: dict[str, Any], sources: int) -> list[int]:
    """How many samples of each source share the hash with a sample that differs in the rest."""
    if not len(rows["hash"]):
        return [0] * sources
    order = np.lexsort((rows["other"], rows["hash"]))
    hashes, other, place = (rows[name][order] for name in ("hash", "other", "place"))
    new = np.diff(hashes, prepend=~hashes[0]) != 0
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], len(hashes)) - 1
    several = (other[starts] != other[ends])[np.cumsum(new) - 1]
    counts: list[int] = np.bincount(place[several], minlength=sources).tolist()
    return counts

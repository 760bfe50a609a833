"""Samples that may equal one another meet in buckets: by their turns, their media, and bands of their signatures.

`emit_part` writes a row for each hash of each sample that no rule refused, a batch a bucket; `meet_bucket`
compares those of one bucket. A sample is an exact duplicate when its turns and its media both are another's;
a near one when its turns are similar and every picture lies within the radius. What shares its media alone
or its questions alone is counted and stays: half of Table 1 shares its pictures by design.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vita_data import files
from vita_data.curate import near, words
from vita_data.records.schema import MEETING
from vita_data.verdicts.compare import Pairs, Rows, classes_of, differ, near_pictures_of, near_texts
from vita_data.verdicts.judge import survivors
from vita_data.verdicts.meeting import MeetSource, load_meet_task
from vita_data.verdicts.signals import signals_name
from vita_data.verdicts.sketches import COLUMNS, Sketches, write_sketches

TURNS, MEDIA, QUESTIONS, BAND_OF_TEXT, BAND_OF_PICTURE = range(5)
Ref = tuple[int, str, int]


def emit_part(task_path: str, place: int, part: int) -> list[Ref]:
    """Writes what the samples of a source's part are met by; returns (bucket, path, number of the batch)."""
    task = load_meet_task(task_path)
    source = task.sources[place]
    keys, rows = survivors(source.measures, source.judged, part)
    present = pc.invert(pc.is_in(keys, pa.array(task.late, pa.string())))
    keys, rows = keys.filter(present), rows.filter(present)
    if not len(keys):
        return []
    wanted = ["turns", "questions", "media", "sounds", *COLUMNS]
    signals = files.read_table(files.join(source.signals, signals_name(part)), wanted)
    write_sketches(task.work, place, part, signals)
    signals = signals.take(rows)
    base = {
        "band": np.zeros(len(keys), np.int8),
        "place": np.full(len(keys), place, np.int16),
        "part": np.full(len(keys), part, np.int32),
        "row": rows.to_numpy().astype(np.int32),
        "name": np.array([int(key[-16:], 16) for key in keys.to_pylist()], np.uint64),
        "count": np.ones(len(keys), np.int32),
    }
    turns, questions, media = (_hashes(signals.column(name)) for name in ("turns", "questions", "media"))
    base["twin"] = turns ^ np.bitwise_or(media << np.uint64(1), media >> np.uint64(63))
    has_media = ~np.asarray(signals.column("media").is_null())
    tables = [
        _rows(base, turns, TURNS, media),
        _sharing(base, media, MEDIA, turns, np.flatnonzero(has_media)),
        _sharing(base, questions, QUESTIONS, media, np.arange(len(keys))),
        *_bands(source, base, turns, signals, has_media),
    ]
    path = files.join(task.work, f"meeting-{place:04d}-{part:05d}.arrow")
    return _write_buckets(path, pa.concat_tables(tables), task.buckets)


def _hashes(column: pa.ChunkedArray) -> Any:
    """The first 64 bits of digests; 0 where there is none."""
    digests = b"".join(value or bytes(16) for value in column.to_pylist())
    return np.frombuffer(digests, "<u8")[::2].astype(np.uint64)


def _rows(base: dict[str, Any], hashes: Any, kind: int, other: Any) -> pa.Table:
    columns = {**base, "hash": hashes, "kind": np.full(len(hashes), kind, np.int8), "other": other}
    return pa.table([columns[name] for name in MEETING.names], schema=MEETING)


def _sharing(base: dict[str, Any], hashes: Any, kind: int, other: Any, numbers: Any) -> pa.Table:
    """Rows to count what is shared: for each hash one with the least `other` and, if it is another, one with the most.

    The second stands for itself and the first for the rest: a question that millions ask is two rows of a part.
    """
    numbers = numbers[np.lexsort((other[numbers], hashes[numbers]))]
    new = np.ones(len(numbers) + 1, bool)
    new[1:-1] = hashes[numbers][1:] != hashes[numbers][:-1]
    starts = np.flatnonzero(new)
    least, most, counts = numbers[starts[:-1]], numbers[starts[1:] - 1], np.diff(starts)
    differ = other[least] != other[most]
    chosen = np.concatenate([least, most[differ]])
    count = np.concatenate([counts - differ, np.ones(int(differ.sum()), counts.dtype)]).astype(np.int32)
    some = {name: column[chosen] for name, column in base.items()} | {"count": count}
    return _rows(some, hashes[chosen], kind, other[chosen])


def _bands(
    source: MeetSource, base: dict[str, Any], turns: Any, signals: pa.Table, has_media: Any
) -> list[pa.Table]:
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
        tables += [
            _rows({**some, "band": some["band"] + np.int8(number)}, band, kind, turns[chosen])
            for number, band in enumerate(bands.T)
        ]
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
    sketches = Sketches(task.work)
    pairs = [
        *_exact(_of(columns, TURNS), task.sources),
        near_texts(_of(columns, BAND_OF_TEXT), task.sources, sketches),
        near_pictures_of(_of(columns, BAND_OF_PICTURE), task.sources, sketches),
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


def _exact(rows: Rows, sources: list[MeetSource]) -> Iterator[Pairs]:
    """Each sample whose turns and media are those of one that stands before it, with the first of them.

    Sources whose cards say another thing of being near keep a first sample of their own, since the first of all may
    leave for one to which theirs is not near enough; these first ones are paired each with each.
    """
    classes = classes_of(sources)[rows["place"]]
    order = np.lexsort((rows["name"], rows["place"], classes, rows["other"], rows["hash"]))
    new = np.zeros(len(order), bool)
    new[:1] = True
    for column in (rows["hash"], rows["other"], classes):
        new[1:] |= column[order][1:] != column[order][:-1]
    first = np.flatnonzero(new)[np.cumsum(new) - 1]
    later = np.flatnonzero(~new)
    yield Pairs.of(rows, order[first[later]], order[later], "exact", 1.0, None)
    firsts = np.sort(order[new])  # in the order of who stays, as candidates want them
    equal = rows["hash"][firsts] * words.OF_TOKENS + rows["other"][firsts]
    for one, other in near.candidates(words.mixed(equal)):
        yield Pairs.of(rows, firsts[one], firsts[other], "exact", 1.0, None)


def _shared(rows: Rows, sources: int) -> list[int]:
    """How many samples of each source share the hash with a sample that differs in the rest."""
    several = differ(rows["hash"], rows["other"])
    counts = np.bincount(rows["place"][several], rows["count"][several], sources)
    return [int(count) for count in counts]

"""The catalog pass over one batch of slices: records read, judged, their media opened and measured once.

In: a task file and a batch's number. Out: chunks, Arrow files whose batches are hash buckets, and a tar
with the media that had to be converted or were embedded. Rows never leave the worker but as files.
What goes wrong with one record becomes a row with a reason; what goes wrong with the file stops it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa

from vita_data import files
from vita_data.catalog.media import MediaReader, printable
from vita_data.catalog.task import CatalogTask, load_task, progress_folder
from vita_data.catalog.watch import Place, Watch, put_aside
from vita_data.curate import structure
from vita_data.curate.transcript import Language, normalise
from vita_data.errors import RecordError
from vita_data.progress import Progress
from vita_data.prompt.template import normalise_placeholders
from vita_data.records.canon import canonical
from vita_data.records.key import UNIT, id_hash
from vita_data.records.reject import Reject
from vita_data.records.schema import MEDIUM
from vita_data.shards.tar import TarWriter
from vita_data.sources.base import Fault, Medium, Native, Slice, worker_died
from vita_data.sources.registry import blaming, make_adapter

CHUNK_ROWS = 4000
SPEECH = ("asr", "tts")
CHUNK_BYTES = 8 << 20
# What a record trips that is built in a way nobody thought of; it costs itself and not the build.
MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)

# What a card's options choose out of a corpus: counted, and nobody's fault.
NOT_WANTED = ("other_split", "other_subset", "garbage_tag")
# Rules about an answer that only the adapter can apply, since what they ask is in no record of ours.
OF_FORMATS = ("unfinished_answer",)

CHUNK = pa.schema(
    [
        ("id_hash", pa.uint64()),
        ("annotation", pa.string()),
        ("position", pa.int64()),
        ("native_id", pa.string()),
        ("turns", pa.string()),
        ("media", pa.list_(MEDIUM)),
        ("speaker", pa.string()),
        ("split", pa.string()),
        ("language", pa.string()),
        ("inserted_id", pa.int32()),
        ("step", pa.string()),  # null where the record is kept
        ("rule", pa.string()),
        ("value", pa.string()),
        ("threshold", pa.string()),
        ("message", pa.string()),
        ("names", pa.list_(pa.string())),
    ]
)

# A bucket of a chunk: (bucket, path of the chunk, number of its batch).
Ref = tuple[int, str, int]


def read_batch(task_path: str, number: int) -> list[Ref]:
    """Reads a batch of slices into chunks, or finds that it was read before; returns where its buckets lie.

    What it leaves is named by the number of its first slice.
    """
    task = load_task(task_path)
    numbers = task.batch(number)
    name = f"{numbers.start:05d}"
    done = files.join(task.work, f"batch-{name}.json")
    if not files.exists(done):
        refs: list[Ref] = []
        watch, progress = Watch(task.work), Progress(progress_folder(task.work))
        aside = put_aside(task.work)
        with _MediaTar(task.folder, name) as tar, MediaReader(task, tar) as media:
            rows_read = _counted(_batch_rows(task, numbers, tar, media, watch, aside), progress)
            for chunk, rows in enumerate(_chunks(rows_read)):
                refs += _write_chunk(
                    files.join(task.work, f"chunk-{name}-{chunk:05d}.arrow"), rows, task.buckets
                )
        watch.done()
        progress.flush()
        files.write_json(done, [(bucket, path.rpartition("/")[2], batch) for bucket, path, batch in refs])
    return [(bucket, files.join(task.work, name), batch) for bucket, name, batch in files.read_json(done)]


class _MediaTar:
    """The tar of a batch for media that cannot be referred to where they lie; made at the first of them.

    `below` is put before the names of members: records of two files may have one position.
    """

    def __init__(self, folder: str, name: str) -> None:
        self.name = f"media-{name}.tar"
        self.below = ""
        self._path = files.join(folder, self.name)
        self._stack = contextlib.ExitStack()
        self._tar: TarWriter | None = None

    def add(self, name: str, data: bytes) -> int:
        if self._tar is None:
            self._tar = TarWriter(self._stack.enter_context(files.atomic_write(self._path)))
        return self._tar.add(self.below + name, data)

    def __enter__(self) -> _MediaTar:
        return self

    def __exit__(self, *error: Any) -> None:
        if self._tar is not None and error[0] is None:
            self._tar.close()
        self._stack.__exit__(*error)  # an error on the way leaves nothing behind


def _batch_rows(
    task: CatalogTask, numbers: range, tar: _MediaTar, media: MediaReader, watch: Watch, aside: set[Place]
) -> Iterator[dict[str, Any]]:
    for number in numbers:
        part = task.slices[number]
        put_by = (p for a, p, step in aside if (a, step) == (part.annotation, "read"))
        tar.below = f"{number:05d}/" if len(numbers) > 1 else ""
        yield from _rows(task, replace(part, aside=tuple(sorted(put_by))), media, watch, aside)


def _rows(
    task: CatalogTask, part: Slice, media: MediaReader, watch: Watch, aside: set[Place]
) -> Iterator[dict[str, Any]]:
    watch.at(part.annotation, part.first, "read")
    for native in _natives(task, part):
        place: Place = (part.annotation, native.position, "judge")
        watch.at(*place)
        row: dict[str, Any] = {"annotation": part.annotation, "position": native.position, "names": []}
        row["native_id"] = _native_id(native.native_id, native.position)
        row["id_hash"] = id_hash(part.annotation, row["native_id"])
        if place in aside:
            row |= _reject("read", Reject.of(worker_died()))
        elif isinstance(native, Fault):
            row |= _reject(step_of(native), Reject.of(native.error))
        else:
            row |= judged(task, native, media)
        watch.idle()  # while a chunk is written no record is to blame
        yield row
        watch.at(part.annotation, native.position + 1, "read")
    watch.idle()


def _counted(rows: Iterator[dict[str, Any]], progress: Progress) -> Iterator[dict[str, Any]]:
    for row in rows:
        progress.add()
        yield row


def _natives(task: CatalogTask, part: Slice) -> Iterator[Native | Fault]:
    adapter = make_adapter(task.adapter, task.options)
    with blaming(task.adapter, part.annotation):
        yield from adapter.read(task.root, part)


def _native_id(native_id: str | None, position: int) -> str:
    """The id as JSON text; where there is none the position stands for it, marked so that it is no number id.

    What is no JSON, as NaN is not, becomes a JSON string.
    """
    if native_id is None:
        return canonical({"position": position})
    text = str(native_id).encode("utf-8", "replace").decode("utf-8")
    try:
        canonical(json.loads(text))
    except (ValueError, RecursionError):
        return canonical(text)
    return text


def step_of(fault: Fault) -> str:
    """The step that refuses what an adapter calls a fault; only "read" says that it could not be read."""
    if fault.error.rule in OF_FORMATS:
        return "structure"
    return "wanted" if fault.error.rule in NOT_WANTED else "read"


def _reject(step: str, reject: Reject) -> dict[str, Any]:
    return {
        "step": step,
        "rule": reject.rule,
        "value": printable(reject.value),
        "threshold": printable(reject.threshold),
        "message": printable(reject.message),
    }


def judged(task: CatalogTask, native: Native, reader: MediaReader) -> dict[str, Any]:
    """The row of a record: its turns and media where it is kept, else the step, rule and words that refuse it."""
    facts: dict[str, Any] = {"names": [printable(medium.name) for medium in native.media]}
    step = "structure"
    try:
        turns, media = _conversation(task, native)
        reject = structure.judge(turns, _counts(media))
        if reject is None and task.kind == "negative":
            reject = structure.answers_noise(turns, native.inserted_id)
        if reject is not None:
            return {**_reject(step, reject), **facts}
        step = "media"
        rows, turns = reader.rows_or_text(native.position, media, turns)
    except RecordError as error:
        step = "wanted" if error.rule in NOT_WANTED else step
        return {**_reject(step, Reject.of(error)), **facts}
    except MALFORMED as error:
        words = f"the record is not made as a record is ({type(error).__name__}: {error})."
        return {**_reject(step, Reject("not_a_record", words)), **facts}
    facts |= {name: printable(getattr(native, name)) for name in ("speaker", "split", "language")}
    placed = [{**turn, "value": _placed(turn)} for turn in turns]
    return {"turns": canonical(placed), "media": rows, "inserted_id": native.inserted_id, **facts}


def _conversation(task: CatalogTask, native: Native) -> tuple[structure.Turns, list[Medium]]:
    """The turns, and the media with the sound tracks that the turns ask for."""
    turns = structure.conversation(native.turns, _counts(native.media))
    if task.kind in SPEECH:
        own: Language = native.language if native.language in ("en", "zh") else task.language  # type: ignore[assignment]
        turns = [
            {**turn, "value": normalise(turn["value"], own, task.case)} if turn["from"] == "gpt" else turn
            for turn in turns
        ]
    counts = _counts(native.media)
    films = [medium for medium in native.media if medium.kind == "video"]
    heard = structure.named(turns)["audio"] - counts["audio"]
    tracks = [replace(film, kind="audio") for film in films] if films and heard == len(films) else []
    return turns, [*native.media, *tracks]


def _counts(media: list[Medium]) -> dict[str, int]:
    return {kind: sum(medium.kind == kind for medium in media) for kind in structure.MARKS}


def _placed(turn: dict[str, str]) -> str:
    return normalise_placeholders(turn["value"]) if turn["from"] == "human" else turn["value"]


def _chunks(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    held: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        held.append(row)
        size += len(row.get("turns") or "")
        if len(held) >= CHUNK_ROWS or size >= CHUNK_BYTES:
            yield held
            held, size = [], 0
    if held:
        yield held


def _write_chunk(path: str, rows: list[dict[str, Any]], buckets: int) -> list[Ref]:
    """Writes rows as one Arrow file with a batch for every bucket that has some."""
    by_bucket: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        by_bucket.setdefault(row["id_hash"] * buckets // UNIT, []).append(row)
    refs: list[Ref] = []
    with files.atomic_write(path) as stream, pa.ipc.new_file(stream, CHUNK) as writer:
        for bucket in sorted(by_bucket):
            refs.append((bucket, path, len(refs)))
            writer.write_batch(pa.RecordBatch.from_pylist(by_bucket[bucket], CHUNK))
    return refs

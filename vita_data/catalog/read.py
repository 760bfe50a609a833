"""The catalog pass over one slice: records read, judged, their media opened and measured once.

In: a task file and a slice number. Out: chunks, Arrow files whose batches are hash buckets, and a tar
with the media that had to be converted or were embedded. Rows never leave the worker but as files.
What goes wrong with one record becomes a row with a reason; what goes wrong with the file stops it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa

from vita_data import files
from vita_data.catalog.task import IMAGE_PIXELS, MEDIUM_BYTES, CatalogTask, load_task, progress_folder
from vita_data.catalog.watch import Place, Watch, put_aside
from vita_data.curate import structure
from vita_data.errors import RecordError
from vita_data.media.image import examine_image
from vita_data.media.resolve import read_medium, relative_name
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
CHUNK_BYTES = 8 << 20
# What a record trips that is built in a way nobody thought of; it costs itself and not the build.
MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)

CHUNK = pa.schema(
    [
        ("id_hash", pa.uint64()),
        ("annotation", pa.string()),
        ("position", pa.int64()),
        ("native_id", pa.string()),
        ("turns", pa.string()),
        ("media", pa.list_(MEDIUM)),
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


def read_slice(task_path: str, number: int) -> list[Ref]:
    """Reads a slice of a source into chunks, or finds that it was read before; returns where its buckets lie."""
    task = load_task(task_path)
    done = files.join(task.work, f"slice-{number:05d}.json")
    if not files.exists(done):
        refs: list[Ref] = []
        watch, progress = Watch(task.work), Progress(progress_folder(task.work))
        aside = put_aside(task.work)
        with _MediaTar(task.folder, number) as tar:
            rows_read = _counted(_rows(task, number, tar, watch, aside), progress)
            for chunk, rows in enumerate(_chunks(rows_read)):
                refs += _write_chunk(
                    files.join(task.work, f"chunk-{number:05d}-{chunk:05d}.arrow"), rows, task.buckets
                )
        watch.done()
        progress.flush()
        files.write_json(done, [(bucket, path.rpartition("/")[2], batch) for bucket, path, batch in refs])
    return [(bucket, files.join(task.work, name), batch) for bucket, name, batch in files.read_json(done)]


class _MediaTar:
    """The tar of a slice for media that cannot be referred to where they lie; made at the first of them."""

    def __init__(self, folder: str, number: int) -> None:
        self.name = f"media-{number:05d}.tar"
        self._path = files.join(folder, self.name)
        self._stack = contextlib.ExitStack()
        self._tar: TarWriter | None = None

    def add(self, name: str, data: bytes) -> int:
        if self._tar is None:
            self._tar = TarWriter(self._stack.enter_context(files.atomic_write(self._path)))
        return self._tar.add(name, data)

    def __enter__(self) -> _MediaTar:
        return self

    def __exit__(self, *error: Any) -> None:
        if self._tar is not None and error[0] is None:
            self._tar.close()
        self._stack.__exit__(*error)  # an error on the way leaves nothing behind


def _rows(
    task: CatalogTask, number: int, tar: _MediaTar, watch: Watch, aside: set[Place]
) -> Iterator[dict[str, Any]]:
    part = task.slices[number]
    part = replace(
        part, aside=tuple(sorted(p for a, p, step in aside if (a, step) == (part.annotation, "read")))
    )
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
            row |= _reject("read", Reject.of(native.error))
        else:
            row |= _judged(task, native, tar)
        yield row
        watch.at(part.annotation, native.position + 1, "read")


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


def _reject(step: str, reject: Reject) -> dict[str, Any]:
    return {
        "step": step,
        "rule": reject.rule,
        "value": _printable(reject.value),
        "threshold": _printable(reject.threshold),
        "message": _printable(reject.message),
    }


def _printable(text: str | None) -> str | None:
    return None if text is None else text.encode("utf-8", "replace").decode("utf-8")[:500]


def _judged(task: CatalogTask, native: Native, tar: _MediaTar) -> dict[str, Any]:
    names = [_printable(picture.name) for picture in native.media]
    step = "structure"
    try:
        turns = structure.conversation(native.turns, len(native.media))
        reject = structure.judge(turns, len(native.media))
        if reject is not None:
            return {**_reject(step, reject), "names": names}
        step = "media"
        media = [_medium(task, native.position, n, picture, tar) for n, picture in enumerate(native.media)]
    except RecordError as error:
        return {**_reject(step, Reject.of(error)), "names": names}
    except MALFORMED as error:
        words = f"the record is not made as a record is ({type(error).__name__}: {error})."
        return {**_reject(step, Reject("not_a_record", words)), "names": names}
    turns = [{**turn, "value": _placed(turn)} for turn in turns]
    return {"turns": canonical(turns), "media": media, "names": names}


def _placed(turn: dict[str, str]) -> str:
    return normalise_placeholders(turn["value"]) if turn["from"] == "human" else turn["value"]


def _medium(task: CatalogTask, position: int, number: int, picture: Medium, tar: _MediaTar) -> dict[str, Any]:
    native = picture.data if picture.data is not None else read_medium(task.root, picture.name, MEDIUM_BYTES)
    facts = examine_image(native, IMAGE_PIXELS)
    if picture.data is None and facts.converted is None:
        path, offset = f"root:{relative_name(picture.name)}", 0
    else:
        offset = tar.add(f"{position}.{number}.{facts.extension}", facts.data)
        path = f"catalog:{tar.name}"
    return {
        "kind": "image",
        "path": path,
        "offset": offset,
        "length": len(facts.data),
        "sha256": hashlib.sha256(facts.data).digest(),
        "content": facts.content,
        "extension": facts.extension,
        "width": facts.width,
        "height": facts.height,
        "native": _printable(picture.name),
    }


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

"""Fingerprints of the sounds of a source, in which the recordings of benchmarks are looked for.

In: a catalog part. Out, under `<out>/curate/<digest>/<source>/`: a row for each of its samples in the same order,
BATCH of them a batch, so that a part with hours of sound is read piece by piece. They are made only where a
benchmark has recordings, since they cost more than all else that is measured of a sound, and are kept from then on.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any

import pyarrow as pa

from vita_data import files
from vita_data.catalog.merge import part_name
from vita_data.catalog.task import medium_path
from vita_data.leaks import prints
from vita_data.media.stored_sound import at_rate, stored_samples
from vita_data.progress import Progress
from vita_data.records.key import digest_of
from vita_data.verdicts.gone import GONE, rows_to_measure, written

# Raise when the same sounds would leave other files.
VERSION = 1
BATCH = 256
PRINTS = pa.schema(
    [
        ("key", pa.string()),
        ("prints", pa.list_(pa.binary())),  # packed, one for each sound; null for one that is gone
    ]
)


@dataclass(frozen=True)
class PrintsTask:
    """A source's catalog whose sounds are heard, and where their fingerprints go."""

    source: str
    root: str
    catalog: str
    folder: str

    def save(self) -> str:
        """Writes the task beside its results and returns its path."""
        path = files.join(self.folder, "task.json")
        files.write_json(path, asdict(self))
        return path


@functools.lru_cache(maxsize=64)
def load_prints_task(path: str) -> PrintsTask:
    """The task at a path."""
    return PrintsTask(**files.read_json(path))


def prints_name(part: int) -> str:
    """File name of the fingerprints of a catalog part."""
    return f"prints-{part:05d}.arrow"


def prints_digest(catalog_digest: str) -> str:
    """Names the fingerprints of a catalog."""
    libraries = {name: metadata.version(name) for name in ("soundfile", "soxr")}
    return digest_of("prints", VERSION, prints.VERSION, libraries, catalog_digest)


def prints_part(task_path: str, part: int) -> str:
    """Hears the sounds of one catalog part, unless that was done; returns the path of their fingerprints.

    Samples with sounds that were gone when the rest was heard are heard again.
    """
    task = load_prints_task(task_path)
    path = files.join(task.folder, prints_name(part))
    wanted = rows_to_measure(path)
    if wanted == []:
        return path
    catalog = files.read_table(files.join(task.catalog, part_name(part)), ["key", "media"])
    known = read_prints(path) if wanted is not None else None
    gone: list[int] = []
    with ExitStack() as stack:
        hear = _Hearing(task, stack)
        stream = stack.enter_context(written(path, gone))
        writer = stack.enter_context(pa.ipc.new_file(stream, PRINTS))
        for start in range(0, len(catalog), BATCH):
            rows = catalog.slice(start, BATCH).to_pylist()
            heard = [{"key": row["key"], "prints": []} for row in rows] if known is None else next(known)
            for place, row in enumerate(rows):
                if wanted is None or start + place in wanted:
                    heard[place]["prints"] = hear.sounds_of(row)
                    gone += [start + place] if None in heard[place]["prints"] else []
            writer.write_batch(pa.RecordBatch.from_pylist(heard, PRINTS))
    return path


class _Hearing:
    """Hears the sounds of samples of a source, and counts these."""

    def __init__(self, task: PrintsTask, stack: ExitStack) -> None:
        self._task, self._reader = task, files.RangeReader()
        self._progress = Progress(files.join(task.folder, "progress"))
        stack.callback(self._progress.flush)
        stack.callback(self._reader.close)

    def sounds_of(self, row: dict[str, Any]) -> list[bytes | None]:
        """The packed fingerprint of each sound of a catalogued sample; None for one that is gone."""
        self._progress.add()
        return [self._heard(medium) for medium in row["media"] if medium["kind"] == "audio"]

    def _heard(self, medium: dict[str, Any]) -> bytes | None:
        path = medium_path(medium["path"], self._task.root, self._task.catalog)
        try:
            sound, rate = stored_samples(self._reader.read(path, medium["offset"], medium["length"]))
        except GONE:  # since it was catalogued
            return None
        return prints.packed(prints.fingerprint(at_rate(sound, rate, prints.RATE)))


def read_prints(path: str) -> Iterator[list[dict[str, Any]]]:
    """The rows of a part's fingerprints, a batch at a time."""
    with files.open_read(path) as stream, pa.ipc.open_file(stream) as batches:
        for number in range(batches.num_record_batches):
            yield batches.get_batch(number).to_pylist()

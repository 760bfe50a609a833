"""Many listings as one file, so that a name is looked up once however many archives there are.

An Arrow file whose record batches are equal ranges of the hash, each sorted by hash and then by the order in
which the archives would be unpacked. It is mapped; a lookup touches one batch, and writing holds one.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from vita_data import files
from vita_data.media.containers.entry import Way
from vita_data.media.containers.listing import LISTING
from vita_data.media.containers.names import fold, name_hash

BATCH_ROWS = 1 << 18
_BITS = b"bits"

INDEX = LISTING.append(pa.field("container", pa.uint32()))


class Hit(NamedTuple):
    """A member that a name leads to: `container` counts the archives of the index."""

    name: str
    container: int
    offset: int
    length: int
    size: int
    crc: int
    way: Way


def _mapped(path: str) -> Any:
    """An Arrow file as a reader over mapped memory; a remote one is copied to this machine for as long as it is used.

    No descriptor stays open, so a merge may map thousands of listings.
    """
    with contextlib.ExitStack() as stack:
        if files.is_url(path):
            local = stack.enter_context(tempfile.NamedTemporaryFile())
            shutil.copyfileobj(stack.enter_context(files.open_read(path)), local)
            local.flush()
            path = local.name
        whole = stack.enter_context(pa.memory_map(path)).read_buffer()
        return pa.ipc.open_file(whole)


def write_index(listings: list[str], out: str) -> None:
    """Merges listings, given in the order in which their archives would be unpacked, whole or not at all."""
    runs = [
        (container, file.get_batch(number))
        for container, path in enumerate(listings)
        for file in [_mapped(path)]
        for number in range(file.num_record_batches)
    ]
    rows = sum(len(run) for _, run in runs)
    bits = (rows // BATCH_ROWS).bit_length()
    bounds = [_bounds(run, bits) for _, run in runs]
    schema = INDEX.with_metadata({_BITS: str(bits)})
    with files.atomic_write(out) as stream, pa.ipc.new_file(stream, schema) as writer:
        for bucket in range(1 << bits):
            writer.write_batch(_bucket(runs, bounds, bucket))


def _bounds(run: pa.RecordBatch, bits: int) -> np.ndarray[Any, Any]:
    """Where in a run each range of the hash begins, and where the last one ends."""
    edges = (
        np.arange(1, 1 << bits, dtype=np.uint64) << np.uint64(64 - bits) if bits else np.zeros(0, np.uint64)
    )
    inner = np.searchsorted(run.column("hash").to_numpy(), edges)
    return np.concatenate([[0], inner, [len(run)]])


def _bucket(
    runs: list[tuple[int, pa.RecordBatch]], bounds: list[np.ndarray[Any, Any]], bucket: int
) -> pa.RecordBatch:
    parts = []
    for (container, run), bound in zip(runs, bounds, strict=True):
        begin, end = int(bound[bucket]), int(bound[bucket + 1])
        if end > begin:
            numbers = pa.array(np.full(end - begin, container, np.uint32))
            part = run.slice(begin, end - begin)
            parts.append(pa.RecordBatch.from_arrays([*part.columns, numbers], schema=INDEX))
    table = pa.Table.from_batches(parts, INDEX).combine_chunks()
    order = np.argsort(table.column("hash").to_numpy(), kind="stable")
    sorted_table = table.take(pa.array(order)).combine_chunks()
    batches = sorted_table.to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], INDEX)


class NameIndex:
    """Looks names up in an index; safe to share among threads."""

    def __init__(self, path: str) -> None:
        file = _mapped(path)
        self._bits = int(file.schema.metadata[_BITS])
        self._batches = [file.get_batch(number) for number in range(file.num_record_batches)]
        self._hashes = [batch.column("hash").to_numpy() for batch in self._batches]

    def find(self, name: str, any_case: bool = False) -> Hit | None:
        """The member of this name, the one unpacked last where there are several; `any_case` compares folded names."""
        number = int.from_bytes(name_hash(name), "little")
        hashes, batch = self._hashes[number >> (64 - self._bits)], self._batches[number >> (64 - self._bits)]
        value = np.uint64(number)  # a plain int would be compared as a float
        low, high = (int(np.searchsorted(hashes, value, side)) for side in ("left", "right"))
        wanted = fold(name) if any_case else name
        for row in range(high - 1, low - 1, -1):
            found = batch.column("name")[row].as_py().decode()
            if (fold(found) if any_case else found) == wanted:
                return _hit(batch, row, found)
        return None


def _hit(batch: pa.RecordBatch, row: int, name: str) -> Hit:
    columns = (batch.column(column)[row].as_py() for column in Hit._fields[1:-1])
    container, offset, length, size, crc = columns
    return Hit(name, container, offset, length, size, crc, Way(batch.column("way")[row].as_py()))

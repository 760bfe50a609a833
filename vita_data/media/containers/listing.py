"""The members of one archive as a file: sorted runs of (hash of name, where the bytes are, name).

An Arrow file without compression, which is mapped and not read. Each record batch is a run of members in the
archive's order, sorted by hash, so that a listing of any length is written in the memory of one run.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import IO, Any

import numpy as np
import pyarrow as pa

from vita_data import files
from vita_data.media.containers.entry import Entry
from vita_data.media.containers.names import name_hash
from vita_data.records.key import digest_of
from vita_data.records.places import Place

# Raise when a listing, or a tar written from what cannot be listed, would come out differently.
VERSION = 2
RUN_ROWS = 1 << 16
FOLDER = "members"

LISTING = pa.schema(
    [
        ("hash", pa.uint64()),
        ("offset", pa.int64()),
        ("length", pa.int64()),  # as it lies in the archive
        ("size", pa.int64()),
        ("crc", pa.uint32()),
        ("way", pa.uint8()),
        ("name", pa.large_binary()),  # the part of the name that counts, UTF-8
    ]
)


@dataclass(frozen=True)
class Listed:
    """A finished listing; written last, so that its presence means complete.

    `container` is `root:` or `catalog:` and the file's path below the one or the other; `bytes` its size.
    """

    container: str
    bytes: int
    listing: str
    members: int
    left_out: dict[str, int]
    cut: str | None = None


def listing_stem(container: str, identity: dict[str, Any], place: Place) -> str:
    """The name of an archive's listing: other bytes, or another part of the names, is another listing."""
    return digest_of(FOLDER, VERSION, container, identity, place.names, place.name_column, place.bytes_column)


def listed_path(folder: str, stem: str) -> str:
    """Where a listing's summary lies."""
    return files.join(folder, FOLDER, f"{stem}.json")


def load_listed(folder: str, stem: str) -> Listed | None:
    """The summary of a finished listing, or None."""
    path = listed_path(folder, stem)
    return Listed(**files.read_json(path)) if files.exists(path) else None


def save_listed(folder: str, stem: str, listed: Listed) -> Listed:
    """Writes the summary of a listing whose other files are there."""
    files.write_json(listed_path(folder, stem), asdict(listed))
    return listed


class _Run:
    """Members collected for one record batch."""

    def __init__(self) -> None:
        self.hashes: list[bytes] = []
        self.names: list[bytes] = []
        self.numbers = [array("q") for _ in range(3)]
        self.crcs, self.ways = array("L"), array("B")

    def add(self, name: str, entry: Entry) -> None:
        self.hashes.append(name_hash(name))
        self.names.append(name.encode())
        for column, number in zip(self.numbers, (entry.offset, entry.length, entry.size), strict=True):
            column.append(number)
        self.crcs.append(entry.crc)
        self.ways.append(entry.way)

    def batch(self) -> pa.RecordBatch:
        hashes = np.frombuffer(b"".join(self.hashes), "<u8")
        order = np.argsort(hashes, kind="stable")
        columns = [hashes, *(np.frombuffer(column, np.int64) for column in self.numbers)]
        columns += [np.array(self.crcs, np.uint32), np.array(self.ways, np.uint8)]
        arrays = [pa.array(column[order]) for column in columns]
        arrays.append(pa.array(self.names, pa.large_binary()).take(pa.array(order)))
        return pa.RecordBatch.from_arrays(arrays, schema=LISTING)


def write_listing(stream: IO[bytes], members: Iterable[tuple[str, Entry]]) -> int:
    """Writes members as they come; returns how many there were."""
    count, run = 0, _Run()
    with pa.ipc.new_file(stream, LISTING) as writer:
        for name, entry in members:
            run.add(name, entry)
            if len(run.names) == RUN_ROWS:
                writer.write_batch(run.batch())
                count, run = count + RUN_ROWS, _Run()
        writer.write_batch(run.batch())
    return count + len(run.names)

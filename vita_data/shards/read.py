"""Reading a finished stage through its index: local shards are mapped into memory, remote ones read by range.

Needs neither torch nor webdataset. A read costs one slice a member, wherever in the stage the sample is.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import threading
from dataclasses import dataclass
from typing import Any

from vita_data import files
from vita_data.errors import ShardError
from vita_data.shards.seal import EVAL, EVAL_FACTS, read_stage, sha256
from vita_data.shards.write import index_name, shard_name

OPEN_SHARDS = 32


@dataclass(frozen=True)
class Sample:
    """A sample with its bytes: the JSON record, its media in order, and how each picture is tiled."""

    key: str
    source: str
    record: dict[str, Any]
    media: list[bytes]
    grids: list[tuple[int, int]]
    length: int


@dataclass(frozen=True)
class Place:
    """Where a sample lies: its shard, its row in that shard's index, and its key."""

    shard: int
    row: int
    key: str


@dataclass(frozen=True)
class Pack:
    """The samples that share one training sequence, and how many tokens they have together."""

    number: int
    window: int
    tokens: int
    samples: tuple[Place, ...]


class Shard:
    """One shard, open for reading by row."""

    def __init__(self, folder: str, number: int) -> None:
        self._path = files.join(folder, "shards", shard_name(number))
        index = files.join(folder, "index", index_name(number))
        if not (files.exists(self._path) and files.exists(index)):
            raise ShardError(f"{self._path} or its index is missing; build the stage again.")
        table = _table(index, "build the stage again")
        self.table = table
        members = table.column("members").combine_chunks()
        self._starts: list[int] = members.offsets.to_pylist()
        flat = members.flatten()
        self._names, self._digests = flat.field("name"), flat.field("sha256")
        places = zip(flat.field("offset").to_pylist(), flat.field("length").to_pylist(), strict=True)
        self._spans = [slice(offset, offset + length) for offset, length in places]
        self.keys: list[str] = table.column("key").to_pylist()
        self._view: mmap.mmap | None = None
        self._reader: files.RangeReader | None = None
        self._map()

    def _map(self) -> None:
        if files.is_url(self._path):
            self._reader = files.RangeReader()
            return
        size = files.identity(self._path)["size"]
        if not size or (self._spans and self._spans[-1].stop > size):
            raise ShardError(f"{self._path} is shorter than its index says; build the stage again.")
        with open(self._path, "rb") as stream:
            self._view = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)

    def __len__(self) -> int:
        return len(self.keys)

    def read(self, row: int) -> list[bytes]:
        """The members of a sample as bytes, the JSON member first."""
        return [self._member(number) for number in range(self._starts[row], self._starts[row + 1])]

    def names(self, row: int) -> list[str]:
        """The member names of a sample, the JSON member first."""
        return [str(name) for name in self._names[self._starts[row] : self._starts[row + 1]].to_pylist()]

    def record(self, row: int) -> dict[str, Any]:
        """The record of a sample, without its media; ShardError when it is damaged."""
        return self._parsed(row, self._member(self._starts[row]))

    def sample(self, row: int) -> Sample:
        """A sample with its record parsed and its media as bytes; ShardError when the record is damaged."""
        record, *media = self.read(row)
        said = self._parsed(row, record)
        facts = {name: self.table.column(name)[row].as_py() for name in ("source", "grids", "length")}
        grids = [(grid["cols"], grid["rows"]) for grid in facts["grids"] or []]
        return Sample(self.keys[row], facts["source"], said, media, grids, facts["length"])

    def intact(self, row: int) -> bool:
        """Whether the members of a sample are what the index says."""
        members = range(self._starts[row], self._starts[row + 1])
        return all(
            hashlib.sha256(self._member(number)).digest() == self._digests[number].as_py()
            for number in members
        )

    def _member(self, number: int) -> bytes:
        span = self._spans[number]
        if self._view is not None:
            return self._view[span]
        assert self._reader is not None
        return self._reader.read(self._path, span.start, span.stop - span.start)

    def _parsed(self, row: int, record: bytes) -> dict[str, Any]:
        if hashlib.sha256(record).digest() != self._digests[self._starts[row]].as_py():
            raise ShardError(
                f"{self._path}: the record of {self.keys[row]} is not what its index says; "
                "remove that file and build the stage again."
            )
        said: dict[str, Any] = json.loads(record)
        return said


class Stage:
    """A finished stage folder.

    Raises ShardError for one whose build did not end, and DamagedStage for one whose plan.json or stage.json
    is not what the build wrote.
    """

    def __init__(self, folder: object) -> None:
        self.folder = str(folder)
        self.plan, self.facts = read_stage(self.folder)
        self._shards: dict[int, Shard] = {}
        self._lock = threading.Lock()

    @property
    def shard_count(self) -> int:
        """How many shards the stage has, numbered from 0."""
        return len(self.facts["shards"])

    def shard(self, number: int) -> Shard:
        """A shard, opened at first use; the one not used for longest is let go, since open files are few."""
        with self._lock:
            shard = self._shards.pop(number, None)
            if shard is None:
                shard = Shard(self.folder, number)
            self._shards[number] = shard
            if len(self._shards) > OPEN_SHARDS:
                del self._shards[next(iter(self._shards))]  # its map closes with its last reader
            return shard

    def sample(self, shard: int, row: int) -> Sample:
        """The sample at a place."""
        return self.shard(shard).sample(row)

    def packs(self) -> list[Pack]:
        """Every pack of the stage's plan in its order; refuses packs made for another geometry or template."""
        found: list[Pack] = []
        for window in range(self.facts["packs"]["windows"]):
            found += self.window_packs(window, len(found))
        return found

    def window_packs(self, window: int, first: int = 0) -> list[Pack]:
        """The packs of one window, numbered from `first`."""
        path = self.packs_path(window)
        advice = f"run `vita-data pack {self.folder}` to pack it again"
        if not files.exists(path):
            raise ShardError(f"{path} is missing; {advice}.")
        table = _table(path, advice)
        wanted = {name: self.plan[name] for name in ("geometry_digest", "template_digest")}
        try:
            said = json.loads(table.schema.metadata[b"vita"])
            made_for = {name: said[name] for name in wanted}
            rows = [
                (row["tokens"], tuple(Place(**each) for each in row["samples"])) for row in table.to_pylist()
            ]
        except (ValueError, KeyError, TypeError) as error:
            raise ShardError(f"{path} is damaged; {advice}.") from error
        if made_for != wanted:
            raise ShardError(f"{path} was packed for another geometry or chat template; {advice}.")
        if sha256(path) != self.facts["files"].get(f"packs/{index_name(window)}"):
            raise ShardError(f"{path} is not the file that stage.json names; {advice}.")
        return [Pack(first + n, window, tokens, places) for n, (tokens, places) in enumerate(rows)]

    def packs_path(self, window: int) -> str:
        """Where the packs of a window lie."""
        return files.join(self.folder, "packs", index_name(window))

    @property
    def held_out(self) -> Stage | None:
        """The samples that no stage trains on, as a stage of their own; None where there are none."""
        return Stage(files.join(self.folder, EVAL)) if EVAL_FACTS in self.facts["files"] else None


def _table(path: str, advice: str) -> Any:
    import pyarrow as pa

    try:
        return files.read_table(path)
    except (OSError, ValueError, pa.lib.ArrowException) as error:
        if getattr(error, "errno", None):  # the disk's doing, and not the file's
            raise
        raise ShardError(f"{path} is damaged; {advice}.") from error

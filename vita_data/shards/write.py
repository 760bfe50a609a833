"""Writing one shard and its index: a tar that webdataset reads as it is, and a table of where all lies.

The index is written after the tar, so a shard without one was not finished. It carries the digest of
the plan it was written from: the same plan again is nothing to do.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import IO, Any

from vita_data import files
from vita_data.errors import ShardError
from vita_data.shards.tar import TarWriter

CHUNK = 1 << 20


@dataclass(slots=True)
class ShardSample:
    """A sample as it goes into a shard: its JSON member, its media as (extension, bytes), its index facts."""

    key: str
    record: bytes
    media: list[tuple[str, bytes]]
    questions: int = 1
    text_tokens: int = 0
    visual_tokens: int = 0
    audio_tokens: int = 0
    length: int = 0
    grids: tuple[tuple[int, int], ...] = ()
    seconds: float = 0.0
    sound_samples: int = 0  # what `seconds` counts, exactly
    source: str = ""
    language: str = ""
    licence: str = ""


@dataclass(frozen=True)
class ShardFacts:
    """What `stage.json` says of a shard; `digest` is `content_digest`'s."""

    number: int
    samples: int
    questions: int
    bytes: int
    digest: str


def shard_name(number: int) -> str:
    """The file name of a shard's tar."""
    return f"{number:05d}.tar"


def index_name(number: int) -> str:
    """The file name of a shard's index."""
    return f"{number:05d}.parquet"


def member_name(key: str, number: int, extension: str) -> str:
    """The member that holds the n-th medium of a sample."""
    return f"{key}.{number}.{extension}"


def content_digest(members: Iterable[tuple[str, bytes]]) -> str:
    """One digest for a shard from the (name, sha256) of its members in order.

    The rest of a tar's bytes, headers and padding, follows from these, so hashing it all again would
    say no more and cost a quarter of the time of writing.
    """
    return hashlib.sha256(b"".join(name.encode() + b"\0" + digest for name, digest in members)).hexdigest()


class _Gathered:
    """Gathers small writes into large ones."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._parts: list[bytes] = []
        self._held = 0

    def write(self, data: bytes) -> int:
        self._parts.append(data)
        self._held += len(data)
        if self._held >= CHUNK:
            self.drain()
        return len(data)

    def drain(self) -> None:
        self._stream.write(b"".join(self._parts))
        self._parts, self._held = [], 0


class _IndexRows:
    """The columns of the index, gathered as plain lists: ten times cheaper than a dict a row."""

    PLAIN = (
        "questions",
        "text_tokens",
        "visual_tokens",
        "audio_tokens",
        "length",
        "seconds",
        "sound_samples",
    )
    NAMES = ("source", "language", "licence")

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.columns: dict[str, list[Any]] = {name: [] for name in self.PLAIN + self.NAMES}
        self.names: list[str] = []
        self.offsets: list[int] = []
        self.lengths: list[int] = []
        self.digests: list[bytes] = []
        self.member_starts = [0]
        self.grids: list[list[dict[str, int]]] = []

    def add_member(self, name: str, offset: int, data: bytes) -> None:
        self.names.append(name)
        self.offsets.append(offset)
        self.lengths.append(len(data))
        self.digests.append(hashlib.sha256(data).digest())

    def end_sample(self, sample: ShardSample) -> None:
        self.keys.append(sample.key)
        for name, column in self.columns.items():
            column.append(getattr(sample, name))
        self.grids.append([{"cols": cols, "rows": rows} for cols, rows in sample.grids])
        self.member_starts.append(len(self.names))

    def table(self, number: int, plan_digest: str, facts: dict[str, Any]) -> Any:
        import pyarrow as pa

        from vita_data.records.schema import INDEX, MEMBER

        members = pa.StructArray.from_arrays(
            [
                pa.array(self.names, pa.string()),
                pa.array(self.offsets, pa.int64()),
                pa.array(self.lengths, pa.int64()),
                pa.array(self.digests, pa.binary(32)),
            ],
            fields=list(MEMBER),
        )
        arrays: dict[str, Any] = {
            "key": self.keys,
            "shard": [number] * len(self.keys),
            "members": pa.ListArray.from_arrays(pa.array(self.member_starts, pa.int32()), members),
            "grids": self.grids,
            **self.columns,
        }
        columns = [
            arrays[field.name] if field.name == "members" else pa.array(arrays[field.name], field.type)
            for field in INDEX
        ]
        table = pa.Table.from_arrays(columns, schema=INDEX)
        return table.replace_schema_metadata(_metadata(table, plan_digest, facts))


def write_shard(
    folder: str, number: int, samples: Iterable[ShardSample], plan_digest: str = ""
) -> ShardFacts:
    """Writes `shards/NNNNN.tar` and then `index/NNNNN.parquet` below `folder`; returns what they hold."""
    rows = _IndexRows()
    files.remove(
        files.join(folder, "index", index_name(number))
    )  # an older plan's must not vouch for the new tar
    with files.atomic_write(files.join(folder, "shards", shard_name(number))) as stream:
        gathered = _Gathered(stream)
        tar = TarWriter(gathered)  # type: ignore[arg-type]
        for sample in samples:
            name = f"{sample.key}.json"
            rows.add_member(name, tar.add(name, sample.record), sample.record)
            for place, (extension, data) in enumerate(sample.media):
                name = member_name(sample.key, place, extension)
                rows.add_member(name, tar.add(name, data), data)
            rows.end_sample(sample)
        tar.close()
        gathered.drain()
    if len(set(rows.keys)) != len(rows.keys):
        raise ShardError(
            f"shard {number} of {folder} would hold a key twice; this is a fault of the build, report it."
        )
    questions = sum(rows.columns["questions"])
    facts = {
        "samples": len(rows.keys),
        "questions": questions,
        "bytes": tar.size,
        "digest": content_digest(zip(rows.names, rows.digests, strict=True)),
    }
    files.write_table(files.join(folder, "index", index_name(number)), rows.table(number, plan_digest, facts))
    return ShardFacts(number=number, **facts)


def _metadata(table: Any, plan_digest: str, facts: dict[str, Any]) -> dict[bytes, bytes]:
    """What an index says of itself: its version, the plan it was written from, its own digest and the shard's facts."""
    from vita_data.records.canon import canonical_bytes
    from vita_data.records.schema import INDEX_VERSION
    from vita_data.shards.content import table_digest

    said = {"version": INDEX_VERSION, "plan": plan_digest, "rows": table_digest(table), **facts}
    return {b"vita": canonical_bytes(said)}


@functools.cache
def _schema_on_disk() -> Any:
    """The schema of an index as it is read back: parquet gives the items of lists a name of its own."""
    import io

    import pyarrow.parquet as pq

    from vita_data.records.schema import INDEX

    buffer = io.BytesIO()
    pq.write_table(INDEX.empty_table(), buffer)
    return pq.read_schema(buffer).remove_metadata()


def finished_shard(folder: str, number: int, plan_digest: str) -> ShardFacts | None:
    """What a shard holds when it was already written from this very plan, else None.

    The index must be as it was written; of the tar only the size is looked at.
    """

    import pyarrow as pa

    index = files.join(folder, "index", index_name(number))
    shard = files.join(folder, "shards", shard_name(number))
    if not (files.exists(index) and files.exists(shard)):
        return None
    try:
        table = files.read_table(index)
        if not table.schema.remove_metadata().equals(_schema_on_disk(), check_metadata=True):
            return None
        facts = _facts_of(table, number, files.identity(shard)["size"])
        said = {name: value for name, value in asdict(facts).items() if name != "number"}
        return facts if table.schema.metadata == _metadata(table, plan_digest, said) else None
    except (OSError, ValueError, KeyError, TypeError, pa.lib.ArrowException) as error:
        if getattr(error, "errno", None):
            raise
        return None  # not the table that was written here


def _facts_of(index: Any, number: int, size: int) -> ShardFacts:
    """The facts of a shard of `size` bytes from the rows of its index."""
    members = index.column("members").combine_chunks().flatten()
    names, digests = (members.field(name).to_pylist() for name in ("name", "sha256"))
    questions = sum(index.column("questions").to_pylist())
    return ShardFacts(number, len(index), questions, size, content_digest(zip(names, digests, strict=True)))

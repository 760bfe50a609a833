"""What the workers that make questions spoken need to know, written once as a file that work items name."""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass, replace
from typing import Any

import pyarrow as pa

from vita_data import files
from vita_data.manifest.geometry import Geometry
from vita_data.manifest.speech import SpeechCard
from vita_data.records.key import digest_of

SAMPLES_A_BUCKET = 100
MOST_BUCKETS = 256

# A place in the order of a source's questions: (hash, key, turn).
Rank = tuple[int, str, int]
EVERY_QUESTION: Rank = (2**64 - 1, "\U0010ffff", 1 << 30)

# A question of a source that is spoken to, in the order of its sample; `reason` where it has to stay written.
QUESTION = pa.schema(
    [
        ("source", pa.string()),
        ("hash", pa.uint64()),
        ("key", pa.string()),
        ("turn", pa.int32()),
        ("reason", pa.string()),
        ("text", pa.string()),
        ("language", pa.string()),
        ("voice", pa.string()),
        ("speed", pa.int32()),
        ("noise", pa.float64()),  # decibels from speech down to noise; null for none
        ("clip", pa.binary(16)),  # what the cache calls its sound
    ]
)

# Where the sound of a clip lies in the cache, or why there is none.
CLIP = pa.schema(
    [
        ("clip", pa.binary(16)),
        ("reason", pa.string()),
        ("path", pa.string()),  # of its tar, below the cache
        ("offset", pa.int64()),
        ("length", pa.int64()),
        ("sha256", pa.binary(32)),
        ("content", pa.binary(16)),
        ("samples", pa.int64()),
    ]
)
FITTED = pa.schema([*QUESTION, *(field for field in CLIP if field.name not in QUESTION.names)])


@dataclass(frozen=True)
class SpeechTask:
    """The questions of one set of selected rows: `cutoffs` says how far into each source's order they are tried."""

    work: str
    cache: str
    sources: list[str]  # whose questions are spoken
    rows: list[int]  # the numbers of the ordered buckets
    clips: int  # how many buckets the clips are spread over
    card: SpeechCard
    geometry: Geometry
    state_tokens: bool
    seed: int
    cutoffs: dict[str, Rank | None]
    attempt: int = 0
    noise_ends: bool = False

    def save(self) -> str:
        """Writes the task and returns its path, which names its content: a worker may keep what it read."""
        facts = asdict(self)
        path = files.join(self.work, f"speech-{digest_of(facts)}.json")
        files.write_json(path, facts)
        return path

    def again(self, cutoffs: dict[str, Rank | None]) -> SpeechTask:
        """The same with other cut-offs: the next attempt."""
        return replace(self, cutoffs=cutoffs, attempt=self.attempt + 1)

    def path(self, kind: str, number: int) -> str:
        """Where a step leaves what it made of a bucket in this attempt."""
        return files.join(self.work, f"{kind}-{self.attempt:02d}-{number:05d}.arrow")

    def questions_path(self, bucket: int) -> str:
        """Where the questions of an ordered bucket lie, a batch for each bucket of clips."""
        return files.join(self.work, f"questions-{bucket:05d}.arrow")

    @property
    def voiced(self) -> str:
        """The folder of the rows once their questions are spoken."""
        return files.join(self.work, "voiced")


@functools.lru_cache(maxsize=8)
def load_speech_task(path: str) -> SpeechTask:
    """The task at a path."""
    facts = files.read_json(path)
    card: dict[str, Any] = facts["card"]
    voices = {language: tuple(names) for language, names in card["voices"].items()}
    noise = card["noise"] if card["noise"] == "off" else tuple(card["noise"])
    spoken = SpeechCard(
        **{
            **card,
            "voices": voices,
            "noise": noise,
            "command": tuple(card["command"]),
            "speed": tuple(card["speed"]),
        }
    )
    cutoffs = {name: tuple(rank) if rank else None for name, rank in facts["cutoffs"].items()}
    return SpeechTask(
        **{**facts, "card": spoken, "geometry": Geometry(**facts["geometry"]), "cutoffs": cutoffs}
    )


def clip_buckets(samples: int) -> int:
    """How many buckets the clips of so many samples are spread over."""
    return max(1, min(MOST_BUCKETS, -(-samples // SAMPLES_A_BUCKET)))


def bucket_of(clip: bytes, buckets: int) -> int:
    """The bucket of a clip: an equal range of its name."""
    return int.from_bytes(clip[:8], "big") * buckets >> 64


def write_batches(path: str, tables: list[pa.Table], schema: pa.Schema) -> None:
    """Writes tables as the batches of one Arrow file, one each, in order, empty ones too."""
    with files.atomic_write(path) as stream, pa.ipc.new_file(stream, schema) as writer:
        for table in tables:
            batches = table.combine_chunks().to_batches()
            writer.write_batch(batches[0] if batches else schema.empty_table().to_batches()[0])


def read_batch(path: str, number: int) -> pa.RecordBatch:
    """One batch of an Arrow file."""
    with files.open_read(path) as stream, pa.ipc.open_file(stream) as reader:
        return reader.get_batch(number)


def read_columns(path: str, columns: list[str]) -> pa.Table:
    """Some columns of an Arrow file."""
    with files.open_read(path) as stream:
        schema = pa.ipc.open_file(stream).schema
        stream.seek(0)
        wanted = pa.ipc.IpcReadOptions(included_fields=[schema.get_field_index(name) for name in columns])
        with pa.ipc.open_file(stream, options=wanted) as reader:
            return reader.read_all().select(columns)

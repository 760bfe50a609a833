"""What a catalog worker needs to know of its source, written once as a file that work items name."""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from vita_data import files
from vita_data.catalog.batches import batch_range
from vita_data.sources.base import Slice

# Raise when the rows, the converted media or the keys of a catalog would come out differently.
VERSION = 4
MEDIUM_BYTES = 64 << 20
IMAGE_PIXELS = 100_000_000
BUCKET_BYTES = 16 << 20
BUCKET_RECORDS = 1 << 15  # short records weigh more as rows than as text
MOST_BUCKETS = 4096

# What a catalog depends on besides its files, as the source's card and its mixture's geometry say it.
CARD_FACTS = (
    "source",
    "row",
    "kind",
    "language",
    "licence",
    "adapter",
    "options",
    "media",
    "seconds",
    "frames",
    "case",
)
HEARD_RATE, SPOKEN_RATE = 16_000, 24_000  # samples a second of sound the model hears, and of speech it learns
SPOKEN = "speech:"  # how the places of sounds begin that were spoken for a stage
# Rejects that the tolerance of a source counts: what could not be read, as against what breaks a rule.
UNREADABLE_STEPS = ("read", "media")


@dataclass(frozen=True)
class CatalogTask:
    """A source as its catalog pass sees it; `root` is where it lies, `folder` where its catalog grows."""

    source: str
    row: str
    kind: str
    language: str
    licence: str
    adapter: str
    options: dict[str, Any]
    media: dict[str, Any]  # of MediaPlaces
    seconds: dict[str, float]  # the least and the most of a sound
    frames: dict[str, int]  # of FrameRule, what differs from its defaults
    case: Literal["as_written", "upper"]  # of transcripts
    root: str
    folder: str
    slices: list[Slice]
    buckets: int
    archives: str | None  # what `gather_members` left, where the media lie in archives
    batches: list[int] = field(default_factory=list)  # the first slice of every work item

    @property
    def work(self) -> str:
        """The folder of intermediate files, removed when the catalog is complete."""
        return work_folder(self.folder)

    def batch(self, number: int) -> range:
        """The numbers of the slices of a work item."""
        return batch_range(self.batches, number, len(self.slices))

    @property
    def sound_rate(self) -> int:
        """Samples a second of the sounds that are stored."""
        return SPOKEN_RATE if self.kind == "tts" else HEARD_RATE

    def save(self) -> str:
        """Writes the task and returns its path."""
        path = files.join(self.work, "task.json")
        files.write_json(path, asdict(self))
        load_task.cache_clear()
        return path


def work_folder(folder: str) -> str:
    """Where a catalog's intermediate files lie."""
    return files.join(folder, "work")


def progress_folder(work: str) -> str:
    """Where the workers of a source count the records they have read."""
    return files.join(work, "progress")


def bucket_count(text_bytes: int, records: int) -> int:
    """How many parts a catalog has: a function of its annotations alone, so that no engine changes it."""
    return max(1, min(MOST_BUCKETS, max(-(-text_bytes // BUCKET_BYTES), -(-records // BUCKET_RECORDS))))


@functools.lru_cache(maxsize=64)
def load_task(path: str) -> CatalogTask:
    """The task at a path; kept, since every work item of a source asks for it."""
    facts = files.read_json(path)
    return CatalogTask(**{**facts, "slices": [Slice(**part) for part in facts["slices"]]})


def medium_path(path: str, root: str, folder: str, speech: str = "") -> str:
    """Where a medium lies now: `root:` is the source's folder, `catalog:` its catalog's, `speech:` that of speech."""
    if path.startswith(SPOKEN):
        return files.join(speech, path.removeprefix(SPOKEN))
    place, _, rest = path.partition(":")
    return files.join(root if place == "root" else folder, rest)

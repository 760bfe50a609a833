"""What a catalog worker needs to know of its source, written once as a file that work items name."""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass
from typing import Any

from vita_data import files
from vita_data.sources.base import Slice

# Raise when the rows, the converted media or the keys of a catalog would come out differently.
VERSION = 1
MEDIUM_BYTES = 64 << 20
IMAGE_PIXELS = 100_000_000
BUCKET_BYTES = 16 << 20
MOST_BUCKETS = 4096

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
    root: str
    folder: str
    slices: list[Slice]
    buckets: int

    @property
    def work(self) -> str:
        """The folder of intermediate files, removed when the catalog is complete."""
        return work_folder(self.folder)

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


def bucket_count(text_bytes: int) -> int:
    """How many parts a catalog has: a function of its annotations' size alone, so that no engine changes it."""
    return max(1, min(MOST_BUCKETS, -(-text_bytes // BUCKET_BYTES)))


@functools.lru_cache(maxsize=64)
def load_task(path: str) -> CatalogTask:
    """The task at a path; kept, since every work item of a source asks for it."""
    facts = files.read_json(path)
    return CatalogTask(**{**facts, "slices": [Slice(**part) for part in facts["slices"]]})


def medium_path(path: str, root: str, folder: str) -> str:
    """Where a medium of the catalog lies now: `root:` is the source's folder, `catalog:` its catalog's."""
    place, _, rest = path.partition(":")
    return files.join(root if place == "root" else folder, rest)

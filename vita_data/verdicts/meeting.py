"""What a worker needs to know of a meeting: the sources of a mixture, and how near their samples may come."""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass

from vita_data import files


@dataclass(frozen=True)
class MeetSource:
    """A source of a mixture: where its tables lie, and how near its samples may come; None is as near as they like."""

    source: str
    signals: str
    measures: str
    judged: str
    near_text: float | None
    radius: int | None
    near_turns: float


@dataclass(frozen=True)
class MeetTask:
    """The sources of a mixture in its order, and the folder where their samples meet."""

    folder: str
    buckets: int
    sources: list[MeetSource]

    @property
    def work(self) -> str:
        """The folder of intermediate files."""
        return files.join(self.folder, "work")

    def save(self) -> str:
        """Writes the task and returns its path."""
        path = files.join(self.work, "task.json")
        files.write_json(path, asdict(self))
        return path


@functools.lru_cache(maxsize=8)
def load_meet_task(path: str) -> MeetTask:
    """The task at a path."""
    facts = files.read_json(path)
    return MeetTask(**{**facts, "sources": [MeetSource(**source) for source in facts["sources"]]})

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

    @property
    def nearness(self) -> tuple[float | None, int | None, float]:
        """What its card says of being near: copies in sources that say the same are as near to any other."""
        return self.near_text, self.radius, self.near_turns

    def threshold(self, other: MeetSource, kind: str) -> str | None:
        """The threshold for pairs of a kind with samples of another source: the stricter one; None for exact."""
        if kind == "near_text":
            return f"{max(self.near_text or 0, other.near_text or 0):g}"
        if kind == "near_picture":
            return str(min(self.radius or 0, other.radius or 0))
        return None


@dataclass(frozen=True)
class MeetTask:
    """The sources of a mixture in its order, the folder where their samples meet, and the keys of those not there."""

    folder: str
    buckets: int
    sources: list[MeetSource]
    late: list[str]

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

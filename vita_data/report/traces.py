"""Where the steps of a build left what the report looks at: folders, never rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from vita_data import files
from vita_data.verdicts.leaks import load_leaks_task


@dataclass(frozen=True)
class SourceTraces:
    """The folders of one source: its root, its catalog, its measures before and after curation, and what judged it.

    `signals` is None where the mixture is not curated, `leaks` where no benchmark was looked for.
    """

    root: str | None
    catalog: str = ""
    parts: list[int] = field(default_factory=list)
    measured: str = ""
    kept: str = ""
    signals: str | None = None
    leaks: str | None = None


@dataclass(frozen=True)
class Traces:
    """The folders of a build: `out` itself, its sources by name, and who left for whom (None: not curated)."""

    out: str
    sources: dict[str, SourceTraces]
    duplicates: str | None = None

    @property
    def roots(self) -> dict[str, str | None]:
        """Where each source lies."""
        return {name: source.root for name, source in self.sources.items()}

    def benchmarks(self) -> dict[str, Any] | None:
        """The benchmarks that were looked for, as {index, names}; None where that was not asked for."""
        folder = next((source.leaks for source in self.sources.values() if source.leaks is not None), None)
        if folder is None:
            return None
        index = load_leaks_task(files.join(folder, "task.json")).index.rpartition("/")[2]
        said = files.read_json(files.join(self.out, "benchmarks", "index", index, "benchmarks.json"))
        return {"index": index, "names": said["benchmarks"]}


def keyed(key: str) -> int:
    """The hash in which a key ends: samples with the smallest are a fair choice among any sources."""
    return int(key[-16:], 16)

"""Which runner a build uses: a plain value, so that naming one does not load Beam."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RunnerName = Literal["direct", "portable", "flink", "spark", "dataflow"]


@dataclass(frozen=True)
class RunnerChoice:
    """A runner by its name on the command line, how many local workers, and what else Beam is told."""

    name: RunnerName = "direct"
    workers: int = 1
    job_endpoint: str | None = None
    beam_options: tuple[str, ...] = ()

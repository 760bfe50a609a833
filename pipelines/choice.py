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


# About three seconds of one worker's time, which is what a local process costs to start: records for
# the steps that count records, else items.
WORTH_A_PROCESS = {
    "split": 16,
    "list": 8,
    "catalog": 1000,
    "measure": 20_000,
    "signals": 200,
    "readings": 10,
    "judge": 4,
    "meet": 20,
    "prints": 500,
    "leaks": 2,
    "keep": 32,
    "select": 32,
    "questions": 8,
    "speak": 50,
    "fit": 4,
    "voice": 8,
    "fill": 20_000,
    "pack": 64,
}


def workers_worth_it(graph: str, units: int, most: int) -> int:
    """How many local workers a step should have; what it writes does not depend on it."""
    return max(1, min(most, units // WORTH_A_PROCESS[graph]))

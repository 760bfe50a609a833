"""What a build is told, as one value that can be written down and read in another process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pipelines.choice import RunnerChoice


@dataclass(frozen=True)
class BuildSettings:
    """The arguments of `vita-data build`; paths may be URLs."""

    stage: str
    mixture: str
    out: str
    data_root: str | None = None
    against: str | None = None  # where the benchmarks lie
    seed: int = 0
    manifests: str | None = None
    pure_text: bool | None = None
    allow_short: bool = False
    options: tuple[str, ...] = ()
    licence: str | None = None
    verb: Literal["build", "decontaminate"] = "build"
    runner: RunnerChoice = field(default_factory=RunnerChoice)

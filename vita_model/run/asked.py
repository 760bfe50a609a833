"""What `vita-model run` is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Asked:
    """The command line: cards and data for the builds, model and steps for the trainings, and where all of it lies.

    `train` is passed to every `vita-model train` as it is; `processes` share each training. `limit` is how many samples
    of each source an evaluation asks.
    """

    mixture: str
    out: Path
    preset: str = "tiny"
    stages: str | None = None
    init: tuple[Path, ...] = ()
    max_steps: int | None = None
    processes: int = 1
    train: tuple[str, ...] = ()
    data_root: str | None = None
    against: str | None = None
    option: tuple[str, ...] = ()
    manifests: Path | None = None
    seed: int = 0
    allow_short: bool = False
    workers: int | None = None
    voice: str | None = None
    limit: int | None = None
    go_on: bool = False

    @property
    def data(self) -> Path:
        """The --out of the builds."""
        return self.out / "data"

    @property
    def states(self) -> Path:
        """Where each step leaves what it was made from."""
        return self.out / "run"

    def stage_folder(self, stage: str) -> Path:
        """Where a stage is built."""
        return self.data / "stages" / stage

    def run_of(self, name: str) -> Path:
        """Where a stage, or one half of it, is trained."""
        return self.out / "runs" / name

    def scores_of(self, name: str) -> Path:
        """Where the evaluation of a training lies."""
        return self.out / "eval" / name

"""What is asked of a training on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vita_model.config.lora import Lora


@dataclass(frozen=True)
class Options:
    """What the command line says; `init` names every run, checkpoint or released folder to start from."""

    stage: str
    data: str
    preset: str
    out: Path
    init: tuple[Path, ...] = ()
    resume: bool = False
    max_steps: int | None = None
    zero: int | None = None
    seed: int | None = None
    save_every: int = 500
    precision: str | None = None
    save_memory: bool = False
    states: int | None = None
    sample_timeout: float = 120.0
    skip_spikes: float | None = None
    spike_window: int = 128
    validate_every: int | None = None
    eval_samples: int = 200
    offload: str | None = None
    lora: Lora | None = None
    wandb: str | None = None
    peak: float | None = None

"""Runs that a training might have left, written without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vita_data import files
from vita_model.nets.vita import Vita
from vita_model.train.tensors import write

HEARING = ("speech_encoder", "ctc_head", "speech_adapter", "prompt_embeddings")


def save_run(run: Path, model: Vita, stage: str, trained: tuple[str, ...] = HEARING, **more: Any) -> Path:
    """A run whose only checkpoint is this model, at the end of a stage that trained these parts."""
    folder = run / "checkpoints" / "step-00000009"
    folder.mkdir(parents=True)
    write(folder, "model", iter(model.state_dict().items()), keep=True)
    said = {
        "stage": stage,
        "step": 9,
        "preset": "tiny",
        "seed": 0,
        "final": True,
        "precision": "fp32",
        "trained": dict.fromkeys(trained, stage),
        "model": model.config.to_json(),
        **more,
    }
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    files.write_json(str(folder / "complete.json"), {**said, "files": sizes})
    return run

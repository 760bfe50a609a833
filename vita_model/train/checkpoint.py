"""Checkpoints: whole models with their place in the data, complete or not there.

    RUN/checkpoints/step-00000050/    after 50 steps; step 50 is the next
        model-*.safetensors           every parameter and kept buffer, trained or not
        optimizer-*.safetensors       Adam's moments of the trained ones (and fp32 masters in bf16)
        complete.json                 step, stage, seed, digests, model config, file sizes; written last

A folder is written under a temporary name, synced and renamed: a run that was killed finds only whole ones.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from vita_data import files
from vita_data.errors import UsageError, VitaError
from vita_model.nets.vita import Vita
from vita_model.train import state
from vita_model.train.tensors import Tensors, write

KEEP = 2
COMPLETE = "complete.json"
FOLDER = "checkpoints"
MODEL, OPTIMIZER = "model", "optimizer"


def facts(checkpoint: Path) -> dict[str, Any]:
    """What a checkpoint says of itself; raises VitaError when a file of it is missing or cut."""
    said: dict[str, Any] = files.read_json(str(checkpoint / COMPLETE))
    for name, size in said["files"].items():
        path = checkpoint / name
        if not path.exists() or path.stat().st_size != size:
            raise VitaError(
                f"{path} is missing or not {size} bytes long; delete {checkpoint} and take the one before."
            )
    return said


def complete(run: Path) -> list[Path]:
    """The complete checkpoints of a run, oldest first; half-written ones are not among them."""
    found = (path.parent for path in (run / FOLDER).glob(f"step-*/{COMPLETE}"))
    return sorted(folder for folder in found if folder.name.removeprefix("step-").isdigit())


def last(run: Path) -> Path | None:
    """The last complete checkpoint of a run, if there is one."""
    found = complete(run)
    return found[-1] if found else None


def find(place: Path) -> Path:
    """The last complete checkpoint of a run, or `place` if it is one; UsageError when there is none."""
    if (place / COMPLETE).exists():
        return place
    found = last(place)
    if found is None:
        raise UsageError(
            f"{place} holds no complete checkpoint; name a run that has trained, or one of its checkpoints."
        )
    return found


def save(
    engine: Any, run: Path, step: int, said: dict[str, Any], exact: Mapping[str, torch.Tensor] | None = None
) -> Path:
    """Writes the checkpoint of an engine after `step` steps; all ranks call it.

    `exact` are weights as they came, of parts that are not trained: an engine in bf16 has them rounded.
    """
    kept = exact or {}
    weights = ((name, kept.get(name, weight)) for name, weight in state.weights(engine))
    return save_stems(run, step, said, {MODEL: weights, OPTIMIZER: state.moments(engine)})


def save_stems(
    run: Path, step: int, said: dict[str, Any], stems: Mapping[str, Iterable[tuple[str, torch.Tensor]]]
) -> Path:
    """Writes the checkpoint after `step` steps: tensors by the stem of their files; keeps the last two.

    All ranks call it and go through every tensor; rank 0 writes.
    """
    writes = distributed.get_rank() == 0
    target = run / FOLDER / f"step-{step:08d}"
    partial = target.with_name(f"{target.name}.partial")
    if writes:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
    for stem, tensors in stems.items():
        write(partial, stem, tensors, writes)
    if writes:
        sizes = {path.name: path.stat().st_size for path in sorted(partial.iterdir())}
        files.write_json(str(partial / COMPLETE), {**said, "step": step, "files": sizes})
        shutil.rmtree(target, ignore_errors=True)
        os.replace(partial, target)
        _sync(target.parent)
        _prune(run)
    distributed.barrier()
    return target


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _prune(run: Path) -> None:
    keep = set(complete(run)[-KEEP:])
    for folder in (run / FOLDER).glob("step-*"):
        if folder not in keep:
            shutil.rmtree(folder, ignore_errors=True)


def load_weights(model: Vita, checkpoint: Path, parts: Sequence[str] | None = None) -> None:
    """Copies the weights of these parts (None: all) from a checkpoint, to the bit.

    VitaError names one that is missing, extra or misshapen.
    """
    stored = Tensors(checkpoint, MODEL)
    chosen = model.parts if parts is None else parts
    wanted = {
        name: weight
        for name, weight in model.state_dict(keep_vars=True).items()
        if name.partition(".")[0] in chosen
    }
    there = {name for name in stored.names() if parts is None or name.partition(".")[0] in chosen}
    for name in sorted(there ^ set(wanted)):
        raise VitaError(
            f"{checkpoint} and the model differ at {name}; give the preset that the checkpoint was made with."
        )
    with torch.no_grad():
        for name, weight in wanted.items():
            value = stored.read(name)
            if value.shape != weight.shape:
                raise VitaError(
                    f"{checkpoint} holds {name} as {tuple(value.shape)}, the model as {tuple(weight.shape)}; "
                    "give the preset that the checkpoint was made with."
                )
            weight.copy_(value)


def load_optimizer(engine: Any, checkpoint: Path, step: int, stem: str = OPTIMIZER) -> None:
    """Puts the optimizer of an engine where it was after its `step` updates."""
    stored = Tensors(checkpoint, stem)
    state.restore(engine, stored.read, step)

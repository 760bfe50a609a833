"""Checkpoints: whole models with their place in the data, complete or not there.

    RUN/checkpoints/step-00000050/    after 50 steps; step 50 is the next
        model-*.safetensors           every parameter and kept buffer, trained or not; trained ones in fp32
        lora-*.safetensors            of a training with LoRA the factors, apart from the weights they are added to
        optimizer-*.safetensors       Adam's moments of the trained ones
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
from vita_data.errors import VitaError
from vita_model.nets.lora import is_factor
from vita_model.nets.vita import Vita
from vita_model.train import state
from vita_model.train.given import LORA, Weights
from vita_model.train.given import MODEL as MODEL
from vita_model.train.saved import COMPLETE, FOLDER, complete
from vita_model.train.saved import facts as facts
from vita_model.train.saved import find as find
from vita_model.train.saved import last as last
from vita_model.train.tensors import Tensors, write

KEEP = 2
OPTIMIZER = "optimizer"


def add_score(checkpoint: Path, stage: str, score: dict[str, Any]) -> None:
    """Lets a checkpoint say how its stage did, which every one that follows from it will carry along."""
    said = facts(checkpoint)
    scores = {**said.get("scores", {}), stage: score}
    files.write_json(str(checkpoint / COMPLETE), {**said, "scores": scores})


def save(
    engine: Any, run: Path, step: int, said: dict[str, Any], exact: Mapping[str, torch.Tensor] | None = None
) -> Path:
    """Writes the checkpoint of an engine after `step` steps; all ranks call it.

    `exact` are weights as they came, of parts that are not trained: an engine in bf16 has them rounded.
    """
    kept = exact or {}
    weights = state.weights(engine, lambda name: not is_factor(name))
    stems = {
        MODEL: ((name, kept.get(name, weight)) for name, weight in weights),
        LORA: state.weights(engine, is_factor),
        OPTIMIZER: state.moments(engine),
    }
    return save_stems(run, step, said, stems)


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


def load_weights(
    model: Vita, checkpoint: Path, parts: Sequence[str] | None = None, apart: bool = False
) -> None:
    """Copies the weights of these parts (None: all) from a checkpoint, to the bit.

    What LoRA has added to them goes along in them, unless it is to stay `apart`. VitaError names a weight that is
    missing, extra or misshapen.
    """
    stored = Weights(checkpoint, apart)
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


def load_factors(model: Vita, checkpoint: Path) -> None:
    """Copies the factors of a training with LoRA that goes on."""
    stored = Weights(checkpoint, apart=True)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if is_factor(name):
                weight.copy_(stored.read(name))


def load_optimizer(engine: Any, checkpoint: Path, step: int, stem: str = OPTIMIZER) -> None:
    """Puts the optimizer of an engine where it was after its `step` updates."""
    stored = Tensors(checkpoint, stem)
    state.restore(engine, stored.read, step)

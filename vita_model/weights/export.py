"""A model written in the layout and under the names of a released VITA-1.5 folder.

What no release holds, the heads of single stages and counters of training, is left out. Files are written under a
temporary name, which is changed last.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml

from vita_data.errors import UsageError
from vita_model.config import describe
from vita_model.config.model import ModelConfig
from vita_model.nets.cmvn import Moments
from vita_model.nets.vita import Vita
from vita_model.weights import keys
from vita_model.weights.names import entries
from vita_model.weights.release import CMVN, FINAL, SPEECH, audio_folder, released_parts, shapes_of
from vita_model.weights.stores import INDEX
from vita_model.weights.writing import Tensors, write_pickle, write_shards

SHARD_BYTES = 5 * 10**9
AUDIO_FOLDER = "audio-encoder"


def export_release(
    model: Vita,
    folder: Path,
    precision: torch.dtype | None = None,
    like: Path | None = None,
    shard_bytes: int = SHARD_BYTES,
    beside: Callable[[Path], None] = lambda folder: None,
) -> None:
    """Writes every part of the model that a release can hold, with the files that describe their shapes.

    The safetensors are in `precision`, or the model's own; final.pt files in fp32. `like` is a released folder whose
    other files (tokenizer, configs) and unused tensors go along; without one, configs are written from the model's
    and unused tensors are zero. `beside` writes what is to lie there too, last. Raises UsageError where `folder` is
    there already.
    """
    if folder.exists():
        raise UsageError(f"{folder} is there already; name a folder that is not.")
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    known = audio_folder(like) if like else None
    audio = known.name if known else AUDIO_FOLDER
    if like:
        _take_along(like, unfinished)
    else:
        _describe(model.config, unfinished, audio)
    _write(model, unfinished, audio, precision, like, shard_bytes)
    beside(unfinished)
    os.replace(unfinished, folder)


def _write(
    model: Vita, folder: Path, audio: str, precision: torch.dtype | None, like: Path | None, shard_bytes: int
) -> None:
    tensors, shapes, parts = model.state_dict(), shapes_of(model), released_parts(model)
    main = [part for part in parts if part in keys.PREFIXES]
    found = [entry for part in main for entry in entries(part, shapes, keys.PREFIXES[part])]
    write_shards(folder, found, tensors, precision, shard_bytes)
    heard = [part for part in main if keys.PREFIXES[part] == keys.AUDIO]
    files = {f"{audio}/{FINAL}": heard} | {f"{place}/{FINAL}": [part] for part, place in SPEECH.items()}
    for name, held in files.items():
        found = [entry for part in held for entry in entries(part, shapes)]
        unused = tuple(line for part in held for line in keys.UNUSED.get(part, ()))
        write_pickle(folder / name, found, tensors, unused, like / name if like else None, held == ["codec"])
    if not (folder / audio / CMVN).exists():
        _write_cmvn(folder / audio / CMVN, tensors)


def _take_along(like: Path, folder: Path) -> None:
    """Everything of a released folder but its tensors."""
    for path in sorted(like.rglob("*")):
        ours = path.suffix == ".safetensors" or path.name in (INDEX, FINAL)
        if path.is_file() and not ours:
            goal = folder / path.relative_to(like)
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, goal)


def _describe(config: ModelConfig, folder: Path, audio: str) -> None:
    said: dict[str, Any] = {
        "config.json": describe.main_json(config, audio),
        f"{SPEECH['speech_decoder']}/model.json": describe.decoder_json(config.decoder),
        f"{SPEECH['codec']}/model.json": describe.codec_json(config.codec),
    }
    heard = describe.train_yaml(config.encoder, config.adapter, config.language.hidden)
    texts = {name: json.dumps(value, indent=2) + "\n" for name, value in said.items()}
    for name, text in {**texts, f"{audio}/train.yaml": yaml.safe_dump(heard, sort_keys=False)}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def _write_cmvn(path: Path, tensors: Tensors) -> None:
    """The statistics of one frame with the model's mean and spread, in the JSON form."""
    mean, istd = (tensors[f"speech_encoder.cmvn.{name}"].double().cpu() for name in ("mean", "istd"))
    path.write_text(Moments(mean, istd.square().reciprocal() + mean.square(), 1).to_text() + "\n")

"""A trained codec by itself, out of a checkpoint or a released folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from vita_data import files
from vita_data.errors import UsageError
from vita_model.config.model import ModelConfig
from vita_model.config.released import codec_config
from vita_model.nets.codec.codec import Codec
from vita_model.train import checkpoint
from vita_model.train.tensors import Tensors
from vita_model.weights.release import SPEECH, load_codec

PREFIX = "codec."


def find_codec(place: Path) -> Path:
    """The last complete checkpoint of a run, `place` if it is one, or the released folder that it is."""
    return place if _is_release(place) else checkpoint.find(place)


def read_codec(place: Path) -> Codec:
    """The codec of what `find_codec` found, in fp32 on the CPU, in eval mode."""
    torch.manual_seed(0)
    if _is_release(place):
        said = place / SPEECH["codec"] / "model.json"
        codec = Codec(codec_config(files.read_json(str(said)), str(said)))
        load_codec(codec, place)
        return codec.eval()
    codec = Codec(ModelConfig.from_json(checkpoint.facts(place)["model"]).codec)
    stored = Tensors(place, "model")
    weights = {name: stored.read(PREFIX + name) for name in codec.state_dict()}
    _check(codec, weights, place)
    codec.load_state_dict(weights)
    return codec.eval()


def origin(place: Path) -> dict[str, Any]:
    """What is known of where a codec comes from: the stage, step, preset and seed of its checkpoint."""
    if _is_release(place):
        return {"released": True}
    said = checkpoint.facts(place)
    return {name: said[name] for name in ("stage", "step", "preset", "seed")}


def _is_release(place: Path) -> bool:
    return (place / SPEECH["codec"] / "model.json").exists()


def _check(codec: nn.Module, weights: dict[str, torch.Tensor], place: Path) -> None:
    for name, weight in codec.state_dict().items():
        if weight.shape != weights[name].shape:
            raise UsageError(
                f"{place} holds {PREFIX}{name} as {tuple(weights[name].shape)} and its config makes it "
                f"{tuple(weight.shape)}; take another checkpoint."
            )

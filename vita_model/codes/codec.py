"""A trained codec by itself, out of a checkpoint or a released folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from vita_data import files
from vita_model.config.model import ModelConfig
from vita_model.config.released import codec_config
from vita_model.nets.codec.codec import Codec
from vita_model.train import checkpoint
from vita_model.weights import keys
from vita_model.weights.load import Job, load
from vita_model.weights.names import entries
from vita_model.weights.release import FINAL, SPEECH, shapes_of
from vita_model.weights.stores import Pickled

PART = "codec"


class _Alone(nn.Module):
    """A model that is a codec and nothing else, for loaders that know tensors by their part."""

    def __init__(self, codec: Codec) -> None:
        super().__init__()
        self.codec = codec


def find_codec(place: Path) -> Path:
    """The last complete checkpoint of a run, `place` if it is one, or the released folder that it is."""
    return place if _released(place) else checkpoint.find(place)


def read_codec(place: Path) -> Codec:
    """The codec of what `find_codec` found, on the CPU and in eval mode."""
    with torch.random.fork_rng():
        if not _released(place):
            codec = Codec(ModelConfig.from_json(checkpoint.facts(place)["model"]).codec)
            checkpoint.load_weights(_Alone(codec), place, (PART,))  # type: ignore[arg-type]
            return codec.eval()
        said = str(_home(place) / "model.json")
        codec = Codec(codec_config(files.read_json(said), said))
    alone = _Alone(codec)
    unused = tuple(name for name, _ in keys.UNUSED[PART])
    load(alone, [Job(Pickled(_home(place) / FINAL), tuple(entries(PART, shapes_of(alone))), unused)])
    return codec.eval()


def origin(place: Path) -> dict[str, Any]:
    """Where a codec comes from: stage, step, preset and seed of its checkpoint, None of what a release leaves out."""
    said = {} if _released(place) else checkpoint.facts(place)
    return {name: said.get(name) for name in ("stage", "step", "preset", "seed")}


def _home(place: Path) -> Path:
    return place / SPEECH[PART]


def _released(place: Path) -> bool:
    return (_home(place) / "model.json").exists()

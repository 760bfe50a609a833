"""A trained model out of a run, a checkpoint, or an exported or released folder, ready to be asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from vita_data import files
from vita_data.errors import UsageError
from vita_data.prompt.characters import Characters
from vita_data.shards.seal import CHARACTERS
from vita_model.config.model import ModelConfig
from vita_model.config.presets import preset
from vita_model.nets.vita import Vita, build
from vita_model.train import checkpoint, starts
from vita_model.weights.release import load_release
from vita_model.weights.shape import release_config

HEARS = "2.1"  # the stage that brings the characters


@dataclass(frozen=True)
class Opened:
    """A model in eval mode, where it was found, and what its checkpoint says of itself: nothing where there is none."""

    model: Vita
    place: Path
    said: dict[str, Any]

    @property
    def trained(self) -> frozenset[str]:
        """The parts that were trained; of a release those that it holds, which are no heads of single stages."""
        if self.said:
            return frozenset(self.said["trained"])
        return frozenset(self.model.parts) - {"ctc_head", "state_head"}

    @property
    def name(self) -> str:
        """Where it was found, in words."""
        return str(self.place)


def open_model(place: Path, preset_name: str | None = None) -> Opened:
    """The model at a place, on a GPU in its own precision where there is one, else in fp32.

    A folder of weights needs a preset where it is not of the paper's tiles. UsageError for a folder that holds no
    whole model.
    """
    start = starts.find(place)
    if start.said is not None:
        config = ModelConfig.from_json(start.said["model"])
        model = build(config, 0)
        checkpoint.load_weights(model, start.place)
        half = start.said["precision"] == "bf16"
    else:
        model, half = _released(place, preset_name), True
    if torch.cuda.is_available():
        model = model.to("cuda", torch.bfloat16 if half else torch.float32)
    return Opened(model.eval(), start.place, start.said or {})


def _released(place: Path, preset_name: str | None) -> Vita:
    if starts.part_in(place) is not None:
        raise UsageError(f"{place} holds one part and no model; give a run, a checkpoint or a whole release.")
    if preset_name is None:
        config = release_config(place)
    else:
        wanted = preset(preset_name)
        config = release_config(place, wanted.vision, wanted.geometry)
        config = replace(config, language=replace(config.language, positions=wanted.language.positions))
    model = build(config, 0)
    load_release(model, place)
    return model


def characters_of(opened: Opened, data: str | None = None) -> Characters:
    """The characters that the model's head writes: those of its checkpoint, else of the build that it learned from.

    UsageError where neither has them.
    """
    kept = opened.said.get("characters")
    if kept:
        return Characters(tuple(kept))
    place = files.join(data or opened.said.get("data", ""), "stages", HEARS, CHARACTERS)
    if files.exists(place):
        found = Characters.read(place)
        if len(found) == opened.model.config.characters:
            return found
    raise UsageError(
        f"{opened.place} does not say which characters its speech encoder writes, and neither does {place}; "
        "name the build that stage 2.1 was trained from with --data."
    )

"""What a model is asked without: silence for every sound, or black for every picture, so that a table can show
what it does not need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import torch

from vita_model.batch.encode import Encoded

Without = Literal["sound", "sight"]
SENSES: tuple[Without, ...] = ("sound", "sight")


def deprived(encoded: Encoded, without: Without | None) -> Encoded:
    """A sample with its lengths and places as they are, and nothing to be heard or seen in them."""
    if without == "sound":
        return replace(encoded, sounds=silent(encoded.sounds, without))
    return replace(encoded, tiles=torch.zeros_like(encoded.tiles)) if without == "sight" else encoded


def silent(sounds: Sequence[torch.Tensor], without: Without | None) -> list[torch.Tensor]:
    """Sounds of the same lengths, silent where they are to be done without."""
    return [torch.zeros_like(sound) for sound in sounds] if without == "sound" else list(sounds)

"""The samples of a pack as one sequence."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import torch

from vita_model.batch.encode import IGNORED, Encoded
from vita_model.nets.batch import Batch


def collate(samples: Sequence[Encoded], states: bool = False) -> Batch:
    """Joins encoded samples: positions restart, and no sample's first token is a target of the one before.

    With `states` the batch carries what the state head learns.
    """
    lengths = [len(sample.ids) for sample in samples]
    bounds = list(accumulate(lengths, initial=0))
    labels = torch.tensor([label for sample in samples for label in [*sample.labels[1:], IGNORED]])
    learned = (labels != IGNORED).nonzero().flatten()
    sounds = [sound for sample in samples for sound in sample.sounds]
    said = [
        (first + place, state)
        for first, sample in zip(bounds, samples, strict=False)
        for place, state in sample.states
        if states
    ]
    return Batch(
        ids=torch.tensor([token for sample in samples for token in sample.ids]),
        positions=torch.cat([torch.arange(length) for length in lengths]),
        segments=tuple(bounds),
        tiles=torch.cat([sample.tiles for sample in samples]),
        tile_places=_moved(bounds, [sample.tile_places for sample in samples]),
        loss_places=learned,
        targets=labels[learned],
        sounds=torch.cat(sounds) if sounds else torch.zeros(0),
        sound_lengths=tuple(map(len, sounds)),
        sound_places=_moved(bounds, [sample.sound_places for sample in samples]),
        prompt_places=_moved(bounds, [sample.prompt_places for sample in samples]),
        state_places=torch.tensor([place for place, _ in said], dtype=torch.int64),
        state_targets=torch.tensor([state for _, state in said], dtype=torch.int64),
        keys=tuple(sample.key for sample in samples),
        holds=tuple(sample.holds for sample in samples),
    )


def _moved(bounds: list[int], places: list[list[int]]) -> torch.Tensor:
    """Places of samples as places of the pack."""
    return torch.tensor(
        [first + place for first, some in zip(bounds, places, strict=False) for place in some],
        dtype=torch.int64,
    )


def empty(pixels: int) -> Batch:
    """A pack of one token without a label: what fills a global batch up, of zero loss."""
    return Batch(
        ids=torch.zeros(1, dtype=torch.int64),
        positions=torch.zeros(1, dtype=torch.int64),
        segments=(0, 1),
        tiles=torch.zeros(0, 3, pixels, pixels, dtype=torch.uint8),
    )

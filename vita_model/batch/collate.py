"""The samples of a pack as one sequence."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import torch

from vita_model.batch.encode import IGNORED, Encoded
from vita_model.nets.batch import Batch


def collate(samples: Sequence[Encoded]) -> Batch:
    """Joins encoded samples: positions restart, and no sample's first token is a target of the one before."""
    lengths = [len(sample.ids) for sample in samples]
    bounds = list(accumulate(lengths, initial=0))
    labels = torch.tensor([label for sample in samples for label in [*sample.labels[1:], IGNORED]])
    places = [
        first + place for first, sample in zip(bounds, samples, strict=False) for place in sample.tile_places
    ]
    learned = (labels != IGNORED).nonzero().flatten()
    return Batch(
        ids=torch.tensor([token for sample in samples for token in sample.ids]),
        positions=torch.cat([torch.arange(length) for length in lengths]),
        segments=tuple(bounds),
        tiles=torch.cat([sample.tiles for sample in samples]),
        tile_places=torch.tensor(places, dtype=torch.int64),
        loss_places=learned,
        targets=labels[learned],
        keys=tuple(sample.key for sample in samples),
    )


def empty(pixels: int) -> Batch:
    """A pack of one token without a label: what fills a global batch up, of zero loss."""
    nothing = torch.zeros(0, dtype=torch.int64)
    return Batch(
        ids=torch.zeros(1, dtype=torch.int64),
        positions=torch.zeros(1, dtype=torch.int64),
        segments=(0, 1),
        tiles=torch.zeros(0, 3, pixels, pixels, dtype=torch.uint8),
        tile_places=nothing,
        loss_places=nothing,
        targets=nothing,
    )

"""The order in which packs are seen: a function of seed, epoch and global step, and of nothing else.

Windows of neighbouring shards are shuffled, and the packs inside each, so that a stream reads a shard once. A
global batch is a fixed number of slots; slot i of a step goes to rank i mod world size. So the world size and
the number of loader workers decide who reads a pack, never when, and a place in the training is one integer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from vita_data.errors import ShardError
from vita_data.records.key import keyed_hash
from vita_data.shards.read import Pack

Slots = tuple[Pack | None, ...]


def epoch_order(packs: Sequence[Pack], seed: int, epoch: int) -> list[Pack]:
    """Every pack once, windows shuffled and packs shuffled inside their window, anew in each epoch."""
    scope = str(epoch)
    window_rank = {
        window: (keyed_hash(seed, "window-order", scope, str(window)), window)
        for window in {pack.window for pack in packs}
    }

    def place(pack: Pack) -> tuple[tuple[int, int], int, int]:
        return window_rank[pack.window], keyed_hash(seed, "pack-order", scope, str(pack.number)), pack.number

    return sorted(packs, key=place)


class Order:
    """The global batches of a whole training, by step; step 0 is the first."""

    def __init__(self, packs: Sequence[Pack], seed: int, global_batch: int, epochs: float = 1) -> None:
        if not packs:
            raise ShardError("the stage has no packs to train on; build it again with more samples.")
        self._packs = packs
        self._seed = seed
        self._batch = global_batch
        self._epoch: tuple[int, list[Pack]] | None = None
        self.steps_per_epoch = math.ceil(len(packs) / global_batch)
        self.steps = math.ceil(epochs * self.steps_per_epoch)

    def step(self, number: int) -> Slots:
        """The slots of a global step; the last batch of an epoch is filled with None."""
        epoch, within = divmod(number, self.steps_per_epoch)
        if self._epoch is None or self._epoch[0] != epoch:
            self._epoch = epoch, epoch_order(self._packs, self._seed, epoch)
        packs = self._epoch[1][within * self._batch : (within + 1) * self._batch]
        return tuple(packs) + (None,) * (self._batch - len(packs))


class SampleOrder(Order):
    """Global batches of samples instead of packs, each a pack of its own; every one is full.

    Where an epoch ends within a batch, the next one begins in it: a norm over the batch needs its rows.
    """

    def __init__(self, packs: Sequence[Pack], seed: int, global_batch: int, epochs: float = 1) -> None:
        places = [(pack.window, place) for pack in packs for place in pack.samples]
        singles = [Pack(number, window, 0, (place,)) for number, (window, place) in enumerate(places)]
        super().__init__(singles, seed, global_batch, epochs)
        self.steps = math.ceil(epochs * len(singles) / global_batch)

    def step(self, number: int) -> Slots:
        """The samples of a global step."""
        first = number * self._batch
        return tuple(self._at(place) for place in range(first, first + self._batch))

    def _at(self, place: int) -> Pack:
        epoch, within = divmod(place, len(self._packs))
        if self._epoch is None or self._epoch[0] != epoch:
            self._epoch = epoch, epoch_order(self._packs, self._seed, epoch)
        return self._epoch[1][within]


def ranks(slots: Slots, world_size: int) -> list[Slots]:
    """The slots of each rank, equally many: where the ranks do not divide the batch, None fills up."""
    rounds = math.ceil(len(slots) / world_size)
    filled = slots + (None,) * (rounds * world_size - len(slots))
    return [filled[rank::world_size] for rank in range(world_size)]


def keys(slots: Slots) -> list[str]:
    """The sample keys of some slots in order."""
    return [place.key for pack in slots if pack is not None for place in pack.samples]

"""The order in which packs are seen: a function of seed, epoch and global step, and of nothing else.

Windows of neighbouring shards are shuffled, and the packs inside each, so that a stream reads a shard once. A
global batch is a fixed number of slots, which are shared out so that every rank has as much to do. So the world
size decides who reads a pack, never in which step, and a place in the training is one integer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from vita_data.errors import ShardError
from vita_data.records.key import keyed_hash
from vita_data.shards.read import Pack, Stage
from vita_model.batch.balance import deal
from vita_model.batch.work import Work

Slots = tuple[Pack | None, ...]


class Slot(NamedTuple):
    """A place of a global batch, whoever has it: its number, by which random choices are made, and its pack."""

    number: int
    pack: Pack | None


Share = tuple[Slot, ...]


def order_of(stage: Stage, run: dict[str, Any], seed: int) -> Order:
    """The order of a stage's training, or of one half's; `run` is what the plan says of it."""
    packs, schedule = stage.packs(), run["schedule"]
    if run["loss"] == "codec":
        return SampleOrder(packs, seed, schedule["global_batch"], schedule["epochs"])
    return Order(packs, seed, schedule["global_batch"], schedule["epochs"], Work(stage))


def tokens(pack: Pack) -> int:
    """What a pack costs where nothing but its length is known."""
    return pack.tokens


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

    def __init__(
        self,
        packs: Sequence[Pack],
        seed: int,
        global_batch: int,
        epochs: float = 1,
        cost: Callable[[Pack], int] = tokens,
    ) -> None:
        if not packs:
            raise ShardError("the stage has no packs to train on; build it again with more samples.")
        self._packs = packs
        self._seed = seed
        self._batch = global_batch
        self._cost = cost
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

    def rounds(self, world_size: int) -> int:
        """How many slots each rank has in a step."""
        return math.ceil(self._batch / world_size)

    def shares(self, number: int, world_size: int) -> list[Share]:
        """The slots of each rank in a global step, equally many, with packs that cost about as much."""
        packs = [pack for pack in self.step(number) if pack is not None]
        costs = [self._cost(pack) for pack in packs] if world_size > 1 else [0] * len(packs)
        rounds = self.rounds(world_size)
        empty = iter(range(len(packs), world_size * rounds))
        shares = []
        for hand in deal(costs, world_size, rounds):
            slots = [Slot(place, packs[place]) for place in hand]
            slots += [Slot(next(empty), None) for _ in range(rounds - len(hand))]
            shares.append(tuple(slots))
        return shares


class SampleOrder(Order):
    """Global batches of samples instead of packs, each a pack of its own; every one is full.

    Where an epoch ends within a batch, the next one begins in it: a norm over the batch needs its rows. Segments
    of samples cost the same, and slot i goes to rank i mod world size: codebooks count on it to find a slot's rows.
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

    def shares(self, number: int, world_size: int) -> list[Share]:
        """The slots of each rank in a global step; the first ranks have one more where they do not divide it."""
        slots = [Slot(place, pack) for place, pack in enumerate(self.step(number))]
        return [tuple(slots[rank::world_size]) for rank in range(world_size)]

    def _at(self, place: int) -> Pack:
        epoch, within = divmod(place, len(self._packs))
        if self._epoch is None or self._epoch[0] != epoch:
            self._epoch = epoch, epoch_order(self._packs, self._seed, epoch)
        return self._epoch[1][within]


def keys(slots: Iterable[Pack | None]) -> list[str]:
    """The sample keys of some slots in order."""
    return [place.key for pack in slots if pack is not None for place in pack.samples]

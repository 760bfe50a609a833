"""Padding and waiting over 8 virtual ranks: our pack plan beside length grouping, next-fit and packing buffers.

    python benchmarks/packing.py --stage BUILD/stages/1.3 [--ranks 8] [--rounds 4] [--epochs 5] [--seeds 5]

Reads the index of a built stage and no media; the contestants are in packing_schedulers.py. A slot of padding costs a
token of text, a token of a picture also its share of the vision tower (`vita_model.batch.work`). A step is over when
its slowest rank is, and under ZeRO 3 a round is; what the others could have done meanwhile, and padding, is lost.
Only whole steps count. Medians over seeds, with the smallest and largest.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from packing_schedulers import (
    Forward,
    Item,
    Setting,
    Step,
    buffers,
    by_length,
    by_modality,
    next_fit,
    shuffled,
)

from vita_data.shards.read import Pack, Stage
from vita_model.batch.order import Order
from vita_model.batch.work import TEXT, Work


class Found(NamedTuple):
    """Shares: slots that are padding, sequences left empty, time that ranks wait, all that is lost."""

    padding: float
    room: float | None
    waiting: float
    waiting_rounds: float
    lost: float


@dataclass(frozen=True)
class Data:
    """A stage as its index has it."""

    stage: Stage
    items: dict[str, Item]
    packs: list[Pack]


def read(folder: str) -> Data:
    """The samples and packs of a stage folder."""
    stage = Stage(folder)
    work, packs = Work(stage), stage.packs()
    tile = stage.plan["geometry"]["tile_tokens"]
    items = {}
    for pack in packs:
        for place in pack.samples:
            table = stage.shard(place.shard).table
            length, seen = (table.column(name)[place.row].as_py() for name in ("length", "visual_tokens"))
            alone = Pack(0, 0, length, (place,))
            items[place.key] = Item(length, work(alone), seen // tile, bool(seen))
    return Data(stage, items, packs)


def ours(data: Data, setting: Setting, seed: int) -> Iterator[Step]:
    """The steps of the trainer's own order, one pack a round."""
    order = Order(data.packs, seed, setting.ranks * setting.rounds, setting.epochs, Work(data.stage))
    for number in range(order.steps):
        shares = order.shares(number, setting.ranks)
        if any(slot.pack is None for share in shares for slot in share):
            continue
        yield [
            [
                Forward((tuple(data.items[place.key] for place in slot.pack.samples),))
                for slot in share
                if slot.pack
            ]
            for share in shares
        ]


def measured(steps: Iterator[Step], capacity: int | None) -> Found:
    """What the steps lose; `capacity` is that of a sequence, where there is one. ValueError where there is no step."""
    slots = tokens = sequences = 0
    work = 0.0
    took = waited = waited_rounds = 0.0  # the slowest rank's cost, and what all ranks wait
    for step in steps:
        costs = [[forward.cost(TEXT) for forward in rank] for rank in step]
        sums = [sum(rank) for rank in costs]
        took += max(sums) * len(sums)
        waited += max(sums) * len(sums) - sum(sums)
        waited_rounds += sum(max(each) * len(each) - sum(each) for each in zip(*costs, strict=True))
        for forward in (forward for rank in step for forward in rank):
            slots += forward.slots
            sequences += len(forward.rows)
            tokens += sum(item.length for row in forward.rows for item in row)
            work += sum(item.cost for row in forward.rows for item in row)
    if not slots:
        raise ValueError("too few samples for one whole step")
    busy = took - waited
    return Found(
        padding=1 - tokens / slots,
        room=1 - tokens / (capacity * sequences) if capacity else None,
        waiting=waited / took,
        waiting_rounds=waited_rounds / (busy + waited_rounds),
        lost=1 - work / took,
    )


def row(name: str, found: list[Found]) -> str:
    """A contestant's line of the table, over the seeds."""
    cells = []
    for values in zip(*found, strict=True):
        known = [value for value in values if value is not None]
        told = (
            [f"{100 * value:.1f}" for value in (statistics.median(known), min(known), max(known))]
            if known
            else []
        )
        cells.append("{} ({} to {})".format(*told) if told else "")
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Measures every contestant on one stage and prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stage", required=True)
    parser.add_argument("--ranks", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--buffers", type=int, default=20)
    args = parser.parse_args()
    data = read(args.stage)
    items = list(data.items.values())
    geometry = data.stage.plan["geometry"]
    capacity = geometry["max_length"]
    mean = statistics.mean(item.length for item in items)
    setting = Setting(
        ranks=args.ranks,
        rounds=args.rounds,
        epochs=args.epochs,
        capacity=capacity,
        batch=max(1, round(capacity / mean)),
        buffers=args.buffers,
        tiles=max(3 * capacity // (4 * geometry["tile_tokens"]), *(item.tiles for item in items)),
    )
    contestants: dict[str, tuple[Callable[[int], Iterator[Step]], int | None]] = {
        "ours": (lambda seed: ours(data, setting, seed), capacity),
        "shuffled batches": (lambda seed: shuffled(items, setting, seed), None),
        "length grouping": (lambda seed: by_length(items, setting, seed), None),
        "length grouping by modality": (lambda seed: by_modality(items, setting, seed), None),
        "next-fit, sequences padded to the longest": (lambda seed: next_fit(items, setting, seed), capacity),
        "buffers of each rank": (lambda seed: buffers(items, setting, seed), capacity),
    }
    lengths = sorted(item.length for item in items)
    print(
        f"{len(items):,} samples of {lengths[0]} to {lengths[-1]} tokens (mean {mean:.0f}), sequences of {capacity:,}; "
        f"{setting.ranks} ranks, {setting.rounds} rounds a step, {setting.epochs} epochs, {args.seeds} seeds; batches "
        f"of {setting.batch}, {setting.buffers} buffers of at most {setting.tiles} tiles\n"
    )
    print("| | padding, % | left empty, % | waiting, % | waiting in each round, % | lost in all, % |")
    print("|---|---|---|---|---|---|")
    for name, (steps, size) in contestants.items():
        try:
            said = row(name, [measured(steps(seed), size) for seed in range(1, args.seeds + 1)])
        except ValueError as error:
            said = f"| {name} | {error}; take fewer --ranks or --rounds, or more --epochs | | | | |"
        print(said, flush=True)


if __name__ == "__main__":
    main()

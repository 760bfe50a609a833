"""Loading a shuffled stage, and going on in the middle of an epoch: ours beside four loaders for training.

    python benchmarks/loader.py --data BUILD [--stage 1.3] [--preset tiny] [--copies 3] [--repeats 5]

Peers: webdataset, Megatron-Energon, litdata, mosaicml-streaming, each with the samples in its own format, written
outside the clock from the same bytes, and shuffled as it likes best. What is measured, by the wall:

- raw: samples a second from the second batch to the end of an epoch, media as bytes and the record parsed. The peers
  have no worker process, which is quickest for them here; ours has its thread.
- decoded: the same with token ids and tiles as tensors, a batch joined into one sequence, by our functions in all
  contestants. The peers have one worker process, forked; ours has its thread, and the process that decodes for it.
- first batch: from making the loader to its first decoded batch, at the beginning and going on after some of an
  epoch: ours from a step, webdataset by skipping, the others by the state that they saved there. Energon's workers
  keep a state with every batch, so that nothing is replayed, where its default is one a minute. What is imported, and
  the tokenizer, is there before. Last is whether the batch was the one that the unbroken epoch had there.

Ours has batches of packs, the peers of as many samples as a pack has on average: packing of theirs is not measured,
nor are remote storage, many ranks, and seeing to damage: the record's digest is checked by ours alone. A small stage
is repeated, every copy with keys of its own. Every measurement is in a process of its own, the contestants in turn
within every repeat; medians, and the ratio within each repeat.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import multiprocessing
import os
import pickle
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from loader_contestants import CONTESTANTS, Delivered, Setting, repeated

OURS = "ours"
RAW, DECODED = "raw", "decoded"


class Epoch(NamedTuple):
    """What an epoch gave: samples, their bytes or tokens and tiles, and samples a second after the first batch."""

    samples: int
    size: int
    rate: float


class Stop(NamedTuple):
    """Where an epoch was stopped: the contestant's own place, pickled, and the keys of the batch that came next."""

    place: bytes
    following: list[str]


@dataclass
class Found:
    """Rates and seconds by measurement and contestant, and whether it went on with the very next batch."""

    values: dict[str, dict[str, list[float]]]
    exact: dict[tuple[str, str], bool]

    def add(self, words: str, name: str, value: float) -> None:
        """One more value."""
        self.values.setdefault(words, {}).setdefault(name, []).append(value)


def forks() -> None:
    """Workers are forked, as is usual: what is spawned would spawn its workers, and they import everything again."""
    multiprocessing.set_start_method("fork", force=True)


def alone(work: Callable[..., Any], *given: Any) -> Any:
    """What a function returns in a process of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=forks) as pool:
        return pool.submit(work, *given).result()


def write(name: str, setting: Setting) -> None:
    """Writes a contestant's files; what it says of that goes to stderr."""
    with contextlib.redirect_stdout(sys.stderr):
        CONTESTANTS[name](setting).write()


def through(name: str, setting: Setting) -> Epoch:
    """Goes through an epoch."""
    batches = CONTESTANTS[name](setting).open(None)
    first = next(batches)
    begun, timed = time.perf_counter(), 0
    samples, size = len(first["keys"]), size_of(first)
    for batch in batches:
        timed += len(batch["keys"])
        size += size_of(batch)
    return Epoch(samples + timed, size, timed / (time.perf_counter() - begun))


def size_of(batch: Delivered) -> int:
    """Bytes of what is raw, tokens and tiles of what is decoded."""
    content = batch["content"]
    if isinstance(content, list):
        return sum(len(medium) for sample in content for medium in sample.media)
    return len(content.ids) + len(content.tiles)


def stopped(name: str, setting: Setting, done: int) -> Stop:
    """Goes through some batches of an epoch."""
    contestant = CONTESTANTS[name](setting)
    batches = contestant.open(None)
    for _ in range(done):
        next(batches)
    place = pickle.dumps(contestant.place(done))
    return Stop(place, next(batches)["keys"])


def first_batch(name: str, setting: Setting, place: bytes) -> tuple[float, list[str]]:
    """Seconds until the first batch of a loader that goes on from a place, and its keys."""
    contestant, there = CONTESTANTS[name](setting), pickle.loads(place)
    begun = time.perf_counter()
    batch = next(contestant.open(there))
    return time.perf_counter() - begun, batch["keys"]


def stops(name: str, setting: Setting, at: list[float], batches: int, rounds: int) -> dict[float, Stop]:
    """Where a contestant is to go on; a step of ours is `rounds` batches, so that all stop after whole steps."""
    return {
        share: alone(stopped, name, setting, int(share * batches) // rounds * rounds) if share else BEGINNING
        for share in at
    }


BEGINNING = Stop(pickle.dumps(None), [])


def race(args: argparse.Namespace, raw: Setting, decoded: Setting, shape: tuple[int, int, int]) -> Found:
    """All measurements of all contestants, in turn; exits where they did not deliver the same."""
    samples, batches, rounds = shape
    found = Found({}, {})
    places = {}
    for name in args.contestants:
        if name != OURS:
            alone(write, name, raw)
        places[name] = stops(name, decoded, args.at, batches, rounds)
    for repeat in range(args.repeats):
        turn = sorted(args.contestants, reverse=bool(repeat % 2))
        for words, setting in {RAW: raw, DECODED: decoded}.items():
            epochs = {name: alone(through, name, setting) for name in turn}
            for name in args.contestants:
                found.add(words, name, epochs[name].rate)
            if {(one.samples, one.size) for one in epochs.values()} != {(samples, epochs[turn[0]].size)}:
                sys.exit(f"the contestants have not delivered the same {samples} samples: {epochs}")
        for share in args.at:
            words = f"first batch at {share:.0%}"
            for name in turn:
                place, following = places[name][share]
                seconds, keys = alone(first_batch, name, decoded, place)
                found.add(words, name, seconds)
                if share:
                    found.exact[words, name] = keys == following
    return found


def middle(values: list[float], digits: int) -> str:
    """Median (smallest to largest)."""
    found = (statistics.median(values), min(values), max(values))
    return "{} ({} to {})".format(*(f"{value:,.{digits}f}" for value in found))


def lines(found: Found) -> Iterator[str]:
    """The Markdown table."""
    yield "| | samples a second | seconds | ours / theirs | goes on with the very next batch |"
    yield "|---|---|---|---|---|"
    for words, contestants in found.values.items():
        mine = contestants[OURS]
        for name, values in sorted(contestants.items(), key=lambda item: item[0] != OURS):
            ratios = middle([ours / theirs for ours, theirs in zip(mine, values, strict=True)], 2)
            rate, seconds = (middle(values, 0), "") if words in (RAW, DECODED) else ("", middle(values, 3))
            exact = {True: "yes", False: "no", None: ""}[found.exact.get((words, name))]
            yield f"| {words}, {name} | {rate} | {seconds} | {'' if name == OURS else ratios} | {exact} |"


def prepared(args: argparse.Namespace, home: Path) -> tuple[Setting, tuple[int, int, int]]:
    """Writes the repeated stage: the setting with the batch that follows from it; samples, batches, packs of a step."""
    from vita_data.shards.read import Stage
    from vita_model.train.task import stage_folder

    folder = home / OURS
    repeated(Stage(stage_folder(args.data, args.stage)), folder, args.copies)
    stage = Stage(str(folder))
    samples = sum(shard["samples"] for shard in stage.facts["shards"])
    batch = max(1, round(samples / stage.facts["packs"]["count"]))
    shape = samples, samples // batch, stage.plan["schedule"]["global_batch"]
    return Setting(home, args.preset, batch, 0, False), shape


def main() -> None:
    """Writes the samples for all, runs the race and prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True)
    parser.add_argument("--stage", default="1.3")
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--copies", type=int, default=3, help="how often every sample of the stage is there")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--at", type=float, nargs="+", default=[0, 0.5, 0.95], help="parts of an epoch to go on after"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes of the peers where they decode")
    peers = [name for name in CONTESTANTS if name != OURS]
    parser.add_argument("--peers", nargs="+", choices=peers, default=peers)
    args = parser.parse_args()
    args.contestants = [OURS, *args.peers]
    with tempfile.TemporaryDirectory() as home:
        raw, shape = prepared(args, Path(home))
        packages = ["torch", "pyarrow", "pillow", *(CONTESTANTS[name].package for name in args.contestants)]
        versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
        print(
            f"Stage {args.stage}, {args.copies} times over: {shape[0]:,} samples, batches of {raw.batch} beside packs, "
            f"{args.repeats} repeats; {versions}, Python {platform.python_version()}; "
            f"load {os.getloadavg()[0]:.1f} at the start\n"
        )
        found = race(args, raw, replace(raw, decoded=True, workers=args.workers), shape)
        print(*lines(found), sep="\n")
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()

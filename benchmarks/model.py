"""The model's time: beside the same shapes by hand, beside the machine's matrix product, and to the first sound.

    python benchmarks/model.py [--presets tiny small] [--repeats 5] [--threads 1]

Three tables. One: a pass forward and backward of one sample, of text alone and of text with a picture, beside
`model_by_hand.py`, which is InternVL's tower, a projector and Qwen2 of transformers with the same weights; the two
losses must agree. Stochastic depth is off, which theirs has not. Two: each part alone, its operations over its time, as
a share of what a product of 2,048 x 2,048 matrices reaches in the same run. Three: from a clause to the first
samples of its sound, by what is waited for. CPU-seconds (user and system) of this process but for the third table;
contestants in turn within every repeat, the order turned from repeat to repeat; medians, and the ratio within each
repeat.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from model_by_hand import ByHand

from vita_model.config.model import ModelConfig
from vita_model.config.presets import preset
from vita_model.cost.flops import Shape, flops, pieces
from vita_model.nets.batch import LM, Batch
from vita_model.nets.speak import FIRST
from vita_model.nets.vita import Vita, build

SEEING = ("vision_tower", "projector", "language_model")
LEARNING = ("vision_tower", "projector", "speech_encoder", "speech_adapter", "language_model")
SIDE = 2048
# Tokens of text and tiles that a preset gets through in seconds.
SIZES = {"tiny": (256, 4), "small": (128, 1)}
HEARD = 4.0  # seconds of sound
NAMES = {torch.float32: "fp32", torch.bfloat16: "bf16"}


def spent(work: Callable[[], Any]) -> float:
    """CPU-seconds of a call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def middle(values: list[float], digits: int = 2) -> str:
    """Median (smallest to largest)."""
    found = (statistics.median(values), min(values), max(values))
    return "{} ({} to {})".format(*(f"{value:.{digits}f}" for value in found))


def matrix_rate(kind: torch.dtype) -> float:
    """Operations a CPU-second of a matrix product, the median of five."""
    left, right = (torch.randn(SIDE, SIDE).to(kind) for _ in range(2))
    torch.mm(left, right)
    return 2 * SIDE**3 / statistics.median(spent(lambda: torch.mm(left, right)) for _ in range(5))


def sample(config: ModelConfig, text: int, tiles: int, learning: int) -> tuple[Batch, torch.Tensor]:
    """One sample whose tiles come first and whose last tokens of text are learned, and its labels for theirs."""
    draw = torch.Generator().manual_seed(1)
    seen = tiles * config.vision.tokens_per_tile
    length = seen + text
    side = config.vision.tile_pixels
    ids = torch.randint(1, 8000, (length,), generator=draw)
    learned = torch.arange(length - learning, length)
    labels = torch.full((length,), -100)
    labels[learned] = ids[learned]
    batch = Batch(
        ids=ids,
        positions=torch.arange(length),
        segments=(0, length),
        tiles=torch.randint(0, 256, (tiles, 3, side, side), dtype=torch.uint8, generator=draw),
        tile_places=torch.arange(seen),
        loss_places=learned - 1,
        targets=ids[learned],
    )
    return batch, labels


def beside(model: Vita, batch: Batch, labels: torch.Tensor, repeats: int) -> tuple[list[float], list[float]]:
    """CPU-seconds of our passes and of theirs, the first of each left out."""
    theirs = ByHand(model).train()
    model.train()

    def ours_pass() -> float:
        loss = model(batch)[LM].mean()
        loss.backward()
        return float(loss.detach())

    def their_pass() -> float:
        loss = theirs(batch.ids, labels, batch.tiles, batch.tile_places)
        loss.backward()
        return float(loss.detach())

    if abs(ours_pass() / their_pass() - 1.0) > 1e-4:
        raise SystemExit("the two do not compute the same; nothing was measured")
    times: tuple[list[float], list[float]] = ([], [])
    for repeat in range(repeats):
        for which in (0, 1) if repeat % 2 else (1, 0):
            for module in (model, theirs):
                module.zero_grad(set_to_none=True)
            times[which].append(spent((ours_pass, their_pass)[which]))
    return times


def passes(name: str, repeats: int) -> None:
    """The rows of one preset in the first table."""
    config = preset(name)
    config = replace(config, vision=replace(config.vision, drop_path=0.0))
    text, tiles = SIZES[name]
    model = build(config, seed=1)
    for number, learning in ((0, text // 2), (0, text - 1), (tiles, text // 2)):
        model.set_trained(SEEING if number else SEEING[-1:])
        batch, labels = sample(config, text, number, learning)
        ours, theirs = beside(model, batch, labels, repeats)
        ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
        milliseconds = [f"{1000 * statistics.median(values):,.0f}" for values in (ours, theirs)]
        seen = f", {len(batch.ids) - text} of a picture" * bool(number)
        said = f"{name}: {text} tokens of text, {learning} learned{seen}"
        print(f"| {said} | {' | '.join(milliseconds)} | {middle(ratios)} |", flush=True)


@contextmanager
def made_in(kind: torch.dtype) -> Iterator[None]:
    """Lets new floating tensors be of this kind."""
    torch.set_default_dtype(kind)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def shares(name: str, kind: torch.dtype, repeats: int) -> None:
    """The rows of one preset and precision in the second table."""
    text, tiles = SIZES[name]
    shape = Shape(text=text, labelled=text // 2, tiles=tiles, heard=HEARD)
    config = preset(name)
    counted = flops(config, LEARNING, (LM,), shape)
    model = build(config, seed=1).to(kind)
    model.set_trained(LEARNING)
    model.train()
    rate = matrix_rate(kind)
    with made_in(kind):
        parts = pieces(model, (LM,), shape)
    for part, found in counted.items():

        def work(run: Callable[[], torch.Tensor] = parts[part]) -> None:
            run().sum().backward()

        work()
        taken = statistics.median(spent(work) for _ in range(repeats))
        figures = f"{found.total / 1e9:,.2f} | {1000 * taken:,.1f} | {found.total / taken / rate:.0%}"
        print(f"| {name}, {part} | {NAMES[kind]} | {figures} |", flush=True)
    print(f"| product of {SIDE:,} | {NAMES[kind]} | {2 * SIDE**3 / 1e9:,.2f} | | {rate / 1e9:,.0f} GFLOP/s |")


class Waits:
    """Wall time that the calls of a module take, one by one."""

    def __init__(self, module: torch.nn.Module) -> None:
        self.taken: list[float] = []
        self._began = 0.0
        module.register_forward_pre_hook(self._begin)
        module.register_forward_hook(self._end)

    def _begin(self, *_: Any) -> None:
        self._began = time.perf_counter()

    def _end(self, *_: Any) -> None:
        self.taken.append(time.perf_counter() - self._began)


@torch.no_grad()
def first_sound(repeats: int, words: int = 12) -> None:
    """The third table: a clause of so many tokens through `tiny`, as `speak` goes."""
    model = build(preset("tiny"), seed=1).eval()
    clause = torch.arange(100, 100 + words)
    voice = torch.tensor(model.config.codec.voice)
    hops: dict[str, list[float]] = {}
    nar, ar = Waits(model.speech_decoder.nar), Waits(model.speech_decoder.ar)
    for _ in range(repeats + 1):
        nar.taken.clear()
        ar.taken.clear()
        start = time.perf_counter()
        vectors = model.language_model.embed(clause)
        embedded = time.perf_counter()
        codes = next(model.speech_decoder.stream(vectors, first=FIRST))
        drawn = time.perf_counter()
        heard = model.codec.stream(voice).push(codes)
        end = time.perf_counter()
        if len(codes) < FIRST or not len(heard):
            raise SystemExit("the clause ended before its first sound; take another seed")
        for hop, taken in (
            (f"{words} rows of the embedding table", embedded - start),
            ("NAR half over the text", nar.taken[0]),
            ("AR half over what the NAR half made", ar.taken[0]),
            (f"first {FIRST} codec tokens", drawn - embedded - nar.taken[0] - ar.taken[0]),
            (f"codec: first {len(heard) / model.config.codec.rate:.2f} s of sound", end - drawn),
            ("all", end - start),
        ):
            hops.setdefault(hop, []).append(1000 * taken)
    print("\n| tiny, from a clause to its first sound | milliseconds, median (min to max) |\n|---|---|")
    for hop, values in hops.items():
        print(f"| {hop} | {middle(values[1:])} |")


def main() -> None:
    """Reads the call and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presets", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("torch", "transformers"))
    print(
        f"{chosen.repeats} repeats, {chosen.threads} threads, {versions}, Python {platform.python_version()}\n"
    )
    print(
        "| forward and backward, fp32 | ours, CPU ms | by hand, CPU ms | ours / by hand |\n|---|---|---|---|"
    )
    for name in chosen.presets:
        passes(name, chosen.repeats)
    print(
        "\n| forward and backward of | in | GFLOP | CPU ms | share of the product's rate |\n|---|---|---|---|---|"
    )
    for name in chosen.presets:
        for kind in NAMES:
            shares(name, kind, chosen.repeats)
    first_sound(max(chosen.repeats, 9))


if __name__ == "__main__":
    main()

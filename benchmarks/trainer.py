"""A training step: our loop and engine beside torch by hand, transformers' Trainer, and raw DeepSpeed.

    python benchmarks/trainer.py --data BUILD [--stage 1.3] [--preset tiny] [--precision fp32 bf16] [--repeats 7]

Packs of the texts in a stage, since every contestant can take those, for the language model alone. At ZeRO 0 ours
against the loop by hand and the Trainer, at ZeRO 1, 2 and 3 against `deepspeed.initialize` with our configuration; one
process a level, no launcher. Contestants take some steps in turn within every repeat, the order turned from repeat to
repeat; the first step of each turn is left out. At the end all must have the same loss on the same pack. Bars: 1.10
times the loop by hand, 1.05 times raw DeepSpeed.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

BARS = {"loop by hand": 1.10, "raw DeepSpeed": 1.05}
OURS = "ours"
NEAR = 1e-3  # of the last loss


def text_packs(task: Any, length: int) -> Iterator[Any]:
    """Batches of the stage's samples of text alone, in the stage's order, up to so many tokens in each."""
    from vita_data.shards.read import Pack

    places: list[Any] = []
    tokens = 0
    for pack in task.stage.packs():
        for place in pack.samples:
            table = task.stage.shard(place.shard).table
            said, *media = (
                table.column(name)[place.row].as_py() for name in ("length", "visual_tokens", "audio_tokens")
            )
            if any(media):
                continue
            if places and tokens + said > length:
                yield task.batch(task.stage, Pack(0, 0, tokens, tuple(places)))
                places, tokens = [], 0
            places.append(place)
            tokens += said


def contestants(args: argparse.Namespace, home: Path) -> dict[str, Any]:
    """All that race at a level."""
    from trainer_contestants import ByHand, OfTransformers, Ours, RawDeepSpeed, Work

    from vita_model.config.presets import preset
    from vita_model.train.task import open_task, stage_folder

    task = open_task(stage_folder(args.data, args.stage), preset(args.preset), None, args.precision[0])
    task = replace(task, trains=("language_model",))
    work = Work(task, list(text_packs(task, args.length)), args.level)
    if len(work.packs) < work.rounds:
        sys.exit(f"{args.data} has too few texts in stage {args.stage} for a step; take a larger build.")
    found: dict[str, Any] = {OURS: Ours(work, home / "ours", told=False)}
    if args.level:
        return {**found, "raw DeepSpeed": RawDeepSpeed(work)}
    return {
        "loop by hand": ByHand(work),
        "transformers' Trainer": OfTransformers(work, home / "hf"),
        **found,
        "ours, with metrics, TensorBoard and pace": Ours(work, home / "told", told=True),
    }


def race(args: argparse.Namespace) -> dict[str, dict[str, list[float]]]:
    """The median step of every contestant in each repeat: {contestant: {wall, cpu}}, in seconds."""
    import torch

    from vita_model.nets.batch import LM
    from vita_model.train.engine import start_processes, stop_processes

    torch.set_num_threads(args.threads)
    start_processes()
    with tempfile.TemporaryDirectory() as home:
        racing = contestants(args, Path(home))
        times: dict[str, dict[str, list[float]]] = {name: {"wall": [], "cpu": []} for name in racing}
        for repeat in range(args.repeats + 1):
            steps = range(repeat * args.steps, (repeat + 1) * args.steps)
            for name in sorted(racing, reverse=bool(repeat % 2)):
                laps = racing[name].laps(steps)
                if repeat:  # the first is for warming up
                    times[name]["wall"].append(statistics.median(lap.wall for lap in laps))
                    times[name]["cpu"].append(statistics.median(lap.cpu for lap in laps))
        pack = racing[OURS].work.packs[0]
        with torch.no_grad():
            losses = {name: float(one.model(pack)[LM].mean()) for name, one in racing.items()}
        stop_processes()
    if max(losses.values()) - min(losses.values()) > NEAR * max(losses.values()):
        sys.exit(f"the contestants have not trained alike, so nothing was compared: {losses}")
    return times


def middle(values: list[float], digits: int) -> str:
    """Median (smallest to largest)."""
    found = (statistics.median(values), min(values), max(values))
    return "{} ({} to {})".format(*(f"{value:.{digits}f}" for value in found))


def rows(words: str, times: dict[str, dict[str, list[float]]]) -> Iterator[str]:
    """The lines of a level in the table; each of ours has its ratio to every peer."""
    for name, one in times.items():
        yield f"| {words}, {name} | {middle([1000 * value for value in one['wall']], 1)} | | | |"
    for mine in (name for name in times if name.startswith(OURS)):
        for peer in (name for name in times if not name.startswith(OURS)):
            ratios = {
                kind: [a / b for a, b in zip(times[mine][kind], times[peer][kind], strict=True)]
                for kind in ("wall", "cpu")
            }
            bar = BARS.get(peer) if mine == OURS else None
            said = (
                ""
                if bar is None
                else f"{'within' if statistics.median(ratios['wall']) <= bar else 'over'} {bar:.2f}"
            )
            yield (
                f"| {words}, {mine} / {peer} | | {middle(ratios['wall'], 3)} | {middle(ratios['cpu'], 3)} | {said} |"
            )


def main() -> None:
    """Runs every level in a process of its own and prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True)
    parser.add_argument("--stage", default="1.3")
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--precision", nargs="+", choices=("fp32", "bf16"), default=["fp32"])
    parser.add_argument("--length", type=int, default=512, help="tokens of a pack")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--steps", type=int, default=6, help="steps of a turn")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--levels", nargs="+", type=int, default=[0, 1, 2, 3])
    parser.add_argument("--level", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--to", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.level is not None:
        args.to.write_text(json.dumps(race(args)))
        return
    packages = ("torch", "deepspeed", "transformers", "accelerate")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    load = os.getloadavg()[0]
    print(
        f"{args.preset}, packs of at most {args.length} tokens, {args.repeats} repeats of {args.steps - 1} steps, "
        f"{args.threads} threads; {versions}, Python {platform.python_version()}; load {load:.1f} at the start\n"
    )
    print("| | wall ms a step, median (min to max) | ratio, wall | ratio, CPU | bar |\n|---|---|---|---|---|")
    for precision in args.precision:
        for level in args.levels:
            if level == 0 and precision == "bf16":
                continue  # bf16 keeps its masters in ZeRO's partitions
            with tempfile.NamedTemporaryFile() as told:
                again = ["--level", str(level), "--precision", precision, "--to", told.name]
                done = subprocess.run([sys.executable, *sys.argv, *again], capture_output=True, text=True)
                if done.returncode:
                    sys.exit(done.stderr[-3000:])
                for line in rows(f"{precision}, ZeRO {level}", json.loads(Path(told.name).read_text())):
                    print(line, flush=True)


if __name__ == "__main__":
    main()

"""A training that goes on with other numbers of processes: 1, then 2, then 1, at ZeRO 1, 2 and 3.

    python benchmarks/elastic.py --data BUILD --stage 1.2 [--preset tiny] [--init RUN] [--precision bf16 fp32] [--json]

Each time the number changes, what the optimizer holds is written out again right after it was loaded, before a
step: weights, fp32 masters and Adam's moments have to be those of the checkpoint to the bit. Beside that the table
says whether the parts that are not trained are untouched, whether each step has the samples and the learning rate
of a run that was never stopped, and how far its loss is from that run's.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

LEGS = (1, 2, 1)
STEPS = 2  # of each leg
ZERO = (1, 2, 3)


def work(cases: list[dict[str, Any]]) -> None:
    """Trains these cases one after the other, as one rank; a case with `again` leaves there what it has loaded."""
    from vita_model.train import checkpoint
    from vita_model.train.engine import stop_processes
    from vita_model.train.options import Options
    from vita_model.train.program import train

    load = checkpoint.load_optimizer
    torch.set_num_threads(1)
    for case in cases:
        again = case.pop("again", None)

        def load_and_write(engine: Any, place: Path, step: int, to: str | None = again) -> None:
            load(engine, place, step)
            if to is not None:
                checkpoint.save(engine, Path(to), step, {})

        checkpoint.load_optimizer = load_and_write
        init = tuple(Path(place) for place in case.pop("init"))
        train(Options(**{**case, "out": Path(case["out"]), "init": init}))
    stop_processes()


def launch(cases: list[dict[str, Any]], processes: int, home: Path) -> None:
    """Trains the cases on so many processes."""
    said = home / f"cases-{processes}.json"
    said.write_text(json.dumps(cases))
    several = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    command = [sys.executable, *(several if processes > 1 else []), __file__, "--cases", str(said)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr[-3000:])


def tensors(checkpoint: Path, stem: str) -> dict[str, torch.Tensor]:
    """All tensors of a checkpoint under a stem."""
    from vita_model.train.tensors import Tensors

    stored = Tensors(checkpoint, stem)
    return {name: stored.read(name) for name in sorted(stored.names())}


def apart(mine: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> int:
    """How many tensors are not the same to the bit, missing ones included."""
    return sum(
        name not in mine or name not in theirs or not torch.equal(mine[name], theirs[name])
        for name in mine.keys() | theirs.keys()
    )


def last_of(run: Path) -> Path:
    """The last checkpoint of a run."""
    return sorted((run / "checkpoints").iterdir())[-1]


def metrics(run: Path) -> list[dict[str, Any]]:
    """The metrics of a run."""
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def same_samples(args: argparse.Namespace, world: int, steps: range) -> bool:
    """Whether so many ranks see in each of these steps what one does."""
    from vita_data.shards.read import Stage
    from vita_model.batch.order import keys, order_of

    stage = Stage(f"{args.data}/stages/{args.stage}")
    order = order_of(stage, stage.plan, stage.plan["seed"])
    return all(
        sorted(key for share in order.shares(step, world) for key in keys(slot.pack for slot in share))
        == sorted(keys(order.step(step)))
        for step in steps
    )


def measure(args: argparse.Namespace, home: Path) -> list[dict[str, Any]]:
    """A row for each precision, ZeRO stage and change of the number of processes."""
    common = {"stage": args.stage, "data": args.data, "preset": args.preset, "init": args.init}
    runs = [(precision, zero, f"{precision}-{zero}") for precision in args.precision for zero in ZERO]
    for leg, world in enumerate(LEGS):
        cases: list[dict[str, Any]] = [
            {**common, "out": str(home / name), "zero": zero, "precision": precision}
            | {"max_steps": STEPS * (leg + 1), "resume": leg > 0}
            | ({"again": str(home / f"{name}-again-{leg}")} if leg else {})
            for precision, zero, name in runs
        ]
        if not leg:
            cases += [
                {**case, "out": f"{case['out']}-whole", "max_steps": STEPS * len(LEGS)} for case in cases
            ]
        launch(cases, world, home)
        for *_, name in runs:  # a run keeps its last two checkpoints only
            shutil.copytree(last_of(home / name), home / f"{name}-left-{leg}")
    return [row(args, home / name, precision, zero, leg) for precision, zero, name in runs for leg in (1, 2)]


def row(args: argparse.Namespace, run: Path, precision: str, zero: int, leg: int) -> dict[str, Any]:
    """What one change of the number of processes did."""
    step = STEPS * leg
    before, again, after = (
        Path(f"{run}-left-{leg - 1}"),
        last_of(Path(f"{run}-again-{leg}")),
        Path(f"{run}-left-{leg}"),
    )
    kept = tensors(before, "optimizer")
    trained = {name.partition("/")[2] for name in kept}
    weights, written = tensors(before, "model"), tensors(again, "model")
    last = tensors(after, "model")
    frozen = weights.keys() - trained
    steps = range(step, step + STEPS)
    pairs = list(zip(metrics(run), metrics(Path(f"{run}-whole")), strict=True))[step : step + STEPS]
    return {
        "precision": precision,
        "zero": zero,
        "processes": f"{LEGS[leg - 1]} -> {LEGS[leg]}",
        "tensors": len(kept) + len(trained),
        "differ": apart(kept, tensors(again, "optimizer"))
        + apart({n: weights[n] for n in trained}, {n: written[n] for n in trained}),
        "frozen": len(frozen),
        "frozen_differ": apart({n: weights[n] for n in frozen}, {n: last[n] for n in frozen}),
        "same_samples": same_samples(args, LEGS[leg], steps),
        "same_rates": all(one["learning_rate"] == other["learning_rate"] for one, other in pairs),
        "loss_apart": max(abs(one["loss"] - other["loss"]) / abs(other["loss"]) for one, other in pairs),
    }


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as a Markdown table."""
    heads = "precision | ZeRO | processes | tensors | differ | frozen | differ | samples | rates | loss apart"
    lines = [f"| {heads} |", "|" + " --- |" * 10]
    for one in rows:
        values = list(one.values())
        said = ["the same" if value is True else "others" if value is False else value for value in values]
        lines.append(f"| {' | '.join(map(str, said[:-1]))} | {one['loss_apart']:.1e} |")
    return "\n".join(lines)


def main() -> None:
    """Runs all legs and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data")
    parser.add_argument("--stage", default="1.2")
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--init", nargs="*", default=[])
    parser.add_argument("--precision", nargs="*", default=["bf16", "fp32"])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--cases", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.cases:
        work(json.loads(Path(args.cases).read_text()))
        return
    with tempfile.TemporaryDirectory() as home:
        rows = measure(args, Path(home))
    print(json.dumps(rows) if args.json else table(rows))


if __name__ == "__main__":
    main()

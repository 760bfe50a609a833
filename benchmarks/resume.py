"""From kill -9 to the first resumed step, split into what it is spent on, beside transformers' Trainer.

    python benchmarks/resume.py --data BUILD [--stage 1.1] [--preset tiny] [--at 0.5] [--repeats 5]

Both train the same model on the same stage in fp32, one process, ZeRO 0, and left a checkpoint in the middle of the
epoch; the stage has to be one that no other comes before. Each is started, killed in the midst of a step after its
first one, and started again at that very moment; in turn within every repeat. The Trainer gets our packs through a
dataset that it can index, so that it skips what was seen without reading it, and a checkpoint of its own. What ours
checks beside (that the stage is the one that the checkpoint saw, that checkpoint's hashes, metrics cut to the step) is
in its time. Not measured: how long a cluster takes to notice that a process is gone.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

OURS, TRAINER = "ours", "transformers' Trainer"
LATE = 300  # seconds after which a start has failed
Mark = Callable[[str], None]

# What has ended when a mark is left, in the order in which a start leaves them.
PARTS = {
    "process": "the interpreter is there",
    "imports": "torch and all packages are imported",
    "stage": "the stage is opened and checked",
    "weights": "the model has its weights",
    "optimizer": "the optimizer has its state",
    "batch": "the first global batch is decoded",
    "step": "the first step is done",
}


def train_ours(args: argparse.Namespace, mark: Mark) -> None:
    """Trains by `vita-model train`'s own program; with a run in its place it goes on with that."""
    from vita_model.train import checkpoint, loop, program
    from vita_model.train.options import Options

    mark("imports")
    _after(program, "opened", "stage", mark)
    _after(program, "engine_of", "weights", mark)
    _after(checkpoint, "load_optimizer", "optimizer", mark)
    _after(loop.Loop, "_count", "batch", mark, before=True)
    _after(loop.Loop, "step", "step", mark)
    resumed = (args.run / "run.json").exists()
    steps = None if resumed else args.steps
    program.train(Options(args.stage, args.data, args.preset, args.run, resume=resumed, max_steps=steps))


def _after(place: Any, name: str, said: str, mark: Mark, before: bool = False) -> None:
    """Leaves a mark whenever a function of a module or class returns, or `before` it begins."""
    there = getattr(place, name)

    def marked(*given: Any, **named: Any) -> Any:
        if before:
            mark(said)
        found = there(*given, **named)
        if not before:
            mark(said)
        return found

    setattr(place, name, marked)


def train_trainer(args: argparse.Namespace, mark: Mark) -> None:
    """The same training by transformers' Trainer."""
    from trainer_contestants import ByHand, OfDict, PacksOf, Work
    from transformers import Trainer, TrainerCallback, TrainingArguments

    from vita_model.config.presets import preset
    from vita_model.train.task import open_task, stage_folder

    mark("imports")
    task = open_task(stage_folder(args.data, args.stage), preset(args.preset), None, "fp32")
    mark("stage")
    one = ByHand(Work(task, [], 0))
    mark("weights")
    saved = sorted(args.run.glob("checkpoint-*"))

    class Marks(TrainerCallback):
        def on_train_begin(self, *_: Any, **__: Any) -> None:
            mark("optimizer")

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            mark("batch")

        def on_step_end(self, *_: Any, **__: Any) -> None:
            mark("step")

    arguments = TrainingArguments(
        output_dir=str(args.run),
        max_steps=task.order.steps if saved else args.steps,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=task.order.rounds(1),
        max_grad_norm=task.schedule.clip or 0.0,
        logging_strategy="no",
        save_strategy="no" if saved else "steps",
        save_steps=args.steps,
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
    )
    rate = one.work.scheduler(one.optimizer)
    trainer = Trainer(
        OfDict(one.model),
        arguments,
        data_collator=lambda items: items[0],
        train_dataset=PacksOf(task),
        optimizers=(one.optimizer, rate),
        callbacks=[Marks()],
    )
    trainer.model_accepts_loss_kwargs = False  # the fields it takes are those of a pack
    trainer.train(resume_from_checkpoint=str(saved[-1]) if saved else None)


def started(args: argparse.Namespace, name: str, run: Path) -> tuple[subprocess.Popen[bytes], Path, float]:
    """A training process in a group of its own, the file of its marks, and when it was started."""
    marks = run.parent / f"{run.name}.marks"
    marks.write_text("")
    given = ["--work", name, "--run", str(run), "--marks", str(marks), "--steps", str(args.steps)]
    command = [sys.executable, __file__, "--data", args.data, "--stage", args.stage, "--preset", args.preset]
    with open(run.parent / f"{run.name}.log", "wb") as log:
        begun = time.time()
        return (
            subprocess.Popen([*command, *given], stdout=log, stderr=log, start_new_session=True),
            marks,
            begun,
        )


def until_killed(args: argparse.Namespace, name: str, run: Path) -> dict[str, float]:
    """Starts a training, kills it in its second step; {part: seconds since the start} of its first step."""
    process, marks, begun = started(args, name, run)
    try:
        while "step" not in marks.read_text():
            if process.poll() is not None or time.time() - begun > LATE:
                sys.exit(f"{name} took no step:\n{(run.parent / f'{run.name}.log').read_text()[-3000:]}")
            time.sleep(0.005)
        said = [line.split() for line in marks.read_text().splitlines()]
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    first = {part: float(when) - begun for part, when in reversed(said)}
    return {part: first[part] for part in PARTS}


def race(args: argparse.Namespace, home: Path) -> dict[str, list[dict[str, float]]]:
    """What every start of both took, after the trainings were begun outside the clock."""
    runs = {OURS: home / "ours", TRAINER: home / "trainer"}
    for name, run in runs.items():
        process, *_ = started(args, name, run)
        if process.wait():
            sys.exit(f"{name} did not train:\n{(home / f'{run.name}.log').read_text()[-3000:]}")
    times: dict[str, list[dict[str, float]]] = {name: [] for name in runs}
    for repeat in range(args.repeats + 1):
        for name in sorted(runs, reverse=bool(repeat % 2)):
            found = until_killed(args, name, runs[name])
            if repeat:  # the first fills the page cache
                times[name].append(found)
    return times


def middle(values: list[float]) -> str:
    """Median (smallest to largest)."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def lengths(starts: list[dict[str, float]]) -> dict[str, list[float]]:
    """The seconds of each part by itself, of every start."""
    before = dict(zip(PARTS, [None, *PARTS], strict=False))
    return {
        part: [one[part] - (one[last] if last else 0.0) for one in starts] for part, last in before.items()
    }


def table(times: dict[str, list[dict[str, float]]]) -> None:
    """Prints the parts and the whole."""
    print("| until | ours, s | transformers' Trainer, s | ours / theirs |\n|---|---|---|---|")
    parts = {name: lengths(starts) for name, starts in times.items()}
    for part, words in PARTS.items():
        print(f"| {words} | {middle(parts[OURS][part])} | {middle(parts[TRAINER][part])} | |")
    whole = {name: [one["step"] for one in starts] for name, starts in times.items()}
    ratios = [a / b for a, b in zip(whole[OURS], whole[TRAINER], strict=True)]
    print(f"| all of it | {middle(whole[OURS])} | {middle(whole[TRAINER])} | {middle(ratios)} |")


def main() -> None:
    """Begins both trainings, then kills and starts them in turn."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True)
    parser.add_argument("--stage", default="1.1")
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--at", type=float, default=0.5, help="where in the epoch the checkpoint is")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--marks", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.work:
        with open(args.marks, "a", buffering=1) as marks:

            def mark(part: str) -> None:
                marks.write(f"{part} {time.time()}\n")

            mark("process")
            {OURS: train_ours, TRAINER: train_trainer}[args.work](args, mark)
        return
    from vita_model.config.presets import preset
    from vita_model.train.task import open_task, stage_folder

    order = open_task(stage_folder(args.data, args.stage), preset(args.preset), None, "fp32").order
    args.steps = max(1, int(args.at * order.steps_per_epoch))
    packages = ("torch", "deepspeed", "transformers", "accelerate")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    print(
        f"{args.preset}, stage {args.stage}, checkpoint at step {args.steps} of {order.steps}, {args.repeats} repeats; "
        f"{versions}, Python {platform.python_version()}; load {os.getloadavg()[0]:.1f} at the start\n"
    )
    with tempfile.TemporaryDirectory() as home:
        table(race(args, Path(home)))


if __name__ == "__main__":
    main()

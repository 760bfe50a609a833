"""The folder of a run: what was asked for, the metrics of every step, the checkpoints.

RUN/run.json        what the run was started with, written first
RUN/metrics.jsonl   one line a step: loss and its parts, rates, norm, time, memory; `vita-model plot` draws them
RUN/checkpoints/    see `checkpoint`
RUN/eval.json       held-out loss by source, metrics and what became of earlier stages, at the end of the stage
RUN/answers.jsonl   the answers behind those metrics; see `vita_model.eval.score`
RUN/validation.jsonl    the held-out loss on the way, see `validation`
RUN/tensorboard/    event files, and RUN/wandb.json where W&B shows the run; see `boards`
RUN/left-out.json   samples that no decoder reads, or not in time, and utterances that cannot be said, with the reason
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from vita_data import files
from vita_data.errors import UsageError, VitaError
from vita_data.records.canon import canonical
from vita_model.train import checkpoint

METRICS = "metrics.jsonl"
RUN = "run.json"
EVAL = "eval.json"
LEFT_OUT = "left-out.json"
SAME = ("stage", "preset", "seed", "precision", "plan_digest", "lora")


@contextmanager
def held(run: Path, writes: bool) -> Iterator[None]:
    """Keeps a run to one training: its first rank `writes`. UsageError where another training has it."""
    with files.locked(str(run), "training") if writes else nullcontext():
        yield


def begin(run: Path, asked: dict[str, Any], resume: bool, step: int = 0) -> None:
    """Makes the folder, or checks that one which goes on at `step` was started alike; UsageError says what differs."""
    stated = run / RUN
    if not resume and run.exists() and any(path.name != files.LOCK for path in run.iterdir()):
        raise UsageError(
            f"{run} is not empty; name another --out, or go on from its last checkpoint with --resume."
        )
    if not stated.exists():
        files.write_json(str(stated), asked)
        return
    before = files.read_json(str(stated))
    for name in SAME if step else (*SAME, "init"):  # later the checkpoint alone says what was started from
        if before.get(name) != asked.get(name):
            raise UsageError(
                f"{run} was started with {name} {before.get(name)} and this call has {asked.get(name)}; "
                "give the same, or another --out."
            )


def cut_metrics(run: Path, steps: int) -> None:
    """Takes out the lines of steps that will be done again, and a last line that was cut by a kill."""
    path = run / METRICS
    if not path.exists():
        return
    kept: list[bytes] = []
    for line in path.read_bytes().splitlines(keepends=True)[:steps]:
        if not line.endswith(b"\n"):
            break
        kept.append(line)
    files.write_bytes(str(path), b"".join(kept))


def add_metrics(run: Path, values: dict[str, Any]) -> None:
    """One more line, in the file when the call returns."""
    try:
        with open(run / METRICS, "a", encoding="utf-8") as stream:
            stream.write(canonical(values) + "\n")
    except OSError as error:
        raise VitaError(
            f"{run / METRICS} cannot be written ({error.strerror}); free space, then go on from the last "
            "checkpoint with --resume."
        ) from error


def read_left_out(run: Path) -> list[dict[str, Any]]:
    """What a run has gone without so far."""
    path = run / LEFT_OUT
    return list(files.read_json(str(path))) if path.exists() else []


def read_metrics(run: Path) -> list[dict[str, Any]]:
    """Every line of a run's metrics, of which a run that has just begun has none."""
    path = run / METRICS
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def summed_up(
    run: Path, stage: str, done: int, last: int, steps: int, scores: dict[str, Any] | None
) -> dict[str, Any]:
    """What a training tells when it ends: {run, stage, step, steps, loss, checkpoint, eval, stopped, ...}."""
    lines = read_metrics(run)
    return {
        "run": str(run),
        "stage": stage,
        "step": done,
        "steps": steps,
        "loss": lines[-1]["loss"] if lines else None,
        "tokens_per_second": lines[-1]["tokens_per_second"] if lines else None,
        "checkpoint": str(checkpoint.find(run)),
        "eval": scores,
        "stopped": done < last,
    }

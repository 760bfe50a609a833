"""The folder of a run: what was asked for, the metrics of every step, the checkpoints.

RUN/run.json        what the run was started with, written first
RUN/metrics.jsonl   one line a step: loss, rates, tokens, norm
RUN/checkpoints/    see `checkpoint`
RUN/eval.json       held-out loss by source, written at the end of the stage
RUN/left-out.json   of stage 3.2, the utterances that cannot be said, each with its reason
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

METRICS = "metrics.jsonl"
RUN = "run.json"
EVAL = "eval.json"
LEFT_OUT = "left-out.json"
SAME = ("stage", "preset", "seed", "precision", "plan_digest")


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
        if before[name] != asked[name]:
            raise UsageError(
                f"{run} was started with {name} {before[name]} and this call has {asked[name]}; "
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


def read_metrics(run: Path) -> list[dict[str, Any]]:
    """Every line of a run's metrics."""
    return [json.loads(line) for line in (run / METRICS).read_text().splitlines()]

"""The folder of a run: what was asked for, the metrics of every step, the checkpoints.

RUN/run.json        what the run was started with, written first
RUN/metrics.jsonl   one line a step: loss, rates, tokens, norm
RUN/checkpoints/    see `checkpoint`
RUN/eval.json       held-out loss by source, written at the end of the stage
RUN/left-out.json   of stage 3.2, the utterances that cannot be said, each with its reason
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vita_data import files
from vita_data.errors import UsageError
from vita_data.records.canon import canonical

METRICS = "metrics.jsonl"
RUN = "run.json"
EVAL = "eval.json"
LEFT_OUT = "left-out.json"


def begin(run: Path, asked: dict[str, Any], resume: bool) -> None:
    """Makes the folder, or checks that a resumed one was started alike; UsageError says what differs."""
    stated = run / RUN
    if not resume and run.exists() and any(run.iterdir()):
        raise UsageError(
            f"{run} is not empty; name another --out, or go on from its last checkpoint with --resume."
        )
    if not stated.exists():
        files.write_json(str(stated), asked)
        return
    before = files.read_json(str(stated))
    for name in ("stage", "preset", "seed", "precision", "plan_digest"):
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
    with open(run / METRICS, "a", encoding="utf-8") as stream:
        stream.write(canonical(values) + "\n")


def read_metrics(run: Path) -> list[dict[str, Any]]:
    """Every line of a run's metrics."""
    return [json.loads(line) for line in (run / METRICS).read_text().splitlines()]

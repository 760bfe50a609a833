"""Trainings one after the other in one group of processes: a process costs more to start than a short training.

    python -m tests.vita_model.ranks CASES.json        as one rank of a launcher's

CASES.json holds the options of each training. `segment` beside them cuts the codec's training segments to so many
samples.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from vita_model.config import presets
from vita_model.train.engine import stop_processes
from vita_model.train.options import Options
from vita_model.train.program import train

ROOT = Path(__file__).parents[2]
LAUNCHED = {"RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}


def train_together(
    cases: Sequence[dict[str, Any]], place: Path, processes: int = 2, segment: int | None = None
) -> None:
    """Trains these cases in turn on so many ranks; `place` is a folder for what is passed to them."""
    place.mkdir(parents=True, exist_ok=True)
    said = place / "cases.json"
    said.write_text(json.dumps({"segment": segment, "cases": list(cases)}, default=str))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    plain = {name: value for name, value in os.environ.items() if name not in LAUNCHED}
    group = {"WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.vita_model.ranks", str(said)],
            cwd=ROOT,
            env={**plain, **group, "OMP_NUM_THREADS": "1", "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(processes)
    ]
    errors = [one.communicate(timeout=400)[1][-3000:] for one in running]
    assert not any(one.returncode for one in running), "\n".join(errors)


def options_of(case: dict[str, Any]) -> Options:
    """The options of a case; the tiny preset unless it says another."""
    said = {"preset": "tiny", **case, "out": Path(case["out"])}
    return Options(**said, init=tuple(Path(place) for place in said.pop("init", ())))


def cut_segments(segment: int) -> None:
    """Lets the tiny preset's codec train on segments of so many samples."""
    plain = presets.tiny()
    short = replace(plain, codec=replace(plain.codec, segment=segment))
    presets.PRESETS["tiny"] = lambda: short


def _main() -> None:
    torch.set_num_threads(1)
    said = json.loads(Path(sys.argv[1]).read_text())
    if said["segment"]:
        cut_segments(said["segment"])
    for case in said["cases"]:
        train(options_of(case))
    stop_processes()


if __name__ == "__main__":
    _main()

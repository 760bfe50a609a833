"""One process, then two, then one again: what the optimizer holds is dealt out anew and stays to the bit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_masters_and_moments_pass_from_one_process_to_two_and_back_to_the_bit_at_every_zero_stage(
    make_stage: Callable[..., Path], tmp_path: Path, outside: Callable[[], dict[str, str]]
) -> None:
    trains = ["projector", "language_model"]
    make_stage(tmp_path, "1.2", per_pack=1, held_out=0, trains=trains, schedule={"global_batch": 3})
    command = [
        sys.executable,
        "benchmarks/elastic.py",
        "--data",
        str(tmp_path),
        "--precision",
        "bf16",
        "--json",
    ]
    done = subprocess.run(
        command, cwd=ROOT, env={**outside(), "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    rows = json.loads(done.stdout)
    assert [(row["zero"], row["processes"]) for row in rows] == [
        (zero, change) for zero in (1, 2, 3) for change in ("1 -> 2", "2 -> 1")
    ]
    for row in rows:
        assert row["tensors"] > 100 and row["differ"] == 0, row
        assert row["frozen"] > 100 and row["frozen_differ"] == 0, row
        assert row["same_samples"] and row["same_rates"] and row["loss_apart"] < 1e-2, row

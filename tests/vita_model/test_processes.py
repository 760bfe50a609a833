"""Training in processes of their own: several ranks, kills, signals."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.vita_model.ranks import train_together
from vita_model.train import checkpoint
from vita_model.train.options import Options
from vita_model.train.program import train

pytestmark = pytest.mark.slow

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
Outside = Callable[[], dict[str, str]]
Metrics = Callable[[Path], list[dict[str, Any]]]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, make_stage: Callable[..., Path]) -> Path:
    """Packs with pictures and without; a global batch that two ranks do not divide, the last one not full."""
    out = tmp_path_factory.mktemp("build")
    make_stage(out, "1.2", per_pack=1, schedule={"global_batch": 5, "epochs": 2})
    return out


@pytest.fixture(scope="module")
def unbroken(data: Path, tmp_path_factory: pytest.TempPathFactory, cli: Cli) -> Path:
    """The run that the others are held against: one process, never interrupted."""
    run = tmp_path_factory.mktemp("runs") / "unbroken"
    done = cli("train", "--stage", "1.2", "--data", data, "--out", run, "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["step"] == summary["steps"] == 10 and Path(summary["checkpoint"]).is_dir()
    return run


def losses(lines: list[dict[str, Any]]) -> list[float]:
    return [line["loss"] for line in lines]


@pytest.fixture(scope="module")
def together(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of two processes, one at each ZeRO stage."""
    home = tmp_path_factory.mktemp("together")
    asked = {"stage": "1.2", "data": str(data)}
    train_together([{**asked, "out": home / str(zero), "zero": zero} for zero in range(4)], home / "ranks")
    return home


@pytest.mark.parametrize("zero", [0, 1, 2, 3])
def test_two_processes_learn_what_one_learns(
    unbroken: Path, together: Path, metrics: Metrics, zero: int
) -> None:
    one, two = metrics(unbroken), metrics(together / str(zero))
    assert losses(two) == pytest.approx(losses(one), rel=1e-5)
    assert [line["samples"] for line in two] == [line["samples"] for line in one]
    scores = [json.loads((place / "eval.json").read_text()) for place in (unbroken, together / str(zero))]
    assert scores[1]["loss"] == pytest.approx(scores[0]["loss"], rel=1e-5)


def test_what_two_processes_of_a_launcher_began_one_goes_on_with(
    data: Path, unbroken: Path, tmp_path: Path, cli: Cli, metrics: Metrics
) -> None:
    run = tmp_path / "elastic"
    asked = ["train", "--stage", "1.2", "--data", data, "--out", run]
    done = cli(*asked, "--zero", 3, "--max-steps", 4, "--json", processes=2)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout)["step"] == 4
    train(Options("1.2", str(data), "tiny", run, zero=1, resume=True))
    assert losses(metrics(run)) == pytest.approx(losses(metrics(unbroken)), rel=1e-5)


def test_a_killed_run_goes_on_with_the_same_losses(
    data: Path, unbroken: Path, tmp_path: Path, cli: Cli, metrics: Metrics, outside: Outside
) -> None:
    run = tmp_path / "killed"
    asked = ["train", "--stage", "1.2", "--data", str(data), "--out", str(run), "--save-every", "2"]
    started = start(asked, outside())
    wait_for_steps(run, random.randrange(1, 8))
    started.send_signal(signal.SIGKILL)
    started.wait()
    done = cli(*asked, "--resume")
    assert done.returncode == 0, done.stderr
    assert losses(metrics(run)) == losses(metrics(unbroken))
    assert [line["step"] for line in metrics(run)] == list(range(10))
    assert not list((run / "checkpoints").glob("*.partial"))


def test_a_terminated_run_leaves_a_checkpoint_and_ends_well(
    data: Path, unbroken: Path, tmp_path: Path, cli: Cli, metrics: Metrics, outside: Outside
) -> None:
    run = tmp_path / "terminated"
    asked = ["train", "--stage", "1.2", "--data", str(data), "--out", str(run)]
    started = start([*asked, "--json"], outside())
    wait_for_steps(run, 2)
    started.send_signal(signal.SIGTERM)
    out, error = started.communicate(timeout=60)
    assert started.returncode == 0, error
    summary = json.loads(out)
    assert summary["stopped"] and checkpoint.facts(checkpoint.find(run))["step"] == summary["step"] < 10
    assert cli(*asked, "--resume").returncode == 0
    assert losses(metrics(run)) == losses(metrics(unbroken))


def start(arguments: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "vita_model", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_steps(run: Path, steps: int) -> None:
    path = run / "metrics.jsonl"
    until = time.monotonic() + 120
    while not path.exists() or path.read_bytes().count(b"\n") < steps:
        assert time.monotonic() < until, "the run does not get on"
        time.sleep(0.01)

"""`vita-model run` as it is called: from cards to scores, stopped and begun again, with a change on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.factories import picture_source, stamps, write_mixture
from vita_data import files

ROOT = Path(__file__).parents[3]
Metrics = Callable[[Path], list[dict[str, Any]]]
Outside = Callable[[], dict[str, str]]


def corpus_of(home: Path) -> None:
    """Forty pictures that are described and sixty that are asked about, few enough for seconds."""
    picture_source(home, "tells", 40, "Description")
    picture_source(home, "asks", 60)


def mixture(home: Path, held_out: float = 0.05, **card: Any) -> None:
    """A card that takes all of both sources."""
    sources: dict[str, int | str] = {"tells": "all", "asks": "all"}
    small = {"global_batch": 1, "precision": "fp32", "epochs": 2}
    write_mixture(home, sources, training=small, holdout={"share": held_out, "least": 0}, **card)


def command(home: Path, *more: object) -> list[str]:
    asked = [
        sys.executable,
        "-m",
        "vita_model",
        "run",
        "--mixture",
        home / "test.yaml",
        "--out",
        home / "out",
    ]
    return [str(word) for word in (*asked, "--workers", 1, "--limit", 1, *more)]


def go(home: Path, outside: Outside, *more: object) -> subprocess.CompletedProcess[str]:
    """The command to its end."""
    return subprocess.run(
        command(home, *more), capture_output=True, text=True, cwd=ROOT, env=outside(), timeout=300
    )


def todo(home: Path, outside: Outside, *more: object) -> dict[str, str]:
    """What the command would do, by step, with the reason."""
    said = json.loads(go(home, outside, "--dry-run", "--json", *more).stdout)
    return {step["step"]: f"{step['do']}: {step['why']}".removesuffix(": ") for step in said["steps"]}


def tree(out: Path, *stages: str) -> dict[str, Any]:
    """inode and time of every file of these stages: equal where nothing was done again."""
    folders = [f"{kind}/{stage}" for stage in stages for kind in ("data/stages", "runs", "eval")]
    return {folder: stamps(out / folder) for folder in folders}


@pytest.mark.slow
def test_a_mixture_goes_from_cards_to_scores_and_a_change_does_again_what_follows(
    tmp_path: Path, outside: Outside, metrics: Metrics
) -> None:
    corpus_of(tmp_path)
    mixture(tmp_path)
    out, more = tmp_path / "out", ("--stages", "1.1-1.3", "--max-steps", 2, "--", "--eval-samples", 0)
    names = [f"{kind}-{stage}" for stage in ("1.1", "1.2", "1.3") for kind in ("build", "train", "eval")]
    assert todo(tmp_path, outside, *more)["train-1.2"] == "to do: after build-1.2, train-1.1"
    assert not out.exists()

    first = go(tmp_path, outside, "--json", *more)
    assert first.returncode == 0, first.stderr
    assert [(step["step"], step["status"]) for step in json.loads(first.stdout)["steps"]] == [
        (name, "done") for name in names
    ]
    assert [len(metrics(out / "runs" / stage)) for stage in ("1.1", "1.2", "1.3")] == [2, 2, 2]
    assert files.read_json(str(out / "runs/1.3/run.json"))["init"] == [str(out / "runs/1.2")]
    assert files.read_json(str(out / "eval/1.3/eval.json"))["stage"] == "1.3"

    assert todo(tmp_path, outside, *more) == dict.fromkeys(names, "done")
    before = tree(out, "1.1", "1.2", "1.3")
    again = go(tmp_path, outside, *more)
    assert again.returncode == 0 and again.stderr == "" and tree(out, "1.1", "1.2", "1.3") == before

    mixture(tmp_path, stages={"1.3": {"schedule": {"learning_rate": 3e-4}}})
    changed = todo(tmp_path, outside, *more)
    assert [name for name, do in changed.items() if do != "done"] == names[-3:]
    assert changed["build-1.3"] == "do again: changed: cards"
    shards, trained = (out / "data/stages/1.3", "**/shards/*"), out / "runs/1.3/checkpoints"
    written, kept = stamps(*shards), stamps(trained)
    last = go(tmp_path, outside, *more)
    assert last.returncode == 0 and f"the earlier {out}/runs/1.3 is kept as {out}/runs/1.3.old" in last.stderr
    assert stamps(*shards) == written and stamps(out / "runs/1.3.old/checkpoints") == kept
    unchanged = tree(out, "1.1", "1.2")
    assert unchanged == {folder: before[folder] for folder in unchanged}
    rates = [metrics(out / "runs" / name)[0]["learning_rate"] for name in ("1.3", "1.3.old")]
    assert rates == [pytest.approx(3e-4), pytest.approx(2e-5)]


def wait_for_steps(run: Path, count: int, child: subprocess.Popen[str]) -> None:
    """Waits until a training has done that many steps."""
    path, until = run / "metrics.jsonl", time.monotonic() + 240
    while not (path.exists() and path.read_bytes().count(b"\n") >= count):
        assert time.monotonic() < until and child.poll() is None
        time.sleep(0.02)


@pytest.mark.slow
def test_a_run_that_is_stopped_or_killed_goes_on_with_the_same_losses(
    tmp_path: Path, outside: Outside, metrics: Metrics
) -> None:
    corpus_of(tmp_path)
    mixture(tmp_path, 0, stages={"1.1": {"schedule": {"epochs": 16}}})
    run, more = tmp_path / "out/runs/1.1", ("--stages", "1.1", "--", "--save-every", 2, "--eval-samples", 0)
    with subprocess.Popen(command(tmp_path, *more), cwd=ROOT, env=outside(), text=True) as child:
        wait_for_steps(run, 3, child)
        child.send_signal(signal.SIGTERM)
        assert child.wait(120) == 128 + signal.SIGTERM
    done = len(metrics(run))
    assert todo(tmp_path, outside, *more)["train-1.1"] == "go on: it was stopped"
    with subprocess.Popen(
        command(tmp_path, *more), cwd=ROOT, env=outside(), text=True, stderr=subprocess.PIPE
    ) as child:
        wait_for_steps(run, done + 3, child)
        trainer = next(iter(Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()))
        for process in (int(trainer), child.pid):
            os.kill(process, signal.SIGKILL)
    ended = go(tmp_path, outside, "--json", *more)
    assert ended.returncode == 0, ended.stderr
    assert [step["status"] for step in json.loads(ended.stdout)["steps"]] == ["done", "done", "needless"]
    assert "going on from" in ended.stderr and "it was begun and did not end" in ended.stderr
    broken = [line["loss"] for line in metrics(run)]
    state = files.read_json(str(tmp_path / "out/run/train-1.1.json"))
    unbroken = [word for word in state["command"] if word != "--resume"]
    unbroken[unbroken.index("--out") + 1] = str(tmp_path / "unbroken")
    subprocess.run(unbroken, cwd=ROOT, env=outside(), capture_output=True, check=True, timeout=240)
    assert [line["loss"] for line in metrics(tmp_path / "unbroken")] == broken

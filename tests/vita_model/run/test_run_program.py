"""What a run makes of how its steps end; the steps here are scripts that end as a training can."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from vita_data.errors import VitaError
from vita_model.run import program, state
from vita_model.run.asked import Asked
from vita_model.run.made import run_made
from vita_model.run.steps import Step

# A training that leaves a checkpoint, says how much was forgotten, and ends with a status.
ENDS = """
import json, pathlib, sys
run, forgotten, status, stopped = pathlib.Path(sys.argv[1]), *json.loads(sys.argv[2])
kept = run / "checkpoints/step-00000002"
kept.mkdir(parents=True, exist_ok=True)
(kept / "complete.json").write_text(json.dumps({"stage": run.name, "step": 2, "files": {}}))
(run / "eval.json").write_text(json.dumps({"step": 2, "forgotten": forgotten}))
with open(run / "begun", "a") as stream:
    stream.write(str("--resume" in sys.argv))
print(json.dumps({"stopped": stopped}))
sys.exit(status)
"""


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    return Asked("mine", tmp_path)


def training(
    asked: Asked, name: str, forgotten: tuple[str, ...] = (), status: int = 0, stopped: bool = False
) -> Step:
    """A step that ends so."""
    run = asked.run_of(name)
    ends = json.dumps([forgotten, status, stopped])
    command = [sys.executable, "-c", ENDS, str(run), ends]
    return Step(f"train-{name}", command, (), lambda: {"data": "a", "steps": "2"}, lambda: run_made(run), run)


def go(monkeypatch: pytest.MonkeyPatch, asked: Asked, *steps: Step) -> tuple[dict[str, Any], list[str]]:
    """What a run of these steps answers and says."""
    said: list[str] = []
    monkeypatch.setattr(program, "plan_run", lambda asked, say: list(steps))
    return program.run(asked, said.append), said


def begun(asked: Asked, name: str) -> str:
    """For every time that a training was begun whether it went on."""
    path = asked.run_of(name) / "begun"
    return path.read_text() if path.exists() else ""


def test_a_stage_that_has_cost_an_earlier_one_too_much_stops_the_run_until_it_is_accepted(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = (training(asked, "1.2", ("1.1",), status=1), training(asked, "1.3"))
    for _ in range(2):
        with pytest.raises(VitaError, match=r"train-1\.2 has cost an earlier stage more .* --go-on") as error:
            go(monkeypatch, asked, *steps)
        assert error.value.status == 1 and begun(asked, "1.2") == "False" and begun(asked, "1.3") == ""
    done, said = go(monkeypatch, replace(asked, go_on=True), *steps)
    assert [step["status"] for step in done["steps"]] == ["forgot", "done"]
    assert begun(asked, "1.2") == "False" and "train-1.2 has cost" in said[0]


@pytest.mark.parametrize(("status", "wanted"), [(1, 1), (2, 2), (7, 1)])
def test_a_step_that_fails_ends_the_run_with_its_status_and_is_gone_on_with(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, status: int, wanted: int
) -> None:
    with pytest.raises(VitaError, match=f"step train-1.1 has ended with status {status}; mend") as error:
        go(monkeypatch, asked, training(asked, "1.1", status=status), training(asked, "1.2"))
    assert error.value.status == wanted and begun(asked, "1.2") == ""
    done, said = go(monkeypatch, asked, training(asked, "1.1"))
    assert done["steps"][0]["status"] == "done" and begun(asked, "1.1") == "FalseTrue"
    assert said == ["train-1.1 (1 of 1): it failed"]


def test_a_training_that_was_told_to_end_by_others_ends_the_run_too(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, said = go(monkeypatch, asked, training(asked, "1.1", stopped=True), training(asked, "1.2"))
    assert done["stopped"] and begun(asked, "1.2") == "" and said[-1].startswith("stopped; the same command")
    known = state.read(asked.states, "train-1.1")
    assert known is not None and known.status == "stopped"


def test_what_a_changed_training_had_made_is_kept_once(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    for data in "abc":
        step = replace(training(asked, "1.1"), inputs=partial(dict, data=data, steps="2"))
        _, said = go(monkeypatch, asked, step)
    run = asked.run_of("1.1")
    assert said == ["train-1.1 (1 of 1): changed: data", f"the earlier {run} is kept as {run}.old"]
    assert sorted(path.name for path in run.parent.iterdir()) == ["1.1", "1.1.old"]
    assert begun(asked, "1.1") == "False"


def test_a_step_that_says_it_is_done_and_leaves_nothing_has_failed(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = Step("build-1.1", [sys.executable, "-c", ""], (), dict, lambda: None)
    with pytest.raises(VitaError, match=r"step build-1\.1 has ended with status 0"):
        go(monkeypatch, asked, empty)

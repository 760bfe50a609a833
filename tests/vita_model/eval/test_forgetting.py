"""What a stage keeps of the stages before it, and a run that ends because it kept too little."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from vita_data import files
from vita_model.cli.main import main
from vita_model.train import checkpoint
from vita_model.train.forgetting import Forgotten, require_kept
from vita_model.train.options import Options
from vita_model.train.program import train

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, make_stage: Callable[..., Path]) -> str:
    """A build with three stages of squares; the last may forget what it likes."""
    out = tmp_path_factory.mktemp("build")
    small = {"shards": 1, "per_shard": 4, "per_pack": 1, "schedule": {"global_batch": 2}}
    make_stage(out, "1.1", needs=["weights:language_model"], trains=["projector"], forgetting="off", **small)
    make_stage(out, "1.2", needs=["1.1"], forgetting=0.02, **small)
    make_stage(out, "1.3", needs=["1.2"], forgetting="off", **small)
    return str(out)


@pytest.fixture(scope="module")
def first(data: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of stage 1.1."""
    run = tmp_path_factory.mktemp("runs") / "first"
    train(Options("1.1", data, "tiny", run))
    return run


def better(run: Path, copy: Path, value: float = 0.9, **more: Any) -> Path:
    """The run, as if its stage had gone that well."""
    shutil.copytree(run, copy)
    place = checkpoint.find(copy)
    mark = checkpoint.facts(place)["scores"]["1.1"]
    checkpoint.add_score(place, "1.1", {**mark, "metric": {**mark["metric"], "value": value}, **more})
    return copy


def scores(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = checkpoint.facts(checkpoint.find(run))["scores"]
    return found


def test_a_run_leaves_its_metrics_its_answers_and_its_score(first: Path) -> None:
    found = files.read_json(str(first / "eval.json"))
    assert found["metrics"]["total"]["questions"] == 8 and found["earlier"] == found["forgotten"] == []
    assert found["metrics"]["total"]["loss"] == pytest.approx(found["loss"], rel=1e-5)
    answers = [json.loads(line) for line in (first / "answers.jsonl").read_text().splitlines()]
    assert [line["turn"] for line in answers] == [1, 3] * 4
    assert scores(first) == {"1.1": {name: found["metrics"][name] for name in ("metric", "limit", "asked")}}


def test_what_was_learned_before_is_asked_again_and_its_score_goes_along(
    first: Path, data: str, tmp_path: Path
) -> None:
    copy = tmp_path / "first"
    shutil.copytree(first, copy)
    second = tmp_path / "second"
    found = train(Options("1.2", data, "tiny", second, init=(copy,)))["eval"]
    (row,) = found["earlier"]
    assert (row["stage"], row["metric"], row["forgotten"]) == ("1.1", "exact_match", False)
    assert row["loss"] == row["before"] - row["after"] and found["forgotten"] == []
    assert scores(second) == {**scores(first), "1.2": scores(second)["1.2"]}
    shutil.rmtree(copy)
    third = train(Options("1.3", data, "tiny", tmp_path / "third", init=(second,)))["eval"]
    assert [row["stage"] for row in third["earlier"]] == ["1.1", "1.2"]


def test_a_stage_that_forgot_ends_with_status_1_when_all_is_written(
    first: Path, data: str, tmp_path: Path
) -> None:
    start, run = better(first, tmp_path / "first"), tmp_path / "second"
    asked = [
        "train",
        "--stage",
        "1.2",
        "--data",
        data,
        "--preset",
        "tiny",
        "--out",
        str(run),
        "--init",
        str(start),
    ]
    done = CliRunner().invoke(main, asked)
    assert done.exit_code == 1
    assert "stage 1.2 has forgotten of stage 1.1: exact_match was 0.9000 and is 0." in done.stderr
    assert "0.02 is tolerated" in done.stderr
    assert files.read_json(str(run / "eval.json"))["forgotten"] == ["1.1"]
    assert checkpoint.facts(checkpoint.find(run))["final"] and set(scores(run)) == {"1.1", "1.2"}


def test_a_stage_that_may_forget_tells_what_it_lost(first: Path, data: str, tmp_path: Path) -> None:
    second = tmp_path / "second"
    with pytest.raises(Forgotten):
        train(Options("1.2", data, "tiny", second, init=(better(first, tmp_path / "first"),)))
    third = train(Options("1.3", data, "tiny", tmp_path / "third", init=(second,)))["eval"]
    assert third["earlier"][0]["loss"] > 0.5 and third["forgotten"] == []


def test_a_stage_that_is_not_at_its_end_is_not_judged_and_says_so(
    first: Path, data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start, run = better(first, tmp_path / "first"), tmp_path / "second"
    found = train(Options("1.2", data, "tiny", run, init=(start,), max_steps=1))["eval"]
    assert found["earlier"][0]["loss"] > 0.5 and found["forgotten"] == []
    assert "the stage has not come to its end, so none of this stops it" in capsys.readouterr().err


def test_scores_of_other_samples_are_not_compared(first: Path, data: str, tmp_path: Path) -> None:
    start = better(first, tmp_path / "first", asked="0" * 16)
    (row,) = train(Options("1.2", data, "tiny", tmp_path / "second", init=(start,)))["eval"]["earlier"]
    assert "other samples" in row["reason"] and not row["forgotten"] and "after" not in row


def test_without_samples_there_are_losses_only(first: Path, data: str, tmp_path: Path) -> None:
    start = better(first, tmp_path / "first")
    found = train(Options("1.2", data, "tiny", tmp_path / "second", init=(start,), eval_samples=0))["eval"]
    assert found["loss"] > 0 and not {"metrics", "earlier", "forgotten"} & set(found)
    assert set(scores(tmp_path / "second")) == {"1.1"}


def test_the_stage_that_lost_most_is_named() -> None:
    row = {"stage": "1.1", "metric": "exact_match", "before": 0.9, "after": 0.8, "tolerance": 0.02}
    rows = [
        {**row, "loss": 0.1, "forgotten": True},
        {**row, "stage": "1.2", "after": 0.1, "loss": 0.8, "forgotten": True},
        {**row, "stage": "2.1a", "metric": "wer", "loss": 0.9, "forgotten": False},
    ]
    with pytest.raises(Forgotten, match=r"of stage 1\.2: .* and 1 stages more have"):
        require_kept("1.3", rows, "run")
    require_kept("1.3", rows[2:], "run")

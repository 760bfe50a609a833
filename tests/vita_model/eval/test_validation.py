"""The held-out loss on the way through a stage."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vita_model.train.options import Options
from vita_model.train.program import train

STEPS = 6
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, make_stage: Callable[..., Path]) -> str:
    out = tmp_path_factory.mktemp("build")
    make_stage(out, "1.1", shards=2, per_shard=6, per_pack=1, held_out=4, schedule={"global_batch": 2})
    return str(out)


@pytest.fixture(scope="module")
def plain(data: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was never validated on its way."""
    run = tmp_path_factory.mktemp("plain") / "run"
    train(Options("1.1", data, "tiny", run, eval_samples=0))
    return run


def lines(run: Path, name: str = "validation.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / name).read_text().splitlines()]


def test_it_is_scored_every_so_many_steps_and_changes_nothing(
    data: str, plain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    found = train(Options("1.1", data, "tiny", run, validate_every=2, eval_samples=0))
    assert [line["step"] for line in lines(run)] == [2, 4, 6]
    assert lines(run)[-1]["loss"] == pytest.approx(found["eval"]["loss"])
    assert set(lines(run)[0]["sources"]) == {"squares", "others"}
    told = [line["loss"] for line in lines(run, "metrics.jsonl")]
    assert told == [line["loss"] for line in lines(plain, "metrics.jsonl")] and len(told) == STEPS
    said = capsys.readouterr().err
    assert "held-out loss after 2 steps" in said and "Are you sure? -> " in said and "'Yes.' wanted" in said
    answers = lines(run)[0]["answers"]
    assert answers and set(answers[0]) == {"key", "question", "wanted", "got"}


def test_steps_that_are_done_again_are_validated_again(data: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    asked = {"validate_every": 2, "eval_samples": 0}
    train(Options("1.1", data, "tiny", run, max_steps=3, **asked))  # type: ignore[arg-type]
    later = {"step": 4, "loss": 1.0, "sources": {}}
    with open(run / "validation.jsonl", "a") as stream:
        stream.write(json.dumps(later) + '\n{"step": 6, "lo')
    train(Options("1.1", data, "tiny", run, resume=True, **asked))  # type: ignore[arg-type]
    assert [line["step"] for line in lines(run)] == [2, 4, 6]
    assert later not in lines(run)

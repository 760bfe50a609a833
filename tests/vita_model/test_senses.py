"""Packs of every mix of senses, on one process and on two, at every ZeRO stage."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from vita_data.shards.write import ShardSample
from vita_model.train import checkpoint
from vita_model.train.idle import idle_senses
from vita_model.train.tensors import Tensors

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
Metrics = Callable[[Path], list[dict[str, Any]]]

ALL = ["vision_tower", "projector", "speech_encoder", "speech_adapter", "language_model", "state_head"]
FROZEN = ["projector", "speech_adapter", "language_model", "state_head"]
STEPS = 3


@pytest.fixture(scope="module", params=[ALL, FROZEN], ids=["towers-learn", "towers-frozen"])
def data(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    make_stage: Callable[..., Path],
    make_omni: Callable[..., ShardSample],
) -> Path:
    """One sample a pack, four packs a step: seen, heard, both and neither fall on either rank in any order."""
    out = tmp_path_factory.mktemp("senses")
    make_stage(
        out,
        "2.2",
        per_pack=1,
        shards=1,
        held_out=4,
        make=make_omni,
        loss="lm+state",
        state_tokens=True,
        trains=request.param,
        schedule={"global_batch": 4, "epochs": 1},
    )
    return out


@pytest.fixture(scope="module")
def alone(data: Path, tmp_path_factory: pytest.TempPathFactory, cli: Cli) -> Path:
    run = tmp_path_factory.mktemp("runs") / "alone"
    done = cli("train", "--stage", "2.2", "--data", data, "--out", run, "--json")
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout)["steps"] == STEPS
    return run


def weights(run: Path) -> dict[str, torch.Tensor]:
    stored = Tensors(checkpoint.find(run), "model")
    return {name: stored.read(name) for name in stored.names()}


@pytest.mark.slow
@pytest.mark.parametrize("zero", [0, 1, 2, 3])
def test_two_processes_learn_what_one_learns_whatever_each_of_them_sees_and_hears(
    data: Path, alone: Path, tmp_path: Path, cli: Cli, metrics: Metrics, zero: int
) -> None:
    run = tmp_path / "two"
    asked = ["train", "--stage", "2.2", "--data", data, "--out", run, "--zero", zero, "--save-memory"]
    done = cli(*asked, "--json", processes=2)
    assert done.returncode == 0, done.stderr[-3000:]
    for one, two in zip(metrics(alone), metrics(run), strict=True):
        terms = {name: value for name, value in one.items() if name.startswith("loss")}
        assert {name: two[name] for name in terms} == pytest.approx(terms, rel=1e-5)
        assert two["sources"] == pytest.approx(one["sources"], rel=1e-5)
    mine, theirs = weights(alone), weights(run)
    for name, weight in mine.items():
        torch.testing.assert_close(theirs[name], weight, atol=1e-4, rtol=1e-3)  # a tenth of one step
    scores = [json.loads((place / "eval.json").read_text())["loss"] for place in (alone, run)]
    assert scores[1] == pytest.approx(scores[0], rel=1e-5)


def test_a_sense_that_no_rank_needs_costs_nothing_and_one_that_some_need_is_called_where_it_must() -> None:
    trained = ("projector", "language_model")
    for zero in range(4):
        idle = idle_senses(zero, {"sight"}, trained)
        assert idle["sight"] == ("call" if zero >= 2 else "zeros")
        assert idle["hearing"] == ("skip" if zero == 3 else "zeros")
    assert (
        idle_senses(3, set(), ("projector",))["sight"] == "call"
    )  # else there is nothing to go backward from

"""Packs of every mix of senses, on one process and on two, at every ZeRO stage."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.vita_model.ranks import options_of, train_together
from vita_data.shards.write import ShardSample
from vita_model.train import checkpoint
from vita_model.train.idle import idle_senses
from vita_model.train.program import train
from vita_model.train.tensors import Tensors

Metrics = Callable[[Path], list[dict[str, Any]]]

TRAINED = {
    "learn": [
        "vision_tower",
        "projector",
        "speech_encoder",
        "speech_adapter",
        "language_model",
        "state_head",
    ],
    "frozen": ["projector", "speech_adapter", "language_model", "state_head"],
}
STEPS = 20
FEW = 3
# How the towers are trained, the ZeRO stage, and how many steps are compared. All four stages go through packs with
# frozen and with learning towers; how far ranks drift apart in more steps is seen once.
CASES = [
    (towers, zero, STEPS if (towers, zero) == ("learn", 0) else FEW)
    for towers in TRAINED
    for zero in range(4)
]


@pytest.fixture(scope="module")
def home(
    tmp_path_factory: pytest.TempPathFactory,
    make_stage: Callable[..., Path],
    make_omni: Callable[..., ShardSample],
) -> Path:
    """One sample a pack, eight packs a step: seen, heard, both and neither fall on either rank in any order."""
    home = tmp_path_factory.mktemp("senses")
    for towers, trains in TRAINED.items():
        make_stage(
            home / towers,
            "2.2",
            per_pack=1,
            shards=1,
            per_shard=8 * FEW,
            held_out=4,
            make=make_omni,
            loss="lm+state",
            state_tokens=True,
            trains=trains,
            schedule={"global_batch": 8, "epochs": STEPS / FEW},
        )
    return home


def case(home: Path, towers: str, out: str, **more: Any) -> dict[str, Any]:
    return {"stage": "2.2", "data": str(home / towers), "out": home / out, **more}


@pytest.fixture(scope="module")
def alone(home: Path) -> Path:
    """One process, which goes through the eight packs of a step in turn."""
    for towers, steps in sorted({(towers, steps) for towers, _, steps in CASES}):
        done = train(options_of(case(home, towers, f"{towers}-alone-{steps}", max_steps=steps)))
        assert (done["step"], done["steps"]) == (steps, STEPS)
    return home


@pytest.fixture(scope="module")
def together(home: Path) -> Path:
    """Two processes with four packs each."""
    asked = [
        case(home, towers, f"{towers}-{zero}", zero=zero, save_memory=True, max_steps=steps)
        for towers, zero, steps in CASES
    ]
    train_together(asked, home / "ranks")
    return home


def weights(run: Path) -> dict[str, torch.Tensor]:
    stored = Tensors(checkpoint.find(run), "model")
    return {name: stored.read(name) for name in stored.names()}


@pytest.mark.slow
@pytest.mark.parametrize(("towers", "zero", "steps"), CASES)
def test_two_processes_learn_what_one_learns_whatever_each_of_them_sees_and_hears(
    alone: Path, together: Path, metrics: Metrics, towers: str, zero: int, steps: int
) -> None:
    lone, run = alone / f"{towers}-alone-{steps}", together / f"{towers}-{zero}"
    for one, two in zip(metrics(lone), metrics(run), strict=True):
        terms = {name: value for name, value in one.items() if name.startswith("loss")}
        assert {name: two[name] for name in terms} == pytest.approx(terms, rel=1e-5), one["step"]
        assert two["sources"] == pytest.approx(one["sources"], rel=1e-5)
    mine, theirs = weights(lone), weights(run)
    for name, weight in mine.items():
        torch.testing.assert_close(theirs[name], weight, atol=1e-4, rtol=1e-3)  # a tenth of one step
    scores = [json.loads((place / "eval.json").read_text())["loss"] for place in (lone, run)]
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

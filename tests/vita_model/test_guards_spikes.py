"""Steps that stand out: how far they do, and what is left of one that is skipped."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vita_model.train import checkpoint
from vita_model.train.options import Options
from vita_model.train.program import train
from vita_model.train.spikes import Spikes
from vita_model.train.tensors import Tensors

Metrics = Callable[[Path], list[dict[str, Any]]]
FINITE = st.floats(0, 1e6)


def lines(losses: list[float], norm: float = 1.0) -> list[dict[str, Any]]:
    return [{"loss": loss, "gradient_norm": norm} for loss in losses]


def tensors(run: Path, step: int) -> dict[str, torch.Tensor]:
    place = run / checkpoint.FOLDER / f"step-{step:08d}"
    found = {}
    for stem in (checkpoint.MODEL, checkpoint.OPTIMIZER):
        stored = Tensors(place, stem)
        found |= {f"{stem} {name}": stored.read(name) for name in stored.names()}
    return found


def test_a_step_is_scored_by_the_deviations_above_those_before_it() -> None:
    spikes = Spikes(4, lines([1.0, 3.0]))
    assert spikes.score(5.0, 1.0) == 3.0
    assert spikes.score(2.0, 1.0) == 0.0


def test_the_odder_of_loss_and_norm_counts() -> None:
    steps = [{"loss": 2.0, "gradient_norm": 1.0}, {"loss": 2.0, "gradient_norm": 3.0}]
    assert Spikes(4, steps).score(2.0, 12.0) == 10.0


def test_half_a_window_is_too_little_to_compare_with() -> None:
    assert Spikes(8, lines([1.0, 2.0, 3.0])).score(99.0, 1.0) is None
    assert Spikes(8, lines([1.0, 2.0, 3.0, 4.0])).score(99.0, 1.0) is not None


def test_steps_that_are_not_finite_are_not_compared_with() -> None:
    assert Spikes(4, lines([1.0, math.inf, 3.0, math.nan])).score(5.0, 1.0) == 3.0


@given(st.lists(st.tuples(FINITE, FINITE), min_size=12, max_size=30), FINITE)
def test_what_is_rebuilt_from_metrics_scores_the_same(steps: list[tuple[float, float]], loss: float) -> None:
    told = [{"loss": loss, "gradient_norm": norm} for loss, norm in steps]
    whole, resumed = Spikes(8, told), Spikes(8, told[:5])
    for loss_before, norm in steps[5:]:
        resumed.add(loss_before, norm)
    assert resumed.score(loss, 1.0) == whole.score(loss, 1.0) == Spikes(8, told[-8:]).score(loss, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("zero", "precision"), [(0, "fp32"), (1, "bf16"), (2, "fp32"), (2, "bf16"), (3, "fp32")]
)
def test_a_skipped_step_leaves_weights_and_moments_as_they_were(
    make_stage: Callable[..., Path], tmp_path: Path, metrics: Metrics, zero: int, precision: str
) -> None:
    make_stage(tmp_path, "1.2", held_out=0, schedule={"precision": precision, "weight_decay": 0.1})
    run = tmp_path / "run"
    asked = Options("1.2", str(tmp_path), "tiny", run, zero=zero, save_every=1, max_steps=3)
    train(
        replace(asked, skip_spikes=-1e9, spike_window=4)
    )  # the third has two before it and is odd by decree
    told = metrics(run)
    assert [line.get("skipped", False) for line in told] == [False, False, True]
    assert len(told[2]["skipped_samples"]) == told[2]["samples"] > 0
    before, after = tensors(run, 2), tensors(run, 3)
    assert before.keys() == after.keys()
    odd = [name for name, value in before.items() if not torch.equal(value, after[name])]
    assert not odd, odd


@pytest.mark.parametrize("zero", [0, 2])
def test_a_run_with_skipped_steps_goes_on_to_the_bit(
    make_stage: Callable[..., Path], tmp_path: Path, metrics: Metrics, zero: int
) -> None:
    make_stage(tmp_path, "1.2", held_out=0, schedule={"epochs": 5})
    asked = Options(
        "1.2", str(tmp_path), "tiny", tmp_path / "whole", zero=zero, skip_spikes=0.5, spike_window=4
    )
    train(asked)
    told = metrics(asked.out)
    skipped = [line["step"] for line in told if line.get("skipped")]
    assert skipped and len(range(skipped[0], len(told))) > len(
        skipped
    )  # something is learned after the first
    cut = replace(asked, out=tmp_path / "cut", max_steps=skipped[0] + 1)
    train(cut)
    train(replace(cut, max_steps=None, resume=True))
    timeless = [
        [{name: line[name] for name in ("loss", "gradient_norm", "spike")} for line in metrics(run)]
        for run in (asked.out, cut.out)
    ]
    assert timeless[0] == timeless[1]
    last = len(told)
    whole, again = tensors(asked.out, last), tensors(cut.out, last)
    assert all(torch.equal(value, again[name]) for name, value in whole.items())


def test_scores_are_told_and_nothing_is_skipped_unless_asked(
    make_stage: Callable[..., Path], tmp_path: Path, metrics: Metrics
) -> None:
    make_stage(tmp_path, "1.2", held_out=0)
    train(Options("1.2", str(tmp_path), "tiny", tmp_path / "run", spike_window=4))
    told = metrics(tmp_path / "run")
    assert [line["spike"] is None for line in told] == [True, True, False]
    assert not any("skipped" in line for line in told)

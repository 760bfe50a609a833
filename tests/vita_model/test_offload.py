"""What is kept in the machine's memory instead of the GPU's changes nothing of what is learned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.vita_model.ranks import train_together
from vita_data.errors import UsageError
from vita_model.train import checkpoint
from vita_model.train.options import Options
from vita_model.train.program import train
from vita_model.train.tensors import Tensors

Metrics = Callable[[Path], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, make_stage: Callable[..., Path]) -> str:
    out = tmp_path_factory.mktemp("offload")
    make_stage(out, "1.2", shards=1, per_pack=1, held_out=0, schedule={"global_batch": 4})
    return str(out)


def tensors(run: Path) -> dict[str, torch.Tensor]:
    place = checkpoint.find(run)
    return {
        f"{stem}/{name}": stored.read(name)
        for stem in ("model", "optimizer")
        for stored in [Tensors(place, stem)]
        for name in stored.names()
    }


def losses(lines: list[dict[str, Any]]) -> list[float]:
    return [line["loss"] for line in lines]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("zero", "offload"), [(1, "optimizer"), (2, "optimizer"), (3, "parameters"), (3, "both")]
)
def test_an_offloaded_run_learns_the_same_and_goes_on_to_the_bit(
    data: str, tmp_path: Path, metrics: Metrics, zero: int, offload: str
) -> None:
    plain = Options("1.2", data, "tiny", tmp_path / "plain", zero=zero)
    whole = replace(plain, out=tmp_path / "whole", offload=offload)
    train(plain)
    train(whole)
    assert losses(metrics(whole.out)) == pytest.approx(losses(metrics(plain.out)), rel=1e-6)
    cut = replace(whole, out=tmp_path / "cut", max_steps=2)
    train(cut)
    train(replace(cut, max_steps=None, resume=True))
    assert losses(metrics(cut.out)) == losses(metrics(whole.out))
    wanted, found = tensors(whole.out), tensors(cut.out)
    assert wanted.keys() == found.keys()
    assert all(torch.equal(found[name], value) for name, value in wanted.items())


@pytest.mark.slow
def test_an_offloaded_run_of_two_ranks_goes_on_with_one_rank_and_without_offloading(
    data: str, tmp_path: Path, metrics: Metrics
) -> None:
    whole = Options("1.2", data, "tiny", tmp_path / "whole")
    train(whole)
    kinds = {2: "optimizer", 3: "both"}
    cases = [
        {"stage": "1.2", "data": data, "out": tmp_path / str(zero), "zero": zero, "offload": offload}
        for zero, offload in kinds.items()
    ]
    train_together([{**case, "max_steps": 2} for case in cases], tmp_path / "ranks")
    for zero in kinds:
        train(replace(whole, out=tmp_path / str(zero), resume=True, zero=zero))
        assert losses(metrics(tmp_path / str(zero))) == pytest.approx(losses(metrics(whole.out)), rel=1e-5), (
            zero
        )


@pytest.mark.parametrize(
    ("zero", "offload", "reason"),
    [
        (None, "optimizer", "ZeRO 0 has no partitions"),
        (2, "parameters", "ZeRO 2 needs every weight on each GPU"),
        (1, "both", "ZeRO 1 needs every weight on each GPU"),
    ],
)
def test_what_a_zero_stage_cannot_offload_is_refused_before_anything_is_written(
    data: str, tmp_path: Path, zero: int | None, offload: str, reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        train(Options("1.2", data, "tiny", tmp_path / "run", zero=zero, offload=offload))
    assert not (tmp_path / "run").exists()

"""Low-rank additions: the weights stay, what is added is learned, and both become one where a stage ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from vita_data.errors import UsageError
from vita_model.cli.main import main
from vita_model.config.lora import Lora, asked_lora
from vita_model.config.presets import tiny
from vita_model.nets.lora import add_lora, is_factor
from vita_model.nets.vita import Vita, build
from vita_model.train import checkpoint
from vita_model.train.options import Options
from vita_model.train.program import train
from vita_model.train.tensors import Tensors

Metrics = Callable[[Path], list[dict[str, Any]]]
LORA = asked_lora(4, None, ())
SPEED = {"learning_rate": 1e-2, "global_batch": 4}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, make_stage: Callable[..., Path]) -> str:
    out = tmp_path_factory.mktemp("lora")
    make_stage(out, "1.1", shards=1, held_out=0, trains=["projector"], schedule=SPEED)
    make_stage(out, "1.2", shards=1, per_pack=1, held_out=0, needs=["1.1"], schedule=SPEED)
    still = {"learning_rate": 0.0, "vision_learning_rate": 0.0}
    make_stage(out, "1.3", shards=1, held_out=0, needs=["1.2"], schedule=still)
    return str(out)


@pytest.fixture(scope="module")
def first(data: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("first") / "run"
    train(Options("1.1", data, "tiny", run))
    return run


@pytest.fixture(scope="module")
def second(data: str, first: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("second") / "run"
    train(Options("1.2", data, "tiny", run, init=(first,), lora=LORA))
    return run


def stored(run: Path, stem: str = "model") -> dict[str, torch.Tensor]:
    found = Tensors(checkpoint.find(run), stem)
    return {name: found.read(name) for name in found.names()}


def losses(lines: list[dict[str, Any]]) -> list[float]:
    return [line["loss"] for line in lines]


def states(model: Vita) -> torch.Tensor:
    ids = torch.arange(1, 30)
    with torch.no_grad():
        return model.language_model.hidden(model.language_model.embed(ids), torch.arange(29), (0, 29))


def test_the_weights_stay_to_the_bit_and_the_factors_lie_beside_them(first: Path, second: Path) -> None:
    before, after, factors = stored(first), stored(second), stored(second, "lora")
    assert set(before) == set(after) and not any(map(is_factor, after))
    for name in before:
        if name.startswith("language_model."):
            assert torch.equal(before[name], after[name]), name
    assert not torch.equal(before["projector.0.weight"], after["projector.0.weight"])
    assert all(is_factor(name) and name.startswith("language_model.") for name in factors)
    layers = tiny().language.layers
    assert len(factors) == 2 * 7 * layers
    assert all(value.abs().max() > 0 for value in factors.values())
    assert {"exp_avg/" + name for name in factors} <= set(stored(second, "optimizer"))


def test_merged_weights_answer_like_weights_with_their_additions(second: Path) -> None:
    place = checkpoint.find(second)
    whole, apart, plain = (build(tiny(), 1).eval() for _ in range(3))
    checkpoint.load_weights(whole, place)
    checkpoint.load_weights(plain, place, apart=True)
    checkpoint.load_weights(apart, place, apart=True)
    assert LORA is not None
    add_lora(apart.language_model, LORA, 0)
    checkpoint.load_factors(apart, place)
    assert torch.allclose(states(whole), states(apart), atol=1e-5)
    assert not torch.allclose(states(whole), states(plain), atol=1e-3)


def test_a_next_stage_begins_with_what_was_added_and_says_so(
    data: str, second: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    train(Options("1.3", data, "tiny", tmp_path / "run", init=(second,)))
    assert "what LoRA of rank 4 has learned there is now part of language_model" in capfd.readouterr().err
    model = build(tiny(), 1)
    checkpoint.load_weights(model, checkpoint.find(second))
    after = stored(tmp_path / "run")
    assert set(after) == set(model.state_dict()) and not stored(tmp_path / "run", "lora")
    for name, value in model.state_dict().items():
        assert torch.equal(after[name], value), name


@pytest.mark.slow
@pytest.mark.parametrize(("zero", "precision"), [(0, "fp32"), (2, "bf16"), (3, "fp32")])
def test_a_run_with_additions_goes_on_to_the_bit(
    data: str, first: Path, second: Path, tmp_path: Path, metrics: Metrics, zero: int, precision: str
) -> None:
    asked = {"init": (first,), "lora": LORA, "zero": zero, "precision": precision}
    whole = Options("1.2", data, "tiny", tmp_path / "whole", **asked)  # type: ignore[arg-type]
    train(whole)
    cut = replace(whole, out=tmp_path / "cut", max_steps=2)
    train(cut)
    train(replace(cut, max_steps=None, resume=True))
    assert losses(metrics(cut.out)) == losses(metrics(whole.out))
    for stem in ("model", "lora"):
        found = stored(cut.out, stem)
        assert all(torch.equal(found[name], value) for name, value in stored(whole.out, stem).items())
    kept = stored(first)
    assert all(
        torch.equal(kept[name], value)
        for name, value in stored(whole.out).items()
        if name.startswith("language_model.")
    )
    near = 1e-6 if precision == "fp32" else 2e-2
    assert losses(metrics(whole.out)) == pytest.approx(losses(metrics(second)), rel=near)


def test_a_run_does_not_go_on_with_other_additions(data: str, second: Path) -> None:
    with pytest.raises(UsageError, match="was started with lora"):
        train(Options("1.2", data, "tiny", second, resume=True))


def test_additions_are_refused_where_the_language_model_does_not_learn(data: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"stage 1\.1 trains projector and not the language_model"):
        train(Options("1.1", data, "tiny", tmp_path / "run", lora=LORA))
    assert not (tmp_path / "run").exists()


def test_a_layer_that_is_not_there_is_refused_by_its_name() -> None:
    with pytest.raises(UsageError, match=r"no linear layer of the language model is called c_attn\."):
        add_lora(build(tiny(), 0).language_model, Lora(2, 4.0, ("q_proj", "c_attn")), 0)


def test_alpha_without_a_rank_is_refused(tmp_path: Path) -> None:
    said = ["train", "--stage", "1.2", "--data", str(tmp_path), "--out", str(tmp_path / "run")]
    result = CliRunner().invoke(main, [*said, "--lora-alpha", "8"])
    assert result.exit_code == 2 and "give its rank with --lora" in result.stderr

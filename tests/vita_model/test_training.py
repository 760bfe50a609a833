"""Training of small stages in this process: what is learned, what stays, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from vita_data import files
from vita_data.errors import ShardError, UsageError, VitaError
from vita_model.nets.vita import Vita
from vita_model.train import checkpoint
from vita_model.train.options import Options
from vita_model.train.program import train
from vita_model.train.tensors import Tensors

Metrics = Callable[[Path], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, make_stage: Callable[..., Path]) -> str:
    """A build with three stages, as far as the trainer sees it."""
    out = tmp_path_factory.mktemp("build")
    make_stage(out, "1.1", trains=["projector"], needs=["weights:language_model", "weights:vision_tower"])
    make_stage(out, "1.2", needs=["1.1"])
    make_stage(out, "1.3", needs=["1.2"])
    return str(out)


@pytest.fixture(scope="module")
def first(data: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of stage 1.1."""
    run = tmp_path_factory.mktemp("runs") / "first"
    train(Options("1.1", data, "tiny", run, save_every=1))
    return run


def weights(run: Path) -> dict[str, torch.Tensor]:
    stored = Tensors(checkpoint.find(run), "model")
    return {name: stored.read(name) for name in stored.names()}


def losses(lines: list[dict[str, Any]]) -> list[float]:
    return [line["loss"] for line in lines]


def test_frozen_parts_stay_as_they_were_to_the_bit(first: Path, data: str, tmp_path: Path) -> None:
    run = tmp_path / "again"
    train(Options("1.1", data, "tiny", run, init=(first,)))
    before, after = weights(first), weights(run)
    assert set(before) == set(after)
    for name, value in before.items():
        assert torch.equal(value, after[name]) == (not name.startswith("projector.")), name


def test_the_next_stage_starts_from_the_one_before_and_trains_all(
    first: Path, data: str, tmp_path: Path
) -> None:
    run = tmp_path / "second"
    summary = train(Options("1.2", data, "tiny", run, init=(first,)))
    assert summary["step"] == summary["steps"] == 3 and summary["eval"]["loss"] > 0
    before, after = weights(first), weights(run)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    still = {name for name in before if name not in moved}
    trained = ("vision_tower.", "projector.", "language_model.")
    assert not any(name.startswith(trained) for name in still), still
    assert all(name.startswith(trained) for name in moved), moved


def test_a_stage_is_refused_without_the_one_it_needs(first: Path, data: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"stage 1\.2 starts from stage 1\.1; name the run"):
        train(Options("1.2", data, "tiny", tmp_path / "none"))
    with pytest.raises(UsageError, match=r"was trained in stage 1\.1 and stage 1\.3 starts from stage 1\.2"):
        train(Options("1.3", data, "tiny", tmp_path / "none", init=(first,)))
    assert not (tmp_path / "none").exists()


def test_two_checkpoints_are_kept_and_say_what_they_are(first: Path) -> None:
    kept = checkpoint.complete(first)
    assert [path.name for path in kept] == ["step-00000002", "step-00000003"]
    said = checkpoint.facts(kept[-1])
    assert (said["stage"], said["step"], said["final"], said["trains"]) == ("1.1", 3, True, ["projector"])
    assert not checkpoint.facts(kept[0])["final"]


def test_every_step_has_its_metrics(first: Path, metrics: Metrics) -> None:
    lines = metrics(first)
    assert [line["step"] for line in lines] == [0, 1, 2]
    assert sum(line["samples"] for line in lines) == 24
    assert all(line["tokens"] > line["labelled"] > 0 and line["gradient_norm"] > 0 for line in lines)


def test_the_held_out_loss_is_told_by_source(first: Path) -> None:
    scores = files.read_json(str(first / "eval.json"))
    assert set(scores["sources"]) == {"squares", "others"} and scores["samples"] == 4
    parts = scores["sources"].values()
    mean = sum(part["loss"] * part["labelled"] for part in parts) / scores["labelled"]
    assert scores["loss"] == pytest.approx(mean)


def test_a_used_folder_is_refused_without_resume(first: Path, data: str) -> None:
    with pytest.raises(UsageError, match="is not empty"):
        train(Options("1.1", data, "tiny", first))


@pytest.mark.slow
def test_a_small_set_is_learned(make_stage: Callable[..., Path], tmp_path: Path, metrics: Metrics) -> None:
    make_stage(tmp_path, "1.2", shards=1, held_out=0, schedule={"epochs": 20, "learning_rate": 3e-3})
    train(Options("1.2", str(tmp_path), "tiny", tmp_path / "run"))
    found = losses(metrics(tmp_path / "run"))
    assert found[0] > 8 and sum(found[-3:]) / 3 < 0.5


def test_a_run_that_stops_early_goes_on_with_the_same_losses(
    make_stage: Callable[..., Path], tmp_path: Path, metrics: Metrics
) -> None:
    make_stage(tmp_path, "1.2")
    asked = Options("1.2", str(tmp_path), "tiny", tmp_path / "whole")
    train(asked)
    cut = replace(asked, out=tmp_path / "cut", max_steps=1)
    assert train(cut)["stopped"] is False
    train(replace(cut, max_steps=None, resume=True))
    assert losses(metrics(tmp_path / "whole")) == losses(metrics(tmp_path / "cut"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "trains",
    [["projector"], ["projector", "language_model"], ["vision_tower", "projector", "language_model"]],
)
def test_every_zero_stage_learns_the_same(
    make_stage: Callable[..., Path], tmp_path: Path, metrics: Metrics, trains: list[str]
) -> None:
    make_stage(tmp_path, "1.2", per_pack=1, held_out=0, trains=trains, schedule={"global_batch": 3})
    found = []
    for zero in range(4):
        train(Options("1.2", str(tmp_path), "tiny", tmp_path / f"zero{zero}", zero=zero))
        found.append(losses(metrics(tmp_path / f"zero{zero}")))
    for other in found[1:]:
        assert other == pytest.approx(found[0], rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("zero", "other"), [(0, 2), (1, 3), (2, 1), (3, 0)])
def test_a_checkpoint_is_read_at_any_zero_stage(
    make_stage: Callable[..., Path], tmp_path: Path, metrics: Metrics, zero: int, other: int
) -> None:
    make_stage(tmp_path, "1.2", held_out=0)
    whole = Options("1.2", str(tmp_path), "tiny", tmp_path / "whole", zero=zero)
    train(whole)
    for resumed, exact in ((zero, True), (other, False)):
        cut = replace(whole, out=tmp_path / f"cut{resumed}", max_steps=2)
        train(cut)
        train(replace(cut, max_steps=None, resume=True, zero=resumed))
        found, wanted = losses(metrics(cut.out)), losses(metrics(whole.out))
        assert found == wanted if exact else found == pytest.approx(wanted, rel=1e-6)


@pytest.mark.slow
def test_bf16_goes_on_from_its_master_weights(
    make_stage: Callable[..., Path], tmp_path: Path, metrics: Metrics
) -> None:
    make_stage(tmp_path, "1.2", held_out=0, schedule={"precision": "bf16"})
    whole = Options("1.2", str(tmp_path), "tiny", tmp_path / "whole", zero=2)
    train(whole)
    cut = replace(whole, out=tmp_path / "cut", max_steps=2)
    train(cut)
    train(replace(cut, max_steps=None, resume=True))
    assert losses(metrics(cut.out)) == losses(metrics(whole.out))


def test_bf16_without_zero_is_refused(data: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="take --zero 1, 2 or 3"):
        train(Options("1.1", data, "tiny", tmp_path / "run", zero=0, precision="bf16"))


def test_a_loss_that_is_not_finite_stops_the_run_and_names_its_samples(
    make_stage: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_stage(tmp_path, "1.2", held_out=0)
    plain = Vita.forward
    seen: list[tuple[str, ...]] = []

    def spoiled(model: Vita, batch: Any, idle: Any = None) -> dict[str, torch.Tensor]:
        seen.append(batch.keys)
        factor = float("nan") if len(seen) == 6 else 1.0
        return {term: losses * factor for term, losses in plain(model, batch, idle).items()}

    monkeypatch.setattr(Vita, "forward", spoiled)
    with pytest.raises(VitaError, match="step 1: the loss") as raised:
        train(Options("1.2", str(tmp_path), "tiny", tmp_path / "run"))
    assert all(key in str(raised.value) for key in seen[5])
    assert not any(key in str(raised.value) for key in seen[4])
    assert checkpoint.complete(tmp_path / "run") == []


def test_a_stage_of_another_geometry_is_refused_with_what_differs(
    make_stage: Callable[..., Path], tmp_path: Path
) -> None:
    make_stage(tmp_path, "1.2", held_out=0)
    with pytest.raises(ShardError, match=r"tile_pixels 112 \(model 448\).*build the stage"):
        train(Options("1.2", str(tmp_path), "vita-1.5", tmp_path / "run"))


def test_a_stage_packed_for_another_template_is_refused(
    make_stage: Callable[..., Path], tmp_path: Path
) -> None:
    make_stage(tmp_path, "1.2", held_out=0, template_digest="0" * 16)
    with pytest.raises(ShardError, match="another chat template"):
        train(Options("1.2", str(tmp_path), "tiny", tmp_path / "run"))


def test_packs_that_were_edited_after_the_build_are_refused(
    make_stage: Callable[..., Path], tmp_path: Path
) -> None:
    home = make_stage(tmp_path, "1.2", shards=1, held_out=0)
    path = str(home / "packs" / "00000.parquet")
    files.write_table(path, files.read_table(path).slice(1))
    with pytest.raises(ShardError, match=r"is not the file that stage\.json names; run `vita-data pack"):
        train(Options("1.2", str(tmp_path), "tiny", tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_a_run_past_its_last_step_is_not_taken_back(make_stage: Callable[..., Path], tmp_path: Path) -> None:
    make_stage(tmp_path, "1.2", shards=1, held_out=0)
    train(Options("1.2", str(tmp_path), "tiny", tmp_path / "run", max_steps=2))
    with pytest.raises(UsageError, match="is at step 2, past --max-steps 1"):
        train(Options("1.2", str(tmp_path), "tiny", tmp_path / "run", resume=True, max_steps=1))


def test_a_damaged_picture_stops_the_run_with_its_key(
    make_stage: Callable[..., Path], tmp_path: Path
) -> None:
    home = make_stage(tmp_path, "1.2", held_out=0)
    shard = home / "shards" / "00000.tar"
    shard.write_bytes(shard.read_bytes().replace(b"\x89PNG", b"\x89PNX"))
    with pytest.raises(ShardError, match="its picture cannot be decoded"):
        train(Options("1.2", str(tmp_path), "tiny", tmp_path / "run"))

"""What can be seen of a run while it goes on, and what is kept of it."""

from __future__ import annotations

import json
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboardX.proto.event_pb2 import Event, SessionLog

from vita_data.errors import UsageError
from vita_data.shards.read import Stage
from vita_model.batch.left_out import LeftOut
from vita_model.batch.order import keys, order_of
from vita_model.train import boards, checkpoint
from vita_model.train.consumed import Consumed
from vita_model.train.options import Options
from vita_model.train.pace import Pace
from vita_model.train.peak import measured, published
from vita_model.train.program import train

Make = Callable[..., Path]
Points = dict[str, dict[int, float]]
WEIGHTS = ["weights:language_model", "weights:vision_tower"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, make_stage: Make) -> str:
    """A build with one stage of six steps."""
    out = tmp_path_factory.mktemp("build")
    make_stage(out, "1.1", trains=["projector"], needs=WEIGHTS, schedule={"epochs": 2})
    return str(out)


@pytest.fixture(scope="module")
def run(data: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of it that was stopped after four steps, did two more, and lost these and did them again."""
    out = tmp_path_factory.mktemp("runs") / "run"
    options: dict[str, Any] = {"out": out, "eval_samples": 0, "save_every": 4, "validate_every": 2}
    train(Options("1.1", data, "tiny", max_steps=4, **options))
    train(Options("1.1", data, "tiny", resume=True, **options))
    for path in (out / "checkpoints" / "step-00000006").iterdir():
        path.unlink()
    train(Options("1.1", data, "tiny", resume=True, **options))
    return out


def events(path: Path) -> Iterator[Event]:
    """The events of a file: a length with its checksum, and as many bytes with theirs."""
    stream = path.read_bytes()
    at = 0
    while at < len(stream):
        (size,) = struct.unpack_from("<Q", stream, at)
        yield Event.FromString(stream[at + 12 : at + 12 + size])
        at += 16 + size


def shown(run: Path) -> Points:
    """The points that TensorBoard shows by its rule: a start at a step takes all later ones out that came before."""
    points: Points = {}
    for path in sorted((run / "tensorboard").iterdir()):
        for event in events(path):
            if event.session_log.status == SessionLog.START:
                points = {tag: {s: v for s, v in of.items() if s < event.step} for tag, of in points.items()}
            for value in event.summary.value:
                of = points.setdefault(value.tag, {})
                assert event.step not in of, f"{value.tag} has step {event.step} twice"
                of[event.step] = value.simple_value
    return points


def test_every_step_says_how_fast_it_was_and_what_it_took(
    run: Path, metrics: Callable[[Path], list[dict[str, Any]]]
) -> None:
    lines = metrics(run)
    assert [line["step"] for line in lines] == list(range(6))
    for line in lines:
        assert 0 <= line["waiting_seconds"] <= line["seconds"]
        assert line["samples_per_second"] * line["seconds"] == pytest.approx(line["samples"])
        assert line["tokens_per_second"] * line["seconds"] == pytest.approx(line["tokens"])
        assert line["operations"] > 1e8 and 0 < line["share_of_peak"] < 2
        assert 1e8 < line["memory"] < 1e11
        assert set(line["modalities"]) == {"image", "text"}


def test_event_files_show_each_step_of_a_resumed_run_once_as_its_metrics_say(
    run: Path, metrics: Callable[[Path], list[dict[str, Any]]]
) -> None:
    points = shown(run)
    lines = metrics(run)
    assert len(list((run / "tensorboard").iterdir())) == 3
    assert points["loss/all"] == pytest.approx({line["step"]: line["loss"] for line in lines})
    for name in ("loss_by_source/squares", "loss_by_modality/image", "speed/tokens_per_second"):
        assert set(points[name]) == set(range(6)), name
    validations = map(json.loads, (run / "validation.jsonl").read_text().splitlines())
    wanted = {line["step"]: line["loss"] for line in validations}
    assert set(wanted) == {2, 4, 6} and points["validation/loss"] == pytest.approx(wanted)


def test_a_checkpoint_says_what_share_of_each_source_it_has_gone_through(run: Path, data: str) -> None:
    stage = Stage(f"{data}/stages/1.1")
    order = order_of(stage, stage.plan, 7)
    for folder in sorted((run / "checkpoints").iterdir()):
        said = checkpoint.facts(folder)
        seen = Counter(key for step in range(said["step"]) for key in keys(order.step(step)))
        found = said["consumed"]["squares"]
        assert found["samples"] == seen.total() and found["of"] == 24
        assert found["share"] == seen.total() / 24 and found["questions"] == 2 * seen.total()
    assert said["step"] == 6 and found["share"] == 2.0


def test_what_was_consumed_does_not_depend_on_when_it_is_asked_and_leaves_out_what_was_left_out(
    data: str,
) -> None:
    stage = Stage(f"{data}/stages/1.1")
    order, left_out = order_of(stage, stage.plan, 7), LeftOut()
    asked_often = Consumed(stage, order, left_out)
    for steps in (1, 2, 4, 3, 5):
        assert asked_often.after(steps) == Consumed(stage, order, left_out).after(steps)
    key = keys(order.step(0))[0]
    left_out.learn([{"key": key, "rule": "slow", "message": "m", "value": 1, "threshold": 0}])
    before = Consumed(stage, order, LeftOut()).after(6)["squares"]["samples"]
    assert asked_often.after(6)["squares"]["samples"] == before - 2  # once in each epoch


def test_the_codecs_training_is_shown_too(tmp_path: Path) -> None:
    shown_by = boards.opened(tmp_path, 0, None, {})
    shown_by.step(
        {
            "step": 0,
            "loss": 2.0,
            "loss_mel_256": 1.0,
            "frame_share": 0.5,
            "sources": {"a": 1.5},
            "spike": None,
        }
    )
    shown_by.close(False)
    assert shown(tmp_path) == {
        "loss/all": {0: 2.0},
        "loss/mel_256": {0: 1.0},
        "training/frame_share": {0: 0.5},
        "loss_by_source/a": {0: 1.5},
    }


def test_wandb_is_asked_for_by_name_and_missed_before_anything_is_loaded(data: str, tmp_path: Path) -> None:
    try:
        import wandb  # noqa: F401
    except ModuleNotFoundError:
        with pytest.raises(UsageError, match="pip install wandb"):
            train(Options("1.1", data, "tiny", tmp_path / "run", wandb="project"))
        assert not (tmp_path / "run").exists()


def test_a_resumed_run_goes_on_in_the_same_wandb_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb", reason="W&B is no part of the toolkit")
    monkeypatch.setenv("WANDB_MODE", "offline")
    asked = {"stage": "1.1"}
    for first in (0, 1):
        board = boards.opened(tmp_path, first, "project", asked)
        board.step({"step": first, "loss": 1.0})
        board.close(False)
    name = json.loads((tmp_path / "wandb.json").read_text())["id"]
    assert len(list((tmp_path / "wandb").glob(f"offline-run-*-{name}"))) in (1, 2)
    with pytest.raises(UsageError, match="project project, not other"):
        boards.opened(tmp_path, 2, "other", asked)


def test_the_peak_of_a_gpu_is_known_by_its_name_and_of_others_is_not_guessed() -> None:
    assert published("NVIDIA A100-SXM4-80GB", "bf16") == 312e12
    assert published("NVIDIA H100 PCIe", "bf16") == 756e12
    assert published("NVIDIA L40S", "fp32") == 91.6e12
    assert published("NVIDIA A10G", "bf16") is None
    assert measured(torch.float32) > 1e9


def test_a_peak_that_nobody_knows_leaves_the_share_out(one_process: None) -> None:
    values = {"step": 0, "tokens": 10, "samples": 2, "operations": 1e9}
    assert "share_of_peak" not in Pace(torch.device("cpu")).told(values)
    assert Pace(torch.device("cpu"), 1e30).told(values)["share_of_peak"] < 1e-10


@pytest.fixture
def one_process(run: Path) -> None:
    """A process group of this process alone, as a training leaves it."""


def test_waiting_is_the_time_until_an_item_comes_and_closing_reaches_the_loader(one_process: None) -> None:
    closed = []

    def slow() -> Iterator[int]:
        try:
            for number in range(3):
                time.sleep(0.05)
                yield number
        finally:
            closed.append(True)

    pace = Pace(torch.device("cpu"))
    items = pace.waited_for(slow())
    pace.begin()
    assert next(items) == 0
    time.sleep(0.05)
    told = pace.told({"step": 0, "tokens": 1, "samples": 1})
    assert 0.05 <= told["waiting_seconds"] < 0.095 < told["seconds"]
    items.close()
    assert closed

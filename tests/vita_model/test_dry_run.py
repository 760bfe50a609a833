"""One step before there is a training: what is told, and that nothing is read or left behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from vita_data.errors import UsageError
from vita_data.manifest.stage import split_stage
from vita_data.shards.read import Stage
from vita_model.config.lora import asked_lora
from vita_model.config.presets import tiny
from vita_model.nets.vita import count
from vita_model.rehearsal.mock import mock
from vita_model.rehearsal.program import rehearse
from vita_model.train.options import Options
from vita_model.train.task import open_task

Cli = Callable[..., Any]


def without_media(stage: Path) -> None:
    """Blanks every shard: its index stays right, and a read of it would be noticed."""
    for shard in (stage / "shards").iterdir():
        shard.write_bytes(b"\0" * shard.stat().st_size)


def test_the_command_tells_the_plan_and_leaves_nothing_behind(
    make_stage: Callable[..., Path], tmp_path: Path, cli: Cli
) -> None:
    stage = make_stage(tmp_path, "1.2", held_out=0, trains=["projector", "language_model"])
    without_media(stage)
    said = ["train", "--stage", "1.2", "--data", tmp_path, "--out", tmp_path / "run", "--dry-run"]
    done = cli(*said, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    packs = Stage(stage).packs()
    assert (found["steps"], found["packs"], found["samples"]) == (3, 12, 24)
    assert found["tokens"] == sum(pack.tokens for pack in packs)
    largest = sorted((pack.tokens for pack in packs), reverse=True)[:4]
    assert found["mock"]["tokens"] == pytest.approx(sum(largest), rel=0.05)
    sizes = count(tiny())
    assert found["learned"] == sizes["projector"] + sizes["language_model"]
    assert {name: part["all"] for name, part in found["parameters"].items()} == {
        name: size for name, size in sizes.items() if size
    }
    assert found["estimate"]["0"]["optimizer"] == 12 * found["learned"]
    assert found["memory"]["peak"] > 4 * sum(sizes.values())
    assert not (tmp_path / "run").exists()


SCHEDULE = {
    "learning_rate": 1e-3,
    "vision_learning_rate": None,
    "warmup_ratio": 0.1,
    "decay": "cosine",
    "weight_decay": 0.0,
    "clip": 1.0,
    "epochs": 1,
    "global_batch": 4,
    "betas": [0.9, 0.999],
    "precision": "fp32",
}
FIRST_HALF = {"trains": ["speech_encoder"], "loss": "ctc", "needs": [], "schedule": SCHEDULE}
STATES = {"trains": ["speech_adapter", "state_head"], "loss": "lm+state", "state_tokens": True}


@pytest.mark.parametrize(
    ("make", "stage", "changes"),
    [("make_omni", "2.2", STATES), ("make_spoken", "2.1a", {"halves": {"a": FIRST_HALF}})],
)
def test_what_is_heard_is_made_of_the_same_size(
    make_stage: Callable[..., Path],
    request: pytest.FixtureRequest,
    tmp_path: Path,
    make: str,
    stage: str,
    changes: dict[str, Any],
) -> None:
    sample = request.getfixturevalue(make)
    name, half = split_stage(stage)
    home = make_stage(tmp_path, name, held_out=0, make=partial(sample), **changes)
    task = open_task(str(home), tiny(), None, None, half)
    for pack in task.stage.packs():
        real, made = task.batch(task.stage, pack), mock(task, pack)
        assert made.keys == real.keys and len(made.tiles) == len(real.tiles)
        assert sum(made.sound_lengths) == sum(real.sound_lengths)
        assert made.segments == real.segments
    without_media(home)
    found = rehearse(Options(stage, str(tmp_path), "tiny", tmp_path / "run", save_memory=True))
    assert found["mock"]["loss"] > 0 and not (tmp_path / "run").exists()


def test_additions_are_all_that_is_counted_as_learned(
    make_stage: Callable[..., Path], tmp_path: Path
) -> None:
    make_stage(tmp_path, "1.2", shards=1, held_out=0, trains=["language_model"])
    found = rehearse(
        Options("1.2", str(tmp_path), "tiny", tmp_path / "run", zero=3, lora=asked_lora(2, None, ("q_proj",)))
    )
    config = tiny().language
    assert found["learned"] == 2 * 2 * config.hidden * config.layers
    assert found["parameters"]["language_model"]["all"] == count(tiny())["language_model"] + found["learned"]


def test_a_stage_that_starts_from_another_is_refused_as_in_training(
    make_stage: Callable[..., Path], tmp_path: Path
) -> None:
    make_stage(tmp_path, "1.2", shards=1, held_out=0, needs=["1.1"])
    with pytest.raises(UsageError, match=r"stage 1\.2 starts from stage 1\.1; name the run"):
        rehearse(Options("1.2", str(tmp_path), "tiny", tmp_path / "run"))

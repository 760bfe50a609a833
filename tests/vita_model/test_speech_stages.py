"""Stage 2.1 in its halves: the encoder learns to write, then its adapter leads into the language model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from vita_data.errors import ShardError, UsageError
from vita_data.shards.read import Stage
from vita_data.shards.write import ShardSample
from vita_model.cli.main import main
from vita_model.config.presets import tiny
from vita_model.train import checkpoint, starts
from vita_model.train.options import Options
from vita_model.train.program import train
from vita_model.train.task import open_task
from vita_model.train.tensors import Tensors

SCHEDULE = {
    "learning_rate": 3e-3,
    "vision_learning_rate": None,
    "warmup_ratio": 0.1,
    "decay": "cosine",
    "weight_decay": 0.0,
    "clip": 1.0,
    "epochs": 4,
    "global_batch": 2,
    "betas": [0.9, 0.999],
    "precision": "fp32",
}
HALVES = {
    "a": {"trains": ["speech_encoder"], "loss": "ctc", "needs": [], "schedule": SCHEDULE},
    "b": {
        "trains": ["speech_adapter", "prompt_embeddings"],
        "loss": "lm",
        "needs": ["1.3", "2.1a"],
        "schedule": {**SCHEDULE, "precision": "bf16"},
    },
}


@pytest.fixture(scope="module")
def data(
    tmp_path_factory: pytest.TempPathFactory,
    make_stage: Callable[..., Path],
    make_spoken: Callable[..., ShardSample],
) -> str:
    out = tmp_path_factory.mktemp("build")
    make_stage(out, "1.3", shards=1, held_out=0)
    make_stage(out, "2.1", shards=2, per_shard=24, per_pack=4, make=make_spoken, halves=HALVES)
    return str(out)


@pytest.fixture(scope="module")
def runs(data: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runs of 1.3 and 2.1a, and of 2.1b from both."""
    out = tmp_path_factory.mktemp("runs")
    found = {name: out / name for name in ("1.3", "2.1a", "2.1b")}
    train(Options("1.3", data, "tiny", found["1.3"]))
    train(Options("2.1a", data, "tiny", found["2.1a"]))
    train(Options("2.1b", data, "tiny", found["2.1b"], init=(found["1.3"], found["2.1a"])))
    return found


def weights(run: Path) -> dict[str, torch.Tensor]:
    stored = Tensors(checkpoint.find(run), "model")
    return {name: stored.read(name) for name in stored.names()}


def test_the_encoder_learns_to_write_what_it_hears(runs: dict[str, Path]) -> None:
    lines = [json.loads(line) for line in (runs["2.1a"] / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < 0.5 * lines[0]["loss"] and set(lines[0]["sources"]) == {"voices"}
    assert checkpoint.facts(checkpoint.find(runs["2.1a"]))["model"]["characters"] == 6


def test_features_are_normalised_by_what_was_heard_before_the_first_step(runs: dict[str, Path]) -> None:
    found = weights(runs["2.1a"])
    assert found["speech_encoder.cmvn.mean"].abs().max() > 1
    assert torch.equal(found["speech_encoder.cmvn.mean"], weights(runs["2.1b"])["speech_encoder.cmvn.mean"])


def test_each_part_comes_from_the_run_that_trained_it_and_stays_to_the_bit(runs: dict[str, Path]) -> None:
    seen, heard, both = (weights(runs[name]) for name in ("1.3", "2.1a", "2.1b"))
    for name, weight in both.items():
        part = name.partition(".")[0]
        if part in ("speech_encoder", "ctc_head"):
            assert torch.equal(weight, heard[name])
        elif part in ("vision_tower", "projector", "language_model", "codec", "speech_decoder"):
            assert torch.equal(weight, seen[name]), name
    moved = {name.partition(".")[0] for name in seen if not torch.equal(seen[name], both[name])}
    assert {"speech_adapter", "prompt_embeddings"} <= moved
    trained = checkpoint.facts(checkpoint.find(runs["2.1b"]))["trained"]
    assert (trained["language_model"], trained["ctc_head"], trained["speech_adapter"]) == (
        "1.3",
        "2.1a",
        "2.1b",
    )


def test_both_halves_train_one_after_the_other(data: str, runs: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "both"
    done = train(Options("2.1", data, "tiny", out, init=(runs["1.3"],), max_steps=2))
    assert done["stage"] == "2.1b" and (out / "a" / "eval.json").exists()


def test_a_half_without_the_stage_that_it_needs_is_refused(
    data: str, runs: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"starts from stage 1.3 and 2.1a; name the run that trained 2.1a"):
        train(Options("2.1b", data, "tiny", tmp_path / "run", init=(runs["1.3"],)))


def test_a_clip_too_short_for_its_transcript_is_named(data: str) -> None:
    task = open_task(f"{data}/stages/2.1", tiny(), None, None, "a")
    pack = task.order.step(0)[0]
    assert pack is not None
    reader: Any = task.reader
    reader.characters = type("Long", (), {"encode": lambda self, text: [2] * 900})()
    with pytest.raises(ShardError, match=r"voices-.*encoder frames and its transcript needs"):
        task.batch(Stage(f"{data}/stages/2.1"), pack)


def test_the_samples_of_a_step_are_listed_with_what_it_measured(runs: dict[str, Path]) -> None:
    result = CliRunner().invoke(main, ["blame", str(runs["2.1a"]), "--step", "1", "--json"])
    found = json.loads(result.stdout)
    keys = [sample["key"] for pack in found["packs"] for sample in pack["samples"]]
    assert len(keys) == 8 and all(key.startswith("voices-") for key in keys)
    assert found["metrics"]["step"] == 1 and found["stage"] == "2.1a"
    beyond = CliRunner().invoke(main, ["blame", str(runs["2.1a"]), "--step", "9999"])
    assert beyond.exit_code == 2 and "not 9999" in beyond.stderr


def test_released_weights_and_unknown_folders_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "qwen2"}))
    assert starts.find(tmp_path).said is None
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    with pytest.raises(UsageError, match="type 'gpt2'"):
        starts.find(tmp_path)

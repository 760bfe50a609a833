"""A wrong call of many processes is told once, and what a call asks of the model is in what it leaves behind."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.vita_model.conftest import plan_of
from tests.vita_model.utterances import save_run, utterance, voice
from vita_data.errors import UsageError
from vita_data.shards.write import ShardSample
from vita_model.codes.program import Options as EncodeOptions
from vita_model.codes.program import encode
from vita_model.config import describe
from vita_model.config.model import ModelConfig
from vita_model.config.presets import tiny
from vita_model.nets.sampling import Sampling
from vita_model.nets.speak import Spoken, speak
from vita_model.nets.vita import build
from vita_model.train import checkpoint
from vita_model.train.objective import objective
from vita_model.train.options import Options
from vita_model.train.program import train
from vita_model.train.tensors import Tensors
from vita_model.weights.export import export_release


@pytest.mark.parametrize("rank", ["0", "1"])
def test_a_wrong_option_is_told_by_the_first_of_many_processes(
    cli: Callable[..., subprocess.CompletedProcess[str]], rank: str
) -> None:
    ended = cli("train", "--stages", "1.1", RANK=rank, WORLD_SIZE="2")
    assert ended.returncode == 2
    assert ended.stderr.count("No such option '--stages'") == int(rank == "0")


@pytest.mark.slow
def test_a_stage_that_is_not_there_is_told_once_under_a_launcher(
    cli: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    ended = cli("train", "--stage", "1.1", "--data", tmp_path, "--out", tmp_path / "run", processes=2)
    assert ended.returncode != 0
    assert ended.stderr.count("no finished build lies there") == 1


@pytest.mark.slow
def test_the_voice_that_was_chosen_is_the_models_after_stage_3_2(
    make_stage: Callable[..., Path], tmp_path: Path
) -> None:
    stage = make_stage(
        tmp_path, "3.2", shards=1, held_out=0, loss="codec-tokens", trains=["speech_decoder"], make=utterance
    )
    save_run(tmp_path / "codec")
    (tmp_path / "me.wav").write_bytes(voice(3, 24000, kind="WAV"))
    said = encode(EncodeOptions(tmp_path / "codec", str(stage), voice=str(tmp_path / "me.wav")))
    chosen = tuple(said["voice"])
    assert chosen != tiny().codec.voice
    start = trained(tmp_path / "codec")
    done = train(Options("3.2", str(tmp_path), "tiny", tmp_path / "run", init=(start,)))
    config = ModelConfig.from_json(checkpoint.facts(Path(done["checkpoint"]))["model"])
    assert config.codec.voice == chosen
    assert describe.codec_json(config.codec)["global_tokens"] == list(chosen)
    model = build(config, 0).eval()
    clause, short = [Spoken((12, 900))], Sampling(most=30, seed=3)
    own, given = (torch.cat(list(speak(model, clause, held, short))) for held in (None, torch.tensor(chosen)))
    assert torch.equal(own, given)


def trained(run: Path) -> Path:
    """A saved run as one that has come to the end of stage 3.1."""
    path = checkpoint.find(run) / "complete.json"
    said = json.loads(path.read_text()) | {"trained": {"codec": "3.1"}, "final": True}
    path.write_text(json.dumps(said))
    return run


def test_a_released_model_begins_the_first_half_too(
    make_stage: Callable[..., Path], make_spoken: Callable[..., ShardSample], tmp_path: Path
) -> None:
    plain = plan_of("2.1", tiny().geometry)["schedule"]
    halves = {
        "a": {"trains": ["speech_encoder"], "loss": "ctc", "needs": [], "schedule": plain},
        "b": {"trains": ["speech_adapter"], "loss": "lm", "needs": ["1.3", "2.1a"], "schedule": plain},
    }
    make_stage(tmp_path, "2.1", shards=1, held_out=0, make=make_spoken, halves=halves)
    config = replace(tiny(), decoder=replace(tiny().decoder, nar_layers=1))  # which a release can say
    model = build(config, 5)
    export_release(model, tmp_path / "released")
    asked = Options("2.1", str(tmp_path), "tiny", tmp_path / "run", (tmp_path / "released",), max_steps=1)
    assert train(asked)["stage"] == "2.1b"
    stored = Tensors(checkpoint.find(tmp_path / "run" / "a"), "model")
    for name in ("projector.0.weight", "language_model.model.embed_tokens.weight"):
        assert torch.equal(stored.read(name), model.state_dict()[name])
    name = "speech_encoder.subsampling.out.weight"
    began, ended = model.state_dict()[name], stored.read(name)
    assert not torch.equal(began, ended) and (began - ended).abs().max() < 1e-2  # one step from the release


def test_the_weights_of_terms_are_those_of_the_plan() -> None:
    assert objective("lm+state") == {"lm": 1.0, "state": 1.0}
    assert objective("lm+state", {"state": 5}) == {"lm": 1.0, "state": 5.0}
    assert objective("lm", {"lm": 1, "state": 1}) == {"lm": 1.0}  # an option took the state away
    with pytest.raises(
        UsageError, match=r"loss_weights.state of the stage's plan: loss lm has no term state"
    ):
        objective("lm", {"state": 2})
    with pytest.raises(UsageError, match="stat is no term of a loss; write state"):
        objective("lm+state", {"stat": 2})
    with pytest.raises(UsageError, match="loss codec is not one of"):
        objective("codec")


def test_steps_of_the_codec_are_scored_and_none_is_skipped(
    make_stage: Callable[..., Path],
    metrics: Callable[[Path], list[dict[str, Any]]],
    tmp_path: Path,
) -> None:
    make_stage(
        tmp_path, "3.1", shards=1, per_shard=12, held_out=0, loss="codec", trains=["codec"], make=utterance
    )
    asked = Options("3.1", str(tmp_path), "tiny", tmp_path / "run", max_steps=2, spike_window=2)
    with pytest.raises(UsageError, match="leave --skip-spikes out"):
        train(replace(asked, skip_spikes=6.0))
    train(asked)
    train(replace(asked, max_steps=None, resume=True))
    assert [line["spike"] is None for line in metrics(asked.out)] == [True, True, False]

"""`vita-model eval` on stages, and on folders of recordings."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
import soundfile
import torch

from tests.vita_model.eval.checkpoints import save_run
from vita_data.errors import UsageError
from vita_data.prompt.characters import Characters
from vita_data.shards.read import Stage
from vita_data.shards.write import ShardSample
from vita_model.batch.readers import Conversations, Transcripts
from vita_model.config.presets import tiny
from vita_model.eval.opened import open_model
from vita_model.eval.program import Options, evaluate
from vita_model.eval.speech import by_language_model
from vita_model.eval.table import speech_table, stage_table
from vita_model.nets.vita import Vita, build
from vita_model.train.task import open_task
from vita_model.weights.export import export_release

HALVES = {"a": ("ctc", ["speech_encoder"]), "b": ("lm", ["speech_adapter", "prompt_embeddings"])}


@pytest.fixture(scope="module")
def data(
    make_stage: Callable[..., Path],
    make_spoken: Callable[..., ShardSample],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A build of stage 1.2, in squares, and of stage 2.1, in letters that are tones."""
    folder = tmp_path_factory.mktemp("build")
    make_stage(folder, "1.2", shards=1, per_shard=4, held_out=4)
    schedule = {
        "learning_rate": 1e-3,
        "warmup_ratio": 0.0,
        "decay": "constant",
        "weight_decay": 0.0,
        "epochs": 1,
    }
    schedule |= {"global_batch": 2, "betas": [0.9, 0.999], "precision": "fp32"}
    halves = {
        half: {"loss": loss, "trains": trains, "needs": [], "schedule": schedule}
        for half, (loss, trains) in HALVES.items()
    }
    make_stage(folder, "2.1", shards=1, per_shard=4, held_out=4, make=make_spoken, halves=halves, loss="ctc")
    return folder


@pytest.fixture(scope="module")
def model(data: Path) -> Vita:
    characters = Characters.read(str(data / "stages" / "2.1" / "characters.json"))
    return build(replace(tiny(), characters=len(characters)), seed=1)


@pytest.fixture(scope="module")
def run(model: Vita, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_run(tmp_path_factory.mktemp("run"), model, "2.1b", data=str(data))


@pytest.mark.slow
def test_a_stage_is_scored_and_its_answers_are_left_beside_the_scores(
    cli: Callable[..., subprocess.CompletedProcess[str]], run: Path, data: Path, tmp_path: Path
) -> None:
    asked = ["--data", data, "--stage", "1.2", "--out", tmp_path]
    done = cli("eval", run, *asked, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found == json.loads((tmp_path / "eval.json").read_text())
    assert (found["stage"], found["part"], found["metric"]["name"]) == ("1.2", "held-out", "exact_match")
    assert found["checkpoint"].endswith("step-00000009") and set(found["sources"]) == {"squares", "others"}
    lines = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text().splitlines()]
    assert len(lines) == found["total"]["questions"] == 8 and found["total"]["samples"] == 4
    assert {"key", "turn", "source", "asked", "question", "wanted", "got", "right"} <= set(lines[0])
    own = tmp_path / "answers.jsonl"
    table = stage_table(evaluate(Options(run, stage="1.2", data=str(data), against=own)))
    assert "squares" in table and "against: +0.00 points" in table


def test_a_stage_of_speech_is_written_down_by_either_half(run: Path, data: Path) -> None:
    for half, more in (("2.1a", "cer"), ("2.1b", "token_accuracy")):
        found = evaluate(Options(run, stage=half, data=str(data), part="all"))
        assert found["metric"]["name"] == "wer" and more in found["total"]
        assert found["total"]["words"] == found["total"]["samples"] == 4


def test_all_of_a_stage_is_not_what_was_held_out_of_it(run: Path, data: Path) -> None:
    parts = {
        part: evaluate(Options(run, stage="1.2", data=str(data), part=part)) for part in ("held-out", "all")
    }
    assert parts["all"]["total"]["loss"] != parts["held-out"]["total"]["loss"]
    limited = evaluate(Options(run, stage="1.2", data=str(data), limit=1))
    assert {name: one["samples"] for name, one in limited["sources"].items()} == {"squares": 1, "others": 1}


def test_an_exported_model_answers_as_its_run(data: Path, tmp_path: Path) -> None:
    model = build(replace(tiny(), decoder=replace(tiny().decoder, layers=2, nar_layers=1)), seed=1)
    run = save_run(tmp_path / "run", model, "1.2", ())
    export_release(model, tmp_path / "exported")
    asked = {"stage": "1.2", "data": str(data)}
    theirs = evaluate(Options(tmp_path / "exported", preset="tiny", **asked))  # type: ignore[arg-type]
    assert theirs["total"] == evaluate(Options(run, **asked))["total"]  # type: ignore[arg-type]


def test_a_call_that_says_too_little_says_what_is_missing(run: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give --data"):
        evaluate(Options(run))
    with pytest.raises(UsageError, match="has nothing that it could be asked without sight"):
        evaluate(Options(run, stage="2.1a", data=str(data), without="sight"))
    deaf = save_run(tmp_path / "deaf", build(tiny(), 0), "1.2", ("language_model",))
    (tmp_path / "sounds").mkdir()
    with pytest.raises(UsageError, match="has not learned to hear"):
        evaluate(Options(deaf, speech=tmp_path / "sounds"))


@pytest.mark.slow
def test_recordings_are_written_down_both_ways_and_what_is_broken_is_named(
    cli: Callable[..., subprocess.CompletedProcess[str]], run: Path, tmp_path: Path
) -> None:
    for speaker in ("anna", "bert"):
        for digit in range(3):
            waves = 0.3 * numpy.sin(numpy.arange(3000) * (0.1 + 0.1 * digit))
            soundfile.write(tmp_path / f"{digit}_{speaker}_0.wav", waves, 8000)
    (tmp_path / "4_anna_0.wav").write_bytes(b"nothing")
    done = cli("eval", run, "--speech", tmp_path, "--strings", 8, "--json", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert (found["recordings"], found["strings"]) == (6, 8)
    assert [one["file"] for one in found["unread"]] == ["4_anna_0.wav"]
    for way in ("ctc", "lm"):
        assert set(found[way]["speakers"]) <= {"anna", "bert"}
        assert found[way]["total"]["utterances"] == 8 and found[way]["total"]["wer"] is not None
    lines = [json.loads(line) for line in (tmp_path / "out" / "answers.jsonl").read_text().splitlines()]
    assert len(lines) == 16 and {line["way"] for line in lines} == {"ctc", "lm"}
    table = speech_table(evaluate(Options(run, speech=tmp_path)))
    assert "not scored: 4_anna_0.wav" in table and "6 recordings" in table and "anna" in table


def test_speech_is_asked_for_as_its_stage_asked_for_it(run: Path, data: Path) -> None:
    """Template, guiding embeddings and all: what a shard's clip gets is what the same waveform gets by itself."""
    opened = open_model(run)
    stage = Stage(data / "stages" / "2.1")
    found = evaluate(Options(run, stage="2.1b", data=str(data), part="all"))
    task = open_task(str(data / "stages" / "2.1"), opened.model.config, None, None, "b")
    assert isinstance(task.reader, Conversations) and task.reader.encoder.prompts
    encoded = [task.reader.encoder.encode(stage.sample(0, row)) for row in range(4)]
    texts = by_language_model(opened, [one.sounds[0] for one in encoded])
    for one, text in zip(encoded, texts, strict=True):
        first = next(place for place, label in enumerate(one.labels) if label >= 0)
        alone = task.reader.encoder.listen("x", one.sounds[0])
        assert (alone.ids, alone.prompt_places) == (one.ids[:first], one.prompt_places)
        assert isinstance(text, str)
    assert found["total"]["samples"] == 4
    guided = {**opened.said, "trained": {"speech_adapter": "2.1b"}}
    others = by_language_model(replace(opened, said=guided), [one.sounds[0] for one in encoded])
    assert others != texts


def test_characters_come_from_the_checkpoint_or_from_the_build(
    model: Vita, data: Path, tmp_path: Path
) -> None:
    known = Characters.read(str(data / "stages" / "2.1" / "characters.json"))
    place = str(data / "stages" / "2.1")
    task = open_task(place, model.config, None, None, "a")
    assert isinstance(task.reader, Transcripts) and task.reader.characters == known
    sounds = tmp_path / "sounds"
    sounds.mkdir()
    soundfile.write(sounds / "1_anna_0.wav", numpy.zeros(8000), 8000)
    carrying = save_run(tmp_path / "a", model, "2.1a", data="gone", characters=list(known.symbols))
    without = save_run(tmp_path / "b", model, "2.1a", data="gone")
    wanted = evaluate(Options(carrying, speech=sounds))["ctc"]
    assert evaluate(Options(without, speech=sounds, data=str(data)))["ctc"] == wanted
    with pytest.raises(UsageError, match="which characters"):
        evaluate(Options(without, speech=sounds))


def test_nothing_is_drawn_that_a_seed_outside_could_change(run: Path, data: Path) -> None:
    torch.manual_seed(1)
    first = evaluate(Options(run, stage="2.1b", data=str(data)))
    torch.manual_seed(2)
    assert evaluate(Options(run, stage="2.1b", data=str(data))) == first

"""Samples that say they hold something and hold nothing; and heads of as many classes as a run is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vita_data.errors import ShardError, UsageError
from vita_data.prompt.characters import Characters
from vita_data.prompt.tokenizer import load_tokenizer
from vita_data.shards.read import Sample, Stage
from vita_data.shards.seal import CHARACTERS
from vita_data.shards.write import ShardSample
from vita_model.batch.encode import Encoder
from vita_model.batch.readers import Transcripts
from vita_model.config.presets import tiny
from vita_model.train import checkpoint
from vita_model.train.options import Options
from vita_model.train.program import train
from vita_model.train.tensors import Tensors

GEOMETRY = tiny().geometry
BOTH = 2  # of the small samples, one with something to see and to hear


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(load_tokenizer(GEOMETRY.tokenizer), GEOMETRY, state_tokens=True)


@pytest.fixture(scope="module")
def both(
    make_stage: Callable[..., Path],
    make_omni: Callable[..., ShardSample],
    tmp_path_factory: pytest.TempPathFactory,
) -> Sample:
    home = make_stage(tmp_path_factory.mktemp("senses"), "2.2", shards=1, make=make_omni, state_tokens=True)
    return Stage(home).sample(0, BOTH)


def said(sample: Sample, **changes: Any) -> Sample:
    return replace(sample, record={**sample.record, **changes})


def test_a_picture_of_no_tiles_is_an_error(encoder: Encoder, both: Sample) -> None:
    encoder.encode(both)
    with pytest.raises(ShardError, match=f"{both.key}: its image 0 holds nothing to be seen; build"):
        encoder.encode(replace(both, grids=[(0, 1)]))


def test_a_film_without_frames_is_an_error(encoder: Encoder, both: Sample) -> None:
    turns = [
        {**both.record["conversations"][0], "value": "<video>\n<audio>"},
        both.record["conversations"][1],
    ]
    empty = said(both, conversations=turns, image=[], video=[{"frames": []}])
    with pytest.raises(ShardError, match=f"{both.key}: its video 0 holds nothing to be seen; build"):
        encoder.encode(replace(empty, grids=[], media=both.media[1:]))


def test_a_sound_of_no_vectors_is_an_error(encoder: Encoder, both: Sample, make_tone: Any) -> None:
    with pytest.raises(
        ShardError, match=r"its sound of 1000 samples is too short to be heard as anything; build"
    ):
        encoder.encode(replace(both, media=[both.media[0], make_tone(1000)]))


def test_a_medium_that_the_words_do_not_mention_is_an_error(encoder: Encoder, both: Sample) -> None:
    turns = [{**both.record["conversations"][0], "value": "<image>"}, both.record["conversations"][1]]
    with pytest.raises(ShardError, match="it holds 1 pictures and 1 sounds and speaks of 1 and 0; build"):
        encoder.encode(said(both, conversations=turns))


@pytest.fixture(scope="module")
def make_tone() -> Callable[[int], bytes]:
    """The function that makes a clip of so many samples."""
    from tests.vita_model.conftest import tone

    return lambda samples: tone(1, samples)


def test_a_clip_without_a_sound_or_with_none_to_be_heard_is_an_error(
    make_stage: Callable[..., Path], make_spoken: Callable[..., ShardSample], make_tone: Any, tmp_path: Path
) -> None:
    broken = {0: [], 1: [("flac", make_tone(1000))]}

    def make(number: int, **changes: Any) -> ShardSample:
        made = make_spoken(number, **changes)
        return replace(made, media=broken.get(number, made.media))

    schedule = {"trains": ["speech_encoder"], "loss": "ctc", "needs": [], "schedule": {}}
    home = make_stage(
        tmp_path, "2.1", shards=1, per_shard=2, per_pack=1, held_out=0, make=make, halves={"a": schedule}
    )
    stage = Stage(home)
    reader = Transcripts(Characters.read(str(home / CHARACTERS)), GEOMETRY)
    for pack, words in zip(stage.packs(), ("holds no sound", "1000 samples is too short"), strict=True):
        with pytest.raises(ShardError, match=words):
            reader.batch(stage, pack)


def test_a_step_without_a_label_is_an_error_and_one_without_pictures_is_ordinary(
    make_stage: Callable[..., Path], make_sample: Callable[..., ShardSample], tmp_path: Path
) -> None:
    def mute(number: int, **changes: Any) -> ShardSample:
        return replace(make_sample(number, **changes), media=[("png", b"no picture")])

    make_stage(tmp_path, "1.2", shards=1, held_out=0, make=mute)
    with pytest.raises(ShardError, match="step 0 has nothing labelled"):
        train(Options("1.2", str(tmp_path), "tiny", tmp_path / "run"))
    make_stage(
        tmp_path / "words", "1.2", shards=1, per_shard=3, per_pack=1, held_out=0, schedule={"global_batch": 1}
    )
    assert train(Options("1.2", str(tmp_path / "words"), "tiny", tmp_path / "plain"))["step"] == 3


def test_a_state_head_that_has_learned_nothing_gets_the_classes_that_are_asked_for_and_keeps_them(
    make_stage: Callable[..., Path], make_omni: Callable[..., ShardSample], tmp_path: Path
) -> None:
    make_stage(tmp_path, "1.3", shards=1, held_out=0)
    senses = {"loss": "lm+state", "state_tokens": True, "trains": ["language_model", "state_head"]}
    make_stage(tmp_path, "2.2", shards=1, held_out=0, make=make_omni, needs=["1.3"], **senses)
    first = Options("1.3", str(tmp_path), "tiny", tmp_path / "first", max_steps=1)
    train(first)
    run = Options("2.2", str(tmp_path), "tiny", tmp_path / "run", (first.out,), max_steps=1, states=2)
    train(run)
    train(replace(run, resume=True, max_steps=2, states=None))
    assert Tensors(checkpoint.find(run.out), "model").read("state_head.weight").shape[0] == 2
    with pytest.raises(UsageError, match="has learned 2 classes; leave --states out"):
        train(replace(run, resume=True, max_steps=3, states=3))


def test_the_loss_is_the_sum_of_its_terms_as_the_card_weighs_them(
    make_stage: Callable[..., Path],
    make_omni: Callable[..., ShardSample],
    metrics: Callable[[Path], list[dict[str, Any]]],
    tmp_path: Path,
) -> None:
    senses = {"loss": "lm+state", "state_tokens": True, "trains": ["language_model", "state_head"]}
    make_stage(tmp_path, "2.2", shards=1, held_out=0, make=make_omni, loss_weights={"state": 3.0}, **senses)
    train(Options("2.2", str(tmp_path), "tiny", tmp_path / "run", max_steps=1))
    line = metrics(tmp_path / "run")[0]
    assert line["loss"] == pytest.approx(line["loss_lm"] + 3 * line["loss_state"], rel=1e-9)

"""Samples as the model is fed them, alone and packed."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy
import pytest
import soundfile
import torch
from PIL import Image

from vita_data.errors import ShardError
from vita_data.manifest.geometry import Geometry
from vita_data.prompt.lengths import audio_tokens, measure
from vita_data.prompt.tokenizer import load_tokenizer
from vita_data.shards.read import Sample, Stage
from vita_model.batch.collate import collate, empty
from vita_model.batch.encode import IGNORED, Encoder
from vita_model.batch.states import NOT_ADDRESSED, REPLY, SPOKEN, WRITTEN
from vita_model.config.presets import tiny

GEOMETRY = tiny().geometry
NO_SOUND = {"audio": [], "inserted_id": None}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, make_stage: Callable[..., Path]) -> Stage:
    return Stage(make_stage(tmp_path_factory.mktemp("encode"), shards=1, held_out=0))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(load_tokenizer(GEOMETRY.tokenizer), GEOMETRY)


def test_labels_are_the_answers_and_their_closing_tokens_only(stage: Stage, encoder: Encoder) -> None:
    for row in range(12):
        sample = stage.sample(0, row)
        encoded = encoder.encode(sample)
        learned = [label for label in encoded.labels if label != IGNORED]
        answers = [turn["value"] for turn in sample.record["conversations"] if turn["from"] == "gpt"]
        assert encoder.tokenizer.decode(learned) == "".join(f"{answer}<|im_end|>" for answer in answers)
        assert all(
            label in (IGNORED, token) for label, token in zip(encoded.labels, encoded.ids, strict=True)
        )


def test_tiles_stand_where_the_placeholder_stood(stage: Stage, encoder: Encoder) -> None:
    encoded = encoder.encode(stage.sample(0, 1))
    places = encoded.tile_places
    assert len(places) == len(encoded.tiles) * GEOMETRY.tile_tokens > 0
    assert places == list(range(places[0], places[0] + len(places)))
    assert encoder.tokenizer.decode(encoded.ids[: places[0]]).endswith("<|im_start|>user\n")
    after = encoder.tokenizer.decode(encoded.ids[places[-1] + 1 :])
    assert after.startswith("\nWhich colour is square 1?<|im_end|>")
    assert {encoded.labels[place] for place in places} == {IGNORED}


def test_a_sample_that_is_longer_than_its_index_says_is_refused(stage: Stage, encoder: Encoder) -> None:
    found = stage.sample(0, 0)
    wrong = Sample(found.key, found.source, found.record, found.media, found.grids, found.length - 1)
    with pytest.raises(ShardError, match=f"{found.key} makes {found.length} tokens"):
        encoder.encode(wrong)


def heard(turns: list[dict[str, str]], seconds: list[float], inserted_id: int | None = None) -> Sample:
    """A sample of sounds of these lengths, as a shard holds it."""
    geometry = tiny().geometry
    counts = [int(16000 * length) for length in seconds]
    lengths = measure(
        turns, [], geometry, load_tokenizer(geometry.tokenizer), True, heard=counts, inserted_id=inserted_id
    )
    record = {"conversations": turns, "image": [], "video": [], "audio": ["a.flac"] * len(counts)}
    return Sample(
        "s", "voices", {**record, "inserted_id": inserted_id}, [tone(n) for n in counts], [], lengths.length
    )


def tone(samples: int) -> bytes:
    stream = io.BytesIO()
    waves = 0.25 * numpy.sin(numpy.arange(samples) / 20)
    soundfile.write(stream, waves, 16000, format="FLAC")
    return stream.getvalue()


TALK = [
    {"from": "human", "value": "<audio>"},
    {"from": "gpt", "value": "Yes."},
    {"from": "human", "value": "And this?\n<audio>\n<audio>"},
    {"from": "gpt", "value": "No."},
    {"from": "human", "value": "Thanks."},
    {"from": "gpt", "value": "Any time."},
]


def test_sounds_take_as_many_places_as_the_formula_says_and_states_stand_at_their_ends() -> None:
    geometry = tiny().geometry
    encoder = Encoder(load_tokenizer(geometry.tokenizer), geometry, state_tokens=True)
    found = encoder.encode(heard(TALK, [1.0, 0.5, 2.0], inserted_id=3))
    assert [len(sound) for sound in found.sounds] == [16000, 8000, 32000]
    tokens = [audio_tokens(n) for n in (16000, 8000, 32000)]
    assert len(found.sound_places) == sum(tokens)
    assert all(found.ids[place] == 0 and found.labels[place] == IGNORED for place in found.sound_places)
    ends = [found.sound_places[tokens[0] - 1], found.sound_places[-1]]
    assert found.states == [(ends[0], REPLY), (ends[1], NOT_ADDRESSED)]
    assert found.sounds[0].abs().max() == pytest.approx(0.25, abs=1e-3)


def test_guiding_embeddings_stand_before_each_sound_and_lengthen_the_sequence() -> None:
    geometry = tiny().geometry
    sample = heard(TALK, [1.0, 0.5, 2.0])
    encoder = Encoder(load_tokenizer(geometry.tokenizer), geometry, state_tokens=True, prompts=5)
    found = encoder.encode(sample)
    assert len(found.prompt_places) == 15 and len(found.ids) == sample.length + 15
    assert found.prompt_places[4] + 1 == found.sound_places[0]


def test_states_are_carried_along_only_where_they_are_learned() -> None:
    geometry = tiny().geometry
    encoder = Encoder(load_tokenizer(geometry.tokenizer), geometry, state_tokens=True)
    one = encoder.encode(heard(TALK, [1.0, 0.5, 2.0], inserted_id=3))
    with_states, without = collate([one, one], states=True), collate([one, one])
    assert with_states.state_targets.tolist() == [REPLY, NOT_ADDRESSED] * 2
    assert with_states.state_places[2] == one.states[0][0] + len(one.ids)
    assert with_states.sound_lengths == (16000, 8000, 32000) * 2 and len(without.state_targets) == 0


def test_a_head_of_two_classes_looks_at_the_end_of_every_question_and_tells_speech_from_writing() -> None:
    encoder = Encoder(load_tokenizer(GEOMETRY.tokenizer), GEOMETRY, state_tokens=True, classes=2)
    found = encoder.encode(heard(TALK, [1.0, 0.5, 2.0], inserted_id=3))
    (first, second, written), states = zip(*found.states, strict=True)
    assert states == (SPOKEN, SPOKEN, WRITTEN)
    assert (first, second) == (found.sound_places[audio_tokens(16000) - 1], found.sound_places[-1])
    assert encoder.tokenizer.decode(found.ids[: written + 1]).endswith("<|im_start|>user\nThanks.")
    assert found.ids[written + 1] == encoder.tokenizer.im_end


def test_an_answer_to_noise_that_ends_at_once_is_as_long_as_the_build_measured_it() -> None:
    tokenizer = load_tokenizer(GEOMETRY.tokenizer)
    whole, sounds = heard(TALK, [1.0, 0.5, 2.0], inserted_id=3), [16000, 8000, 32000]
    ended = measure(TALK, [], GEOMETRY, tokenizer, True, heard=sounds, inserted_id=3, noise_ends=True)
    found = Encoder(tokenizer, GEOMETRY, True, noise_ends=True).encode(replace(whole, length=ended.length))
    assert whole.length - ended.length == len(tokenizer.encode("No."))
    learned = [label for label in found.labels if label != IGNORED]
    said = tokenizer.state_tokens["noise"]
    assert learned[learned.index(said) + 1] == tokenizer.im_end


def test_a_sound_that_is_no_sound_is_refused_by_name() -> None:
    geometry = tiny().geometry
    encoder = Encoder(load_tokenizer(geometry.tokenizer), geometry, state_tokens=True)
    broken = replace(heard(TALK, [1.0, 0.5, 2.0]), media=[b"fLaC and no more"] * 3)
    with pytest.raises(ShardError, match="s sound 0: its sound cannot be decoded"):
        encoder.encode(broken)


def test_a_pack_joins_its_samples_without_crossing_them(stage: Stage, encoder: Encoder) -> None:
    samples = [encoder.encode(stage.sample(0, row)) for row in (3, 1, 2)]
    batch = collate(samples)
    assert batch.segments == (0, *torch.tensor([len(one.ids) for one in samples]).cumsum(0).tolist())
    for one, first, last in zip(samples, batch.segments, batch.segments[1:], strict=False):
        assert batch.ids[first:last].tolist() == one.ids
        assert batch.positions[first:last].tolist() == list(range(len(one.ids)))
        inside = (batch.loss_places >= first) & (batch.loss_places < last)
        wanted = [(first + n - 1, label) for n, label in enumerate(one.labels) if label != IGNORED]
        found = zip(batch.loss_places[inside].tolist(), batch.targets[inside].tolist(), strict=True)
        assert list(found) == wanted
    shifted = [
        first + place
        for one, first in zip(samples, batch.segments, strict=False)
        for place in one.tile_places
    ]
    assert batch.tile_places.tolist() == shifted
    assert len(batch.tiles) == sum(len(one.tiles) for one in samples)
    assert batch.keys == tuple(one.key for one in samples)


def test_an_empty_pack_has_a_token_and_no_label() -> None:
    batch = empty(112)
    assert (batch.tokens, batch.counts["lm"], len(batch.tiles), batch.segments) == (1, 0, 0, (0, 1))


def test_the_frames_of_a_film_stand_where_it_does_one_tile_each(encoder: Encoder) -> None:
    turns = [
        {"from": "human", "value": "<video>\n<image>\nWhat changes?"},
        {"from": "gpt", "value": "The colour."},
        {"from": "human", "value": "<video>\nAnd here?"},
        {"from": "gpt", "value": "Nothing."},
    ]
    lengths = measure(turns, [(112, 112)], GEOMETRY, encoder.tokenizer, frames=[2, 3])
    members = [f"s-1.{n}.jpg" for n in range(6)]
    films = [{"frames": members[1:3], "times": [0, 1]}, {"frames": members[3:], "times": [0, 1, 2]}]
    media = [_flat((40 * n, 0, 0)) for n in range(6)]
    record = {"conversations": turns, "image": members[:1], "video": films} | NO_SOUND
    encoded = encoder.encode(Sample("s-1", "s", record, media, lengths.grids, lengths.length))
    tokens = GEOMETRY.tile_tokens
    assert [round(float(tile[0].float().mean())) // 40 for tile in encoded.tiles] == list(range(6))
    image, *frames = (encoded.tile_places[n * tokens] for n in range(6))
    assert frames[0] < frames[1] < image < frames[2] < frames[3] < frames[4]
    assert frames[1] == frames[0] + tokens and frames[3] == frames[2] + tokens
    assert encoder.tokenizer.decode(encoded.ids[: frames[0]]).endswith("<|im_start|>user\n")


def _flat(colour: tuple[int, int, int]) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (112, 112), colour).save(stream, "PNG")
    return stream.getvalue()


def test_the_papers_geometry_makes_tiles_of_256_tokens() -> None:
    geometry = Geometry()
    tokenizer = load_tokenizer(geometry.tokenizer)
    turns = [{"from": "human", "value": "<image>\nWhat is it?"}, {"from": "gpt", "value": "A square."}]
    lengths = measure(turns, [(900, 450)], geometry, tokenizer)
    stream = io.BytesIO()
    Image.new("RGB", (900, 450), (200, 0, 0)).save(stream, "JPEG")
    record = {"conversations": turns, "image": ["s-1.0.jpg"], "video": []} | NO_SOUND
    sample = Sample("s-1", "s", record, [stream.getvalue()], lengths.grids, lengths.length)
    encoded = Encoder(tokenizer, geometry).encode(sample)
    assert encoded.tiles.shape == (3, 3, 448, 448) and len(encoded.tile_places) == 3 * 256
    assert [label for label in encoded.labels if label != IGNORED][-1] == 151645

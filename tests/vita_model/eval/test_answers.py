"""The questions of a stage and the answers of a model, against the model asked one token at a time."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from vita_data.prompt.template import TextPiece, encode_chat
from vita_data.prompt.tokenizer import load_tokenizer
from vita_data.shards.read import Stage
from vita_data.shards.write import ShardSample
from vita_model.batch.collate import collate
from vita_model.batch.encode import Encoded, Encoder
from vita_model.config.presets import tiny
from vita_model.eval.answers import ROOM, Examiner, Line, words_of
from vita_model.eval.chosen import chosen
from vita_model.eval.summary import summary
from vita_model.nets.generate import generate
from vita_model.nets.greedy import answers
from vita_model.nets.vita import Vita, build

GEOMETRY = tiny().geometry
TOKENIZER = load_tokenizer(GEOMETRY.tokenizer)
ENCODER = Encoder(TOKENIZER, GEOMETRY, state_tokens=True)


@pytest.fixture(scope="module")
def model() -> Vita:
    """A tiny model of which nothing is likely to be said, but all of it in a certain order."""
    return build(tiny(), seed=3).eval()


@pytest.fixture(scope="module")
def stage(
    make_stage: Callable[..., Path],
    make_omni: Callable[..., ShardSample],
    tmp_path_factory: pytest.TempPathFactory,
) -> Stage:
    """What is held out of pictures, sounds, both and neither."""
    folder = tmp_path_factory.mktemp("build")
    make_stage(folder, "2.2", shards=1, per_shard=2, held_out=8, make=make_omni, state_tokens=True)
    held_out = Stage(folder / "stages" / "2.2").held_out
    assert held_out is not None
    return held_out


@pytest.fixture(scope="module")
def lines(model: Vita, stage: Stage) -> list[Line]:
    return Examiner(model, ENCODER, heads=True).lines(stage, chosen(stage))


def test_every_answer_is_the_one_that_its_prompt_alone_would_get(
    model: Vita, stage: Stage, lines: list[Line]
) -> None:
    for line, place in list(zip(lines, chosen(stage), strict=True))[:4]:
        encoded = ENCODER.encode(stage.sample(place.shard, place.row))
        first = next(n for n, label in enumerate(encoded.labels) if label >= 0)
        batch = collate([encoded])
        with torch.no_grad():
            prompt = model.embed(batch)[:first]
            most = ROOM + 2 * line["tokens"]
            said: list[int] = []
            while len(said) < most:
                ids = torch.tensor(said, dtype=torch.int64)
                whole = torch.cat((prompt, model.language_model.embed(ids)))
                positions = torch.arange(len(whole))
                states = model.language_model.hidden(whole, positions, (0, len(whole)))
                token = int(model.language_model.lm_head(states[-1:]).argmax())
                if token == TOKENIZER.im_end:
                    break
                said.append(token)
        assert line["got"] == words_of(said, TOKENIZER)


def test_a_prompt_of_text_is_what_the_template_leaves_open(
    make_stage: Callable[..., Path], model: Vita, tmp_path: Path
) -> None:
    """Earlier turns stand as they were wanted, and each answer of a sample is a question of its own."""
    make_stage(tmp_path, shards=1, per_shard=2, held_out=3)
    stage = Stage(tmp_path / "stages" / "1.2").held_out
    assert stage is not None
    encoder = Encoder(TOKENIZER, GEOMETRY)
    found = Examiner(model, encoder).lines(stage, chosen(stage))
    assert [line["turn"] for line in found] == [1, 3, 1, 3, 1, 3]
    number, written = next(
        (n, one) for n, place in enumerate(chosen(stage)) if not (one := stage.sample(0, place.row)).media
    )
    turns = written.record["conversations"][:3]
    ids = [
        token
        for piece in encode_chat(turns, TOKENIZER)
        if isinstance(piece, TextPiece)
        for token in piece.ids
    ]
    line = found[2 * number + 1]
    prompt = model.language_model.embed(torch.tensor(ids)).detach()
    (said,) = answers(model.language_model, [prompt], [ROOM + 2 * line["tokens"]], (TOKENIZER.im_end,))
    assert line["got"] == TOKENIZER.decode(said)
    assert line["question"] == "Are you sure?"


def test_answers_of_many_lengths_are_those_of_one_at_a_time(model: Vita) -> None:
    draw = random.Random(1)
    asked = [[draw.randrange(8000) for _ in range(draw.choice((3, 4, 9)))] for _ in range(20)]
    most = [draw.randrange(1, 12) for _ in asked]
    prompts = [model.language_model.embed(torch.tensor(ids)).detach() for ids in asked]
    free = answers(model.language_model, prompts, [12] * 20, ())
    stop = {answer[5] for answer in free[:3]}
    found = answers(model.language_model, prompts, most, stop)
    pixels = GEOMETRY.tile_pixels
    for ids, number, answer in zip(asked, most, found, strict=True):
        nothing = torch.zeros(0, 3, pixels, pixels, dtype=torch.uint8)
        batch = collate([Encoded("q", ids, [-100] * len(ids), [], nothing)])
        assert answer == list(generate(model, batch, number, stop))


def test_the_loss_is_that_of_the_forward_pass(model: Vita, stage: Stage, lines: list[Line]) -> None:
    places = chosen(stage)
    batch = collate([ENCODER.encode(stage.sample(place.shard, place.row)) for place in places])
    with torch.no_grad():
        wanted = float(model(batch)["lm"].sum())
    assert sum(line["loss"] for line in lines) == pytest.approx(wanted, rel=1e-5)
    assert summary(lines, 0)["total"]["loss"] == pytest.approx(wanted / len(batch.targets), rel=1e-5)


def test_states_are_told_apart_by_how_a_question_was_asked(lines: list[Line]) -> None:
    for line in lines:
        assert line["asked"] in (("spoken", "noise") if line["heard"] else ("written",))
        assert line["state_wanted"] == {"spoken": "reply", "noise": "noise", "written": "text"}[line["asked"]]
        assert ("head" in line) == line["heard"]
    total = summary(lines, 0)["total"]
    assert set(total["state_head"]["heard"]) <= {"reply", "noise"} and not total["state_head"]["written"]
    assert sum(one["questions"] for one in total["state_tokens"]["heard"].values()) == sum(
        line["heard"] for line in lines
    )
    assert set(total["asked"]) == {line["asked"] for line in lines}


@pytest.mark.parametrize(("without", "changed"), [("sound", "heard"), ("sight", "seen")])
def test_what_is_asked_without_a_sense_changes_only_where_there_is_something_for_it(
    model: Vita, stage: Stage, lines: list[Line], without: str, changed: str
) -> None:
    found = Examiner(model, ENCODER, without=without).lines(stage, chosen(stage))  # type: ignore[arg-type]
    for place, before, after in zip(chosen(stage), lines, found, strict=True):
        record = stage.sample(place.shard, place.row).record
        there = {"heard": bool(record["audio"]), "seen": bool(record["image"])}[changed]
        assert (before["loss"] != pytest.approx(after["loss"], rel=1e-6)) == there


def test_the_same_is_answered_at_every_run(model: Vita, stage: Stage, lines: list[Line]) -> None:
    assert Examiner(model, ENCODER, heads=True).lines(stage, chosen(stage)) == lines


def test_a_larger_choice_holds_the_smaller_one(stage: Stage) -> None:
    few, more = chosen(stage, 2), chosen(stage, 4)
    assert {place.key for place in few} < {place.key for place in more}
    sources = [stage.sample(place.shard, place.row).source for place in few]
    assert {sources.count(source) for source in sources} == {2}
    assert [place.row for place in more] == sorted(place.row for place in more)

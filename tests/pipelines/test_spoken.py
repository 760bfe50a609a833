"""Stage 2.2 through whole builds: which questions are spoken, by which engine, and what is proved of it."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pipelines.graphs import GRAPHS
from tests.factories import (
    picture_source,
    run_build,
    shard_digests,
    stamps,
    vita_data,
    write_mixture,
    write_source,
)
from tests.sounds import speechlike
from vita_data.errors import QuotaError, UsageError, VitaError
from vita_data.files import read_table
from vita_data.prompt.template import TextPiece, encode_chat
from vita_data.prompt.tokenizer import load_tokenizer
from vita_data.records.key import keyed_hash
from vita_data.select.why import why
from vita_data.shards import recount
from vita_data.shards.prove import prove
from vita_data.shards.read import Sample, Stage
from vita_data.speech.questions import words_of

# An engine that counts its calls in a file; texts with an "impossible" number fail when it is told so.
ENGINE = """
import hashlib, io, os
import numpy as np, soundfile

def tone(text, language, voice, speed):
    with open(os.environ["TONE_CALLS"], "a") as calls:
        calls.write(text + "\\n")
    every = int(os.environ.get("TONE_FAILS", "0"))
    if every and hashlib.sha256(text.encode()).digest()[0] % every == 0:
        raise ValueError("cannot say it")
    samples = np.arange(int(22050 * (0.4 + len(text) * 0.3 / speed)))
    sound = 9000 * np.sin(samples * (0.02 + 0.01 * len(voice)))
    buffer = io.BytesIO()
    soundfile.write(buffer, sound.astype(np.int16), 22050, format="WAV")
    return buffer.getvalue()
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which the engine of these tests writes every text that it is given."""
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "tone_engine.py").write_text(ENGINE)
    monkeypatch.syspath_prepend(str(tmp_path / "engine"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "engine"), prepend=":")
    monkeypatch.setenv("TONE_CALLS", str(tmp_path / "calls"))
    return tmp_path / "calls"


SPEECH = {"engine": "tone_engine:tone", "voices": {"en": ["ann", "bo"], "zh": ["lin"]}}


def texts(home: Path, name: str = "texts", count: int = 60, most: int = 3) -> None:
    """Conversations of one to `most` questions."""
    told = [
        {
            "id": number,
            "conversations": [
                turn
                for place in range(1 + number % most)
                for turn in (
                    {"from": "human", "value": f"What is {place} times {number}?"},
                    {"from": "gpt", "value": f"It is {place * number}."},
                )
            ],
        }
        for number in range(count)
    ]
    write_source(home, name, told, "QA", "Pure Text")


def corpus(home: Path, speech: dict[str, Any] | None = None, **card: Any) -> Path:
    """Questions on pictures and without, captions, and a stage card that takes all of them."""
    picture_source(home, "asks", 30)
    picture_source(home, "tells", 20, "Description")
    texts(home)
    stage_card(home)
    sources: dict[str, int | str] = {"asks": "all", "tells": "all", "texts": "all"}
    return write_mixture(home, sources, holdout={"share": 0.05, "least": 4}, speech=speech or SPEECH, **card)


def stage_card(home: Path, spoken: float = 0.5, negatives: float = 0.0) -> None:
    """Stage 2.2 with all of the data, beside the mixture."""
    card = {
        "stage": "2.2",
        "title": "Spoken",
        "unit": "questions",
        "reads": ["image", "text", "audio"],
        "shares": {"caption": 1, "qa": 1},
        "spoken_share": spoken,
        "negatives": negatives,
        "state_tokens": True,
        "trains": ["projector"],
        "loss": "lm",
        "schedule": {
            "learning_rate": 1e-3,
            "warmup_ratio": 0,
            "decay": "constant",
            "weight_decay": 0,
            "clip": 1.0,
            "epochs": 1,
            "global_batch": 4,
            "betas": [0.9, 0.999],
            "precision": "fp32",
        },
        "needs": [],
    }
    (home / "stages").mkdir(exist_ok=True)
    (home / "stages" / "2.2.yaml").write_text(json.dumps(card))


def stage_of(out: Path) -> Stage:
    proof = prove(str(out / "stages/2.2"))
    assert proof["errors"] == []
    return Stage(str(out / "stages/2.2"))


def samples_of(stage: Stage) -> Iterator[Sample]:
    for number in range(stage.shard_count):
        for row in range(len(stage.shard(number))):
            yield stage.sample(number, row)


def spoken_of(stage: Stage) -> set[tuple[str, int]]:
    """(key, turn) of everything that is spoken."""
    return {(s.key, said["turn"]) for s in samples_of(stage) for said in s.record["spoken"]}


def lines_of(facts: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {line["source"]: line for line in facts["sources"]}


def in_order(stage: Stage, source: str, seed: int = 0) -> list[tuple[str, int]]:
    """The questions of a source in the order in which they are spoken, said once more."""
    every = [
        (s.key, turn)
        for s in samples_of(stage)
        if s.source == source
        for turn, said in enumerate(s.record["conversations"])
        if said["from"] == "human"
    ]
    return sorted(every, key=lambda each: (keyed_hash(seed, "spoken", each[0], str(each[1])), *each))


def test_exactly_the_first_half_of_the_questions_of_each_qa_source_is_spoken(
    tmp_path: Path, calls: Path
) -> None:
    facts = run_build(corpus(tmp_path), tmp_path / "out", "2.2")
    stage = stage_of(tmp_path / "out")
    spoken = spoken_of(stage)
    for name, line in lines_of(facts).items():
        questions = in_order(stage, name)
        count = 0 if name == "tells" else len(questions) // 2
        assert {each for each in questions if each in spoken} == set(questions[:count])
        assert line["written"]["spoken"] == count and line["unspoken"] == {}
    plan = {line["source"]: line["spoken"] for line in stage.plan["sources"]}
    assert plan == {name: line["written"]["spoken"] for name, line in lines_of(facts).items()}
    assert facts["totals"]["spoken"] == len(spoken) > 40
    assert stage.held_out is not None
    held = spoken_of(stage.held_out)
    for name in ("asks", "texts"):
        questions = in_order(stage.held_out, name)
        assert {each for each in questions if each in held} == set(questions[: len(questions) // 2])
    assert held


def test_a_spoken_question_is_heard_where_its_words_stood(tmp_path: Path, calls: Path) -> None:
    run_build(corpus(tmp_path), tmp_path / "out", "2.2")
    voices, said_of = set(), 0
    for sample in samples_of(stage_of(tmp_path / "out")):
        record = sample.record
        assert [said["audio"] for said in record["spoken"]] == record["audio"]
        turns = [said["turn"] for said in record["spoken"]]
        assert turns == sorted(turns)  # sounds lie in the order of their placeholders
        for said, data in zip(record["spoken"], sample.media[len(record["image"]) :], strict=True):
            value = record["conversations"][said["turn"]]["value"]
            assert value == ("<image>\n<audio>" if record["image"] else "<audio>")
            assert said["text"] and said["text"] not in json.dumps(record["conversations"])
            assert said["text"] == words_of(said["text"])
            sound, rate = soundfile.read(io.BytesIO(data), dtype="int16")
            assert len(sound) / rate == pytest.approx(
                0.4 + len(said["text"]) * 0.3 / said["speed"], abs=0.001
            )
            assert rate == 16_000 and sound.ndim == 1 and np.abs(sound.astype(int)).max() > 3000
            assert 150 <= said["speed"] <= 210 and 20 <= said["noise"] <= 40
            voices.add(said["voice"])
            said_of += 1
    assert voices == {"ann", "bo"} and said_of


def test_a_build_again_speaks_nothing_and_writes_nothing(tmp_path: Path, calls: Path) -> None:
    mixture = corpus(tmp_path)
    facts = run_build(mixture, tmp_path / "out", "2.2")
    spoken = calls.read_text()
    tables = list((tmp_path / "out/speech").glob("*/*.parquet"))
    assert 0 < sum(len(read_table(str(path))) for path in tables) == len(spoken.splitlines())
    before = stamps(tmp_path / "out/stages")
    assert run_build(mixture, tmp_path / "out", "2.2") == facts
    assert stamps(tmp_path / "out/stages") == before
    digests = shard_digests(tmp_path / "out/stages/2.2")
    shutil.rmtree(tmp_path / "out/stages")
    run_build(mixture, tmp_path / "out", "2.2")
    assert shard_digests(tmp_path / "out/stages/2.2") == digests
    assert calls.read_text() == spoken


@pytest.mark.slow
def test_spoken_questions_are_the_same_bytes_on_two_processes_and_without_a_cache(
    tmp_path: Path, calls: Path
) -> None:
    mixture = corpus(tmp_path)
    for workers in (1, 2):
        run_build(mixture, tmp_path / str(workers), "2.2", workers)
    digests = shard_digests(tmp_path / "1/stages/2.2")
    assert digests == shard_digests(tmp_path / "2/stages/2.2") != {}
    shutil.rmtree(tmp_path / "1")
    run_build(mixture, tmp_path / "1", "2.2")
    assert shard_digests(tmp_path / "1/stages/2.2") == digests


def test_a_sound_that_was_damaged_in_the_cache_is_named_and_costs_no_sample(
    tmp_path: Path, calls: Path
) -> None:
    mixture = corpus(tmp_path)
    run_build(mixture, tmp_path / "out", "2.2")
    digests = shard_digests(tmp_path / "out/stages/2.2")
    shutil.rmtree(tmp_path / "out/stages")
    tar = sorted((tmp_path / "out/speech").glob("*/*.tar"))[0]
    data = tar.read_bytes()
    tar.write_bytes(data.replace(b"fLaC", b"fLaX"))
    with pytest.raises(VitaError, match=f"{tar.name} is damaged; remove it"):
        run_build(mixture, tmp_path / "out", "2.2")
    tar.unlink()
    run_build(mixture, tmp_path / "out", "2.2")
    assert shard_digests(tmp_path / "out/stages/2.2") == digests


def test_prove_counts_what_is_spoken_from_the_tars(
    tmp_path: Path, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_build(corpus(tmp_path), tmp_path / "out", "2.2")
    folder = str(tmp_path / "out/stages/2.2")
    proof = prove(folder)
    assert proof["ok"] and proof["spoken"] == sum(line["spoken"] for line in proof["sources"]) > 0
    monkeypatch.setattr(recount, "questions_spoken", lambda record: record["spoken"][1:])
    errors = " ".join(prove(folder)["errors"])
    assert "source texts: " in errors and "questions were to be spoken and" in errors
    assert "source asks, held out: " in errors
    monkeypatch.undo()
    monkeypatch.setattr(recount, "is_spoken", lambda value: False)
    assert "is said to be spoken and is written" in " ".join(prove(folder)["errors"])


class Killed(BaseException):
    """What a kill is to the lines after it."""


@pytest.mark.parametrize("step", ["speak", "fit", "voice", "fill"])
def test_a_build_stopped_before_a_step_goes_on_with_what_was_spoken(
    tmp_path: Path, calls: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    mixture = corpus(tmp_path)
    run_build(mixture, tmp_path / "whole", "2.2")
    whole = calls.read_text().splitlines()
    calls.unlink()
    whole_graph = GRAPHS[step]

    def stopped(items: list[Any]) -> Any:
        raise Killed

    monkeypatch.setitem(GRAPHS, step, stopped)
    with pytest.raises(Killed):
        run_build(mixture, tmp_path / "out", "2.2")
    assert not (tmp_path / "out/stages/2.2/stage.json").exists()
    monkeypatch.setitem(GRAPHS, step, whole_graph)
    run_build(mixture, tmp_path / "out", "2.2")
    assert shard_digests(tmp_path / "out/stages/2.2") == shard_digests(tmp_path / "whole/stages/2.2")
    assert sorted(calls.read_text().splitlines()) == sorted(whole)


def test_questions_that_fail_stay_written_and_the_next_in_order_are_spoken(
    tmp_path: Path, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixture = corpus(tmp_path)
    run_build(mixture, tmp_path / "good", "2.2")
    monkeypatch.setenv("TONE_FAILS", "3")
    facts = run_build(mixture, tmp_path / "out", "2.2")
    stage, good = stage_of(tmp_path / "out"), stage_of(tmp_path / "good")
    spoken = spoken_of(stage)
    for name in ("asks", "texts"):
        line = lines_of(facts)[name]
        count = len(in_order(good, name)) // 2
        assert line["written"]["spoken"] == count
        assert set(line["unspoken"]) == {"engine_failed"}
        order = in_order(stage, name)
        last = max(order.index(each) for each in spoken if each in order)
        assert last + 1 == count + line["unspoken"]["engine_failed"]
    tried = calls.read_text().splitlines()
    run_build(mixture, tmp_path / "out", "2.2")
    shutil.rmtree(tmp_path / "out/stages")
    run_build(mixture, tmp_path / "out", "2.2")  # what failed is remembered too
    assert calls.read_text().splitlines() == tried


def test_too_few_questions_that_can_be_spoken_are_told_with_their_reasons(
    tmp_path: Path, calls: Path
) -> None:
    talk = [
        {"id": n, "conversations": [{"from": "human", "value": value}, {"from": "gpt", "value": "Yes."}]}
        for n, value in enumerate(["Is it?", "???", "\u00bf?", "word " * 600, "你好吗？", "Is it not?"] * 4)
    ]
    write_source(tmp_path, "odd", talk, "QA", "Pure Text")
    stage_card(tmp_path, spoken=1)
    speech = {**SPEECH, "voices": {"en": ["ann"]}}
    mixture = write_mixture(tmp_path, {"odd": "all"}, holdout={"share": 0, "least": 0}, speech=speech)
    facts = run_build(mixture, tmp_path / "out", "2.2")
    (line,) = facts["sources"]
    assert line["written"]["spoken"] == 8
    assert line["unspoken"] == {"long_text": 4, "no_voice": 4, "no_words": 8}
    assert stage_of(tmp_path / "out").plan["sources"][0]["spoken"] == 24


def test_a_question_that_would_make_its_sample_too_long_stays_written(tmp_path: Path, calls: Path) -> None:
    answer, asked = "A sentence of some words. " * 50, "Tell me more, " * 7
    told = [
        {
            "id": number,
            "conversations": [
                turn
                for place in range(4)
                for turn in (
                    {"from": "human", "value": f"{asked} {number} {place}."},
                    {"from": "gpt", "value": answer},
                )
            ],
        }
        for number in range(8)
    ]
    write_source(tmp_path, "long", told, "QA", "Pure Text")
    stage_card(tmp_path, spoken=1)
    slow = {**SPEECH, "speed": [1, 1]}  # half a minute, of which two and the answers are more than a sequence
    mixture = write_mixture(tmp_path, {"long": "all"}, holdout={"share": 0, "least": 0}, speech=slow)
    (line,) = run_build(mixture, tmp_path / "out", "2.2")["sources"]
    assert line["written"]["spoken"] == 8 and line["unspoken"] == {"too_long": 24}
    stage = stage_of(tmp_path / "out")
    order = in_order(stage, "long")
    first = {key: min(order.index(each) for each in order if each[0] == key) for key, _ in order}
    assert spoken_of(stage) == {order[place] for place in first.values()}
    assert all(sample.length <= 2048 for sample in samples_of(stage))


def test_an_engine_that_speaks_nothing_stops_the_build(
    tmp_path: Path, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TONE_FAILS", "1")
    with pytest.raises(
        VitaError, match=r"not one of \d+ questions could be spoken \(\d+ of them: engine_failed\)"
    ):
        run_build(corpus(tmp_path), tmp_path / "out", "2.2")


@pytest.mark.parametrize(
    ("speech", "words"),
    [
        ({"engine": "tone_engine:silence"}, "engine tone_engine:silence cannot be loaded"),
        ({"engine": "command", "command": ["no-such-tts", "{text_file}", "{wav}"]}, "command no-such-tts"),
        ({"engine": "folder", "folder": "/nowhere/at-all"}, "folder /nowhere/at-all of finished speech"),
    ],
)
def test_an_engine_that_is_not_there_is_named_before_anything_is_written(
    tmp_path: Path, calls: Path, speech: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        run_build(corpus(tmp_path, {**SPEECH, **speech}), tmp_path / "out", "2.2")
    assert not (tmp_path / "out/stages").exists()


def test_a_missing_espeak_is_told_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="apt-get install espeak-ng"):
        run_build(corpus(tmp_path, {"engine": "espeak-ng"}), tmp_path / "out", "2.2")


def negatives(home: Path, name: str, count: int) -> None:
    """Clips that nobody meant for the model, in VITA's shape; every third after a question that was meant."""
    (home / name / "audio").mkdir(parents=True)
    told = []
    for number in range(count):
        clips = 2 if number % 3 == 0 else 1
        names = [f"{number}-{place}.flac" for place in range(clips)]
        for place, file in enumerate(names):
            seed = sum(name.encode()) + 10 * number + place
            soundfile.write(home / name / "audio" / file, speechlike(0.4, 16_000, seed), 16_000)
        turns = [{"from": "human", "value": "<audio>"}, {"from": "gpt", "value": "Somebody talks."}]
        told.append(
            {"id": number, "audio": names, "conversations": turns * clips, "inserted_id": 2 * clips - 1}
        )
    bad = {**told[1], "id": "bad", "inserted_id": 0}
    options = {"turns": "conversations", "audio_root": "audio"}
    write_source(home, name, [*told, bad], "Negative", "Speech", options=options)


def with_negatives(home: Path, share: float, *sources: tuple[str, int]) -> Path:
    texts(home)
    for name, count in sources:
        negatives(home, name, count)
    stage_card(home, negatives=share)
    path = write_mixture(home, {"texts": "all"}, holdout={"share": 0.05, "least": 2}, speech=SPEECH)
    card = json.loads(path.read_text().rpartition(', "geometry"')[0] + "}")
    card["sources"] += [{"source": name, "clips": "all"} for name, _ in sources]
    geometry = {"tokenizer": "qwen2.5-8k", "tile_pixels": 112, "tile_tokens": 16, "max_length": 2048}
    path.write_text(json.dumps({**card, "geometry": geometry}))
    return path


def test_negatives_are_a_part_of_the_spoken_questions_and_no_questions_themselves(
    tmp_path: Path, calls: Path
) -> None:
    mixture = with_negatives(tmp_path, 0.3, ("crowd", 24), ("hiss", 12))
    facts = run_build(mixture, tmp_path / "out", "2.2")
    proof = prove(str(tmp_path / "out/stages/2.2"))
    assert proof["errors"] == []
    lines = lines_of(facts)
    clips = {name: lines[name]["written"]["clips"] for name in ("crowd", "hiss")}
    assert sum(clips.values()) == int(0.3 * lines["texts"]["written"]["spoken"]) == facts["totals"]["clips"]
    assert abs(clips["crowd"] - 2 * clips["hiss"]) <= 2
    assert facts["totals"]["questions"] == lines["texts"]["written"]["questions"] == proof["questions"]
    assert proof["clips"] == facts["totals"]["clips"]
    assert {line["source"]: line["unit"] for line in proof["sources"]}["crowd"] == "clips"
    assert lines["crowd"]["rejected"] == {"structure/no_negative": 1}
    stage = Stage(str(tmp_path / "out/stages/2.2"))
    assert {s.source for s in samples_of(stage.held_out)} == {"texts", "crowd", "hiss"}  # type: ignore[arg-type]
    tokenizer = load_tokenizer("qwen2.5-8k")
    for sample in samples_of(stage):
        record = sample.record
        pieces = encode_chat(record["conversations"], tokenizer, True, inserted_id=record["inserted_id"])
        opened = [piece.ids[0] for piece in pieces if isinstance(piece, TextPiece) and piece.labelled]
        heard = ["<audio>" in turn["value"] for turn in record["conversations"][::2]]
        wanted = ["reply" if each else "text" for each in heard]
        if record["type"] == "negative":
            wanted[-1] = "noise"
        assert opened == [tokenizer.state_tokens[each] for each in wanted]


def test_negatives_take_no_part_in_other_stages_and_too_few_are_told(tmp_path: Path, calls: Path) -> None:
    mixture = with_negatives(tmp_path, 0.9, ("crowd", 12))
    assert [line["source"] for line in run_build(mixture, tmp_path / "out", "1.3")["sources"]] == ["texts"]
    with pytest.raises(QuotaError, match=r"crowd is asked for \d+ clips and has 12 available"):
        run_build(mixture, tmp_path / "out", "2.2")
    facts = run_build(mixture, tmp_path / "out", "2.2", allow_short=True)
    assert lines_of(facts)["crowd"]["written"]["clips"] + lines_of(facts)["crowd"]["held_out"] == 12
    rows = [why(str(tmp_path / "out"), str(number)) for number in range(12)]
    assert all(row[0]["kept"] for row in rows)


def test_what_is_spoken_can_be_read_in_a_terminal_and_in_the_report(tmp_path: Path, calls: Path) -> None:
    run_build(with_negatives(tmp_path, 0.1, ("crowd", 12)), tmp_path / "out", "2.2")
    folder = tmp_path / "out/stages/2.2"
    sample = next(s for s in samples_of(Stage(str(folder))) if s.record["spoken"])
    (said, *_) = sample.record["spoken"]
    shown = vita_data("show", folder / "shards/00000.tar", "-n", 99).stdout
    assert f"<audio> ({said['voice']}: {said['text']})" in shown
    clip = next(s for s in samples_of(Stage(str(folder))) if s.source == "crowd")
    assert "<- audio/" in vita_data("show", clip.key, "--out", tmp_path / "out").stdout
    for key in (sample.key, clip.key):
        assert why(str(tmp_path / "out"), key)[0]["step"] == "drawn"
    page = (folder / "report.html").read_text()
    assert "Spoken questions" in page and "not meant for the model" in page


@pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="nothing can be spoken here: apt-get install espeak-ng"
)
def test_the_offline_engine_speaks_english_and_chinese(tmp_path: Path) -> None:
    asked = ["How many wheels has a bicycle?", "自行车有几个轮子？"]
    told = [
        {"id": n, "conversations": [{"from": "human", "value": text}, {"from": "gpt", "value": "2."}]}
        for n, text in enumerate(asked * 6)
    ]
    write_source(tmp_path, "wheels", told, "QA", "Pure Text", language="en-zh")
    stage_card(tmp_path, spoken=1)
    mixture = write_mixture(tmp_path, {"wheels": "all"}, holdout={"share": 0, "least": 0})
    facts = run_build(mixture, tmp_path / "out", "2.2")
    assert facts["totals"]["spoken"] == 12
    samples = list(samples_of(stage_of(tmp_path / "out")))
    assert len({sample.media[0] for sample in samples}) > 6
    for sample in samples:
        (said,) = sample.record["spoken"]
        assert said["language"] == ("zh" if said["text"] == asked[1] else "en")
        sound, rate = soundfile.read(io.BytesIO(sample.media[0]))
        assert 1 < len(sound) / rate < 5 and 0.01 < np.sqrt(np.mean(sound**2)) < 0.5

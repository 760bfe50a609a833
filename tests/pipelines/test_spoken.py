"""Stage 2.2 through whole builds: which questions are spoken, where they are heard, and what is proved of them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.factories import run_build, vita_data, write_mixture, write_source
from tests.spoken import (
    SPEECH,
    in_order,
    lines_of,
    samples_of,
    spoken_corpus,
    spoken_of,
    stage_card,
    stage_of,
    with_negatives,
)
from vita_data.select.why import why
from vita_data.shards import recount
from vita_data.shards.prove import prove
from vita_data.shards.read import Stage
from vita_data.speech.questions import words_of


def test_exactly_the_first_half_of_the_questions_of_each_qa_source_is_spoken(
    tmp_path: Path, calls: Path
) -> None:
    facts = run_build(spoken_corpus(tmp_path), tmp_path / "out", "2.2")
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
    run_build(spoken_corpus(tmp_path), tmp_path / "out", "2.2")
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


def test_prove_counts_what_is_spoken_from_the_tars(
    tmp_path: Path, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_build(spoken_corpus(tmp_path), tmp_path / "out", "2.2")
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

"""Stage 2.2 and its engines: those that fail, crash, say nothing, or are not there."""

from __future__ import annotations

import io
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.factories import run_build, write_mixture, write_source
from tests.spoken import (
    SPEECH,
    in_order,
    lines_of,
    samples_of,
    spoken_corpus,
    spoken_of,
    stage_card,
    stage_of,
    texts,
)
from vita_data.errors import UsageError, VitaError


def test_questions_that_fail_stay_written_and_the_next_in_order_are_spoken(
    tmp_path: Path, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixture = spoken_corpus(tmp_path)
    run_build(mixture, tmp_path / "good", "2.2")
    monkeypatch.setenv("TONE_BAD", "3:raise")
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


@pytest.mark.parametrize("way", ["exit", "segfault"])
def test_a_function_that_ends_its_process_costs_those_questions_and_not_the_build(
    tmp_path: Path, calls: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setenv("TONE_BAD", f"5:{way}")
    texts(tmp_path, most=1)
    stage_card(tmp_path)
    mixture = write_mixture(tmp_path, {"texts": "all"}, speech=SPEECH)
    (line,) = run_build(mixture, tmp_path / "out", "2.2")["sources"]
    stage = stage_of(tmp_path / "out")
    order = in_order(stage, "texts")
    count = len(order) // 2
    assert line["written"]["spoken"] == count and line["unspoken"].keys() == {"engine_crashed"}
    last = max(order.index(each) for each in spoken_of(stage))
    assert last + 1 == count + line["unspoken"]["engine_crashed"]
    tried = Counter(calls.read_text().splitlines())
    assert sorted(set(tried.values())) == [1, 2]  # what ended the process is asked for once more
    assert sum(number == 2 for number in tried.values()) >= line["unspoken"]["engine_crashed"]
    assert "engine crashed" in (tmp_path / "out/stages/2.2/report.html").read_text()


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


def test_an_engine_that_speaks_nothing_stops_the_build(
    tmp_path: Path, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TONE_BAD", "1:raise")
    with pytest.raises(
        VitaError, match=r"not one of \d+ questions could be spoken \(\d+ of them: engine_failed\)"
    ):
        run_build(spoken_corpus(tmp_path), tmp_path / "out", "2.2")


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
        run_build(spoken_corpus(tmp_path, {**SPEECH, **speech}), tmp_path / "out", "2.2")
    assert not (tmp_path / "out/stages").exists()


def test_a_missing_espeak_is_told_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="apt-get install espeak-ng"):
        run_build(spoken_corpus(tmp_path, {"engine": "espeak-ng"}), tmp_path / "out", "2.2")


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

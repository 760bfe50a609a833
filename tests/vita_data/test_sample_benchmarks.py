"""The benchmarks of the sample corpus, read by their own cards."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.factories import Catalogued, catalogue
from vita_data.manifest.find import load_benchmarks, load_mixture
from vita_data.manifest.source import source_root
from vita_data.records.key import sample_key
from vita_data.sample import benchmarks
from vita_data.sample.mosaics import COUNT, FILES, GENERIC, MOSAICS, PAIRS, draw_items
from vita_data.sample.planted import later_id
from vita_data.sample.puzzles import PUZZLES, RIDDLES
from vita_data.sample.readings import COUNT as READ
from vita_data.sample.readings import READINGS, record_readings
from vita_data.sample.voices import find_engine
from vita_data.sources.registry import checked_options

ENGINE = find_engine()
ITEMS = {MOSAICS: 2 * COUNT, PAIRS: COUNT, PUZZLES: len(RIDDLES), **({READINGS: READ} if ENGINE else {})}


@pytest.fixture(scope="module")
def against(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus") / "benchmarks"
    benchmarks.write(folder, draw_items(), record_readings(ENGINE) if ENGINE else [])
    return folder


def read(name: str, against: Path, folder: Path) -> Catalogued:
    card = load_benchmarks([name])[name]
    source = card.as_source(source_root(card.as_source(), str(against)))
    return catalogue(
        Path(source_root(source, str(against))),
        folder,
        source.annotations,
        source.adapter,
        name,
        source.kind,
        seconds=source.seconds,
        case=source.case,
        language=source.language,
        **checked_options(source),
    )


@pytest.mark.parametrize("name", ITEMS)
def test_every_item_of_a_benchmark_is_read_by_its_card(name: str, against: Path, tmp_path: Path) -> None:
    found = read(name, against, tmp_path)
    assert found.rejected == []
    assert len(found.kept) == ITEMS[name]
    assert {len(row["media"]) for row in found.kept} == {0 if name == PUZZLES else 1}


def test_a_question_that_is_asked_twice_has_one_picture_and_one_answer(against: Path, tmp_path: Path) -> None:
    with (against / FILES[MOSAICS]).open(encoding="utf-8", newline="") as file:
        csv.field_size_limit(1 << 24)
        rows = {row["index"]: row for row in csv.DictReader(file, delimiter="\t")}
    for number in range(COUNT):
        first, second = rows[str(number)], rows[str(1_000_000 + number)]
        assert second["image"] == first["index"] and second["question"] == first["question"]
        assert first[first["answer"]] == second[second["answer"]]
        assert first["answer"] != second["answer"]
    contents = [row["media"][0]["content"] for row in read(MOSAICS, against, tmp_path).kept]
    assert len(set(contents)) == COUNT


def test_one_question_of_a_benchmark_says_nothing_of_its_picture() -> None:
    questions = [item.question for item in draw_items()[PAIRS]]
    assert questions.count(GENERIC) == 1


def test_the_benchmarks_of_the_sample_are_looked_for_by_its_mixture_alone() -> None:
    assert set(load_mixture("sample").benchmarks) == {MOSAICS, PAIRS, PUZZLES, READINGS}
    assert not [name for name in load_benchmarks("all") if name.startswith("sample-")]


def test_a_copy_gets_an_id_that_sorts_behind_the_sample_it_copies() -> None:
    for than in ("en-0001", "zh-0002", "long-0003", "渡河"):
        name = later_id("sample-text", "chats.jsonl", "copy", than)
        keys = [
            sample_key("sample-text", "chats.jsonl", json.dumps(one, ensure_ascii=False), 0)
            for one in (than, name)
        ]
        assert keys == sorted(keys)

"""Benchmarks in a mixture: what is found of them, as what, and what leaves."""

from __future__ import annotations

import base64
import csv
import io
import itertools
import json
import random
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps

from tests.factories import record, run_build, vita_data, write_mixture, write_source
from vita_data import files
from vita_data.errors import UsageError
from vita_data.files import read_table
from vita_data.verdicts.finding import ORDER

LONG = "How many of the red boats in the old harbour carry more than three baskets of fish at noon?"
SHORT = "What colour is the car?"
CHOICE = "Which cloud is darker?\nA. The left one\nB. The right one"
RIDDLE = (
    "A train leaves the northern station at seven with forty passengers, at every stop five more get on than get "
    "off, and there are six stops: with how many passengers does it arrive at the last station?"
)


def scene(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """Coloured clouds: something to see, and nothing like another seed."""
    small = Image.frombytes("RGB", (16, 12), random.Random(seed).randbytes(3 * 16 * 12))
    return small.resize(size, Image.Resampling.BICUBIC)


def saved(path: Path, picture: Image.Image, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, **options)


def write_benchmark(
    home: Path, rows: list[tuple[str, Image.Image | None]], name: str = "quiz", **card: Any
) -> None:
    """A benchmark of the kind that VLMEvalKit reads, with its card beside the mixture."""
    text = io.StringIO()
    table = csv.writer(text, delimiter="\t", lineterminator="\n")
    table.writerow(["index", "image", "question", "answer"])
    for number, (question, picture) in enumerate(rows):
        stream = io.BytesIO()
        if picture is not None:
            picture.save(stream, "PNG")
        table.writerow([number, base64.b64encode(stream.getvalue()).decode(), question, "7"])
    (home / "sets").mkdir(exist_ok=True)
    (home / "sets" / f"{name}.tsv").write_text(text.getvalue(), encoding="utf-8")
    facts = {
        "benchmark": name,
        "title": "A quiz",
        "kind": "image",
        "language": "en",
        "licence": "CC0-1.0",
        "get": "made by a test",
        "root": ".",
        "adapter": "vlmeval_tsv",
        "annotations": [f"{name}.tsv"],
        "options": {},
        "picture_alone": True,
        **card,
    }
    (home / "benchmarks").mkdir(exist_ok=True)
    (home / "benchmarks" / f"{name}.yaml").write_text(json.dumps(facts), encoding="utf-8")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("leaks")
    for number in range(20):
        saved(home / "asks" / f"{number}.png", scene(number))
    saved(home / "asks" / "pixels.png", scene(100))
    saved(home / "asks" / "both.jpg", scene(101, (240, 180)), quality=55)
    saved(home / "asks" / "alone.jpg", scene(102, (240, 180)), quality=55)
    for number in (200, 201):
        saved(home / "asks" / f"{number}.jpg", scene(number, (240, 180)), quality=55)
    saved(home / "asks" / "202.jpg", ImageOps.mirror(scene(202, (240, 180))), quality=55)
    told = [record(f"a{n}", f"What is on picture {n}?", f"Cloud {n}.", f"{n}.png") for n in range(20)]
    told += [
        record("pixels", "Describe the clouds.", "They are bright.", "pixels.png"),
        record("both", LONG, "Seven.", "both.jpg"),
        record("alone", "Is it going to rain?", "Perhaps.", "alone.jpg"),
        record("question", LONG, "Seven.", "3.png"),
        record("generic", "What is in the picture?", "Clouds.", "4.png"),
        record("short", f"{SHORT} Answer with one word.", "Red.", "200.jpg"),
        record("asks-otherwise", "How many people are waiting there?", "Nobody.", "201.jpg"),
        record("mirrored", CHOICE.partition("\n")[0], "The left one.", "202.jpg"),
    ]
    write_source(home, "asks", told)
    texts = [record(f"t{n}", f"What is {n} times {n}?", f"It is {n * n}.") for n in range(20)]
    texts += [
        record("riddle", f"Here is one for you. {RIDDLE} Think.", "Seventy."),
        record("riddle-changed", RIDDLE.replace("seven", "eight").replace("forty", "fifty"), "Eighty."),
        record("refused", RIDDLE, "I'm sorry, but I can't assist with that request."),
        record("short", "What is in the picture?", "I see none."),
    ]
    write_source(home, "texts", texts, scenario="Pure Text")
    rows = [("What can be seen?", scene(100)), (LONG, scene(101)), ("What is in the picture?", scene(102))]
    write_benchmark(home, rows)
    looks = [(SHORT, scene(200)), ("Is it blue?", scene(201)), (CHOICE, scene(202))]
    write_benchmark(home, looks, "looks", picture_alone=False)
    write_benchmark(home, [(RIDDLE, None)], "riddles", kind="text", picture_alone=False)
    write_benchmark(home, [("Is it so?", scene(500))], "absent")
    (home / "sets" / "absent.tsv").unlink()
    return home


@pytest.fixture(scope="module")
def gone(home: Path) -> dict[str, dict[str, Any]]:
    """The rejects of stage 1.3 by native id."""
    mixture = write_mixture(
        home, {"asks": "all", "texts": "all"}, benchmarks=["quiz", "looks", "riddles", "absent"], curate=True
    )
    run_build(mixture, home / "out", against=str(home / "sets"))
    tables = [read_table(str(path)) for path in (home / "out/stages/1.3/rejects").glob("*.parquet")]
    return {json.loads(row["native_id"]): row for table in tables for row in table.to_pylist()}


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("pixels", "leak_content"),
        ("both", "leak_picture_and_question"),
        ("alone", "leak_picture"),
        ("short", "leak_picture_and_question"),
        ("mirrored", "leak_picture_and_question"),
        ("riddle", "leak_question"),
        ("riddle-changed", "leak_question"),
    ],
)
def test_a_leak_leaves_by_what_was_found_of_it(gone: dict[str, dict[str, Any]], name: str, rule: str) -> None:
    assert (gone[name]["step"], gone[name]["rule"]) == ("decontamination", rule)
    assert gone[name]["value"].startswith(("quiz-", "looks-", "riddles-"))


def test_a_question_alone_removes_no_sample_with_a_picture_and_a_generic_one_nothing(
    home: Path, gone: dict[str, dict[str, Any]]
) -> None:
    assert {name for name, row in gone.items() if row["step"] == "decontamination"} == {
        "pixels", "both", "alone", "short", "mirrored", "riddle", "riddle-changed"
    }  # fmt: skip
    found = files.read_json(str(home / "out/benchmarks/found.json"))
    _, quiz, riddles = found["benchmarks"]
    assert (quiz["benchmark"], quiz["removed"], riddles["removed"], found["removed"]) == (
        "quiz",
        3,
        3,
        8,
    )  # one was refused before
    questions = [one for one in quiz["examples"] if one["how"] == "question"]
    assert any(not one["removes"] and one["question"] == LONG for one in questions)


def test_below_a_near_picture_short_questions_are_compared_and_another_question_leaves_the_picture_alone(
    home: Path, gone: dict[str, dict[str, Any]]
) -> None:
    looks = files.read_json(str(home / "out/benchmarks/found.json"))["benchmarks"][0]
    assert [looks[name] for name in ("benchmark", "picture_and_question", "picture", "removed", "reported")] == [
        "looks", 2, 1, 2, 1
    ]  # fmt: skip
    told = {(one["question"], one["how"]): one for one in looks["examples"]}
    assert told["Is it blue?", "picture"]["removes"] is False
    assert told[SHORT, "picture_and_question"]["ours"] == f"{SHORT} Answer with one word."
    assert told[SHORT, "picture_and_question"]["mirrored"] is False
    turned = told[CHOICE, "picture_and_question"]
    assert turned["mirrored"] is True and turned["distance"] <= 10 and turned["score"] == 1


def test_each_benchmark_has_a_line_whose_kinds_add_up_to_what_leaves_and_what_is_reported(
    home: Path, gone: dict[str, dict[str, Any]]
) -> None:
    for line in files.read_json(str(home / "out/benchmarks/found.json"))["benchmarks"]:
        assert sum(line[how] for how in ORDER) == line["removed"] + line["reported"]


def test_the_verb_prints_counts_and_evidence_side_by_side_or_one_object(
    home: Path, gone: dict[str, dict[str, Any]]
) -> None:
    call = [
        "decontaminate",
        "--mixture",
        home / "test.yaml",
        "--out",
        home / "out",
        "--against",
        home / "sets",
    ]
    said = vita_data(*call, "--workers", 1).stdout
    heads = said.splitlines()[0].split("  ")
    assert [head.strip() for head in heads if head] == [
        "benchmark", "same medium", "picture + question", "picture alone", "question alone", "leave", "only reported"
    ]  # fmt: skip
    assert "of 64 bits of the mirrored picture differ, 100% of what the question says), leaves\n" in said
    ours, theirs = next(pair for pair in pairs_of(said) if "waiting" in pair[0])
    assert ours.index("How many people are waiting there?") == theirs.index("Is it blue?")
    assert json.loads(vita_data(*call, "--workers", 1, "--json").stdout) == files.read_json(
        str(home / "out/benchmarks/found.json")
    )


def pairs_of(said: str) -> list[tuple[str, str]]:
    lines = said.splitlines()
    return [pair for pair in itertools.pairwise(lines) if pair[1].startswith("  theirs")]


def test_what_a_rule_refused_does_not_leave_a_second_time(
    home: Path, gone: dict[str, dict[str, Any]]
) -> None:
    assert gone["refused"]["rule"] == "refusal"
    for line in files.read_json(str(home / "out/stages/1.3/stage.json"))["sources"]:
        assert line["read"] == line["kept"] + sum(line["rejected"].values())
        assert line["kept"] == line["available_samples"] + line["held_out"] + line["between"]


def test_a_benchmark_that_is_not_there_is_named_and_none_at_all_is_an_error(home: Path) -> None:
    mixture = write_mixture(
        home, {"asks": "all", "texts": "all"}, "alone", benchmarks=["absent"], curate=True
    )
    with pytest.raises(UsageError, match="none of the benchmarks absent lies below"):
        run_build(mixture, home / "none", against=str(home / "sets"))


def test_a_second_look_reads_no_benchmark_again(home: Path, gone: dict[str, dict[str, Any]]) -> None:
    paths = sorted((home / "out" / "benchmarks").rglob("*.parquet"))
    before = {path: path.stat().st_mtime_ns for path in paths}
    run_build(home / "test.yaml", home / "out", against=str(home / "sets"))
    assert {path: path.stat().st_mtime_ns for path in paths} == before
    assert paths


def test_of_a_benchmark_that_is_not_whole_the_build_says_how_much_is_not_looked_for(tmp_path: Path) -> None:
    for name, asked in (("quiz", [LONG, "Why?"]), ("hollow", [])):
        write_benchmark(tmp_path, [(question, scene(7)) for question in asked], name)
    path = tmp_path / "sets" / "quiz.tsv"
    path.write_text(path.read_text() + "2,iVBORw0KGgo=,How many?,7\n".replace(",", "\t"))
    mixture = write_mixture(tmp_path, {"texts": "all"}, benchmarks=["quiz", "hollow"], curate=True)
    texts = [record(f"t{n}", f"What is {n} times {n}?", f"It is {n * n}.") for n in range(20)]
    write_source(tmp_path, "texts", texts, scenario="Pure Text")
    call = ["decontaminate", "--mixture", mixture, "--out", tmp_path / "out", "--against", tmp_path / "sets"]
    said = vita_data(*call, "--workers", 1).stderr.splitlines()
    lost = [line for line in said if line.startswith("benchmark ")]
    assert lost == [
        "benchmark hollow holds no record, so nothing is looked for; fetch its files again",
        "benchmark quiz: 1 of 3 records are not looked for (1 read/media_missing)",
    ]

"""Curation in a build: what leaves, for whom, and what changing a threshold costs."""

from __future__ import annotations

import json
import random
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pipelines.graphs import GRAPHS
from tests import factories
from tests.factories import noise, record, run_build, stamps, write_mixture, write_source
from vita_data.files import read_table
from vita_data.select.why import why
from vita_data.shards.prove import prove

STORY = (
    "The harbour wakes before the sun. Boats come in one after the other, and on the quay women in long coats count "
    "the baskets, write numbers into small books and shout prices across the water. By nine all is sold. Then the "
    "cats come, the gulls, a boy with a broom, and for an hour it is so quiet that one hears the ropes creak."
)
CHANGED = STORY.replace("ropes creak", "doors creak")
OTHER = STORY.replace("harbour", "market").replace("Boats", "Carts").replace("quay", "square").replace(
    "water", "stones"
).replace("baskets", "crates").replace("gulls", "crows").replace("ropes", "doors").replace("cats", "dogs")  # fmt: skip


def rejects(out: Path, stage: str = "1.3") -> dict[str, dict[str, Any]]:
    """Rejects of a stage by native id."""
    tables = [
        read_table(str(path)) for path in sorted((out / "stages" / stage / "rejects").glob("*.parquet"))
    ]
    return {json.loads(row["native_id"]): row for table in tables for row in table.to_pylist()}


def key_of(out: Path, name: str) -> str:
    (said,) = why(str(out), name)
    return str(said["key"])


def check_funnel(facts: dict[str, Any]) -> None:
    for line in facts["sources"]:
        assert line["read"] == line["kept"] + sum(line["rejected"].values())
        assert line["kept"] == line["available_samples"] + line["held_out"] + line["between"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sources with pictures and one of text, in which some equal others, some nearly, and some break rules."""
    home = tmp_path_factory.mktemp("curation")
    for name in ("first", "second"):
        for number in range(12):
            noise(home / name / f"{number}.png", f"{name} {number}")
    clouds = Image.frombytes("RGB", (16, 12), random.Random(5).randbytes(3 * 16 * 12))
    source = clouds.resize((400, 300), Image.Resampling.BICUBIC)
    source.save(home / "first" / "set.png")
    source.resize((300, 225)).save(home / "second" / "set.jpg", quality=60)
    shutil.copy(home / "first" / "0.png", home / "second" / "copy.png")
    told = [record(f"f{n}", f"What is on picture {n}?", f"Noise number {n}.", f"{n}.png") for n in range(12)]
    told += [
        record("set", "Which set is drawn in this picture, in grey, and who found it?", STORY, "set.png")
    ]
    write_source(home, "first", told)
    again = [record("copy", "What is on  picture 0?", "Noise number 0.", "copy.png")]
    again += [record("asked-otherwise", "Is anything to be seen at all?", "Not a thing.", "copy.png")]
    again += [record("same-words", "What is on picture 1?", "Noise number 1.", "7.png")]
    again += [
        record(
            "set-again", "Which set is drawn in this picture, in grey, and who found it?", STORY, "set.jpg"
        )
    ]
    again += [
        record(f"s{n}", f"What can be seen on picture {n}?", f"More noise {n}.", f"{n}.png") for n in range(7)
    ]
    write_source(home, "second", again)
    texts = [
        record("story", "Tell me about a harbour.", STORY),
        record("changed", "Tell me about a harbour.", CHANGED),
    ]
    texts += [
        record("other", "Tell me about a market.", OTHER),
        record("story-twice", "Tell me  about a HARBOUR.", STORY),
    ]
    texts += [record(f"number{n}", f"What is {n} plus {n}?", f"It is {2 * n}.") for n in range(30)]
    texts += [record("sorry", "What is that?", "I'm sorry, but I can't assist with that request.")]
    texts += [record("circles", "Go on.", "and so the man went on to the town by the river. " * 20)]
    texts += [
        record(
            "french", "Qu'est-ce que c'est ?", "C'est la plus belle maison de la ville, près de la rivière."
        )
    ]
    write_source(home, "texts", texts, scenario="Pure Text")
    return home


def mixture(home: Path, name: str = "test", *order: str) -> Path:
    return write_mixture(home, dict.fromkeys(order or ("first", "second", "texts"), "all"), name, curate=True)


@pytest.fixture(scope="module")
def out(home: Path) -> Path:
    facts = run_build(mixture(home), home / "out")
    check_funnel(facts)
    assert prove(str(home / "out" / "stages" / "1.3"))["ok"]
    return home / "out"


@pytest.mark.parametrize(
    ("name", "step", "rule", "stays"),
    [
        ("copy", "duplicates", "duplicate", "f0"),
        ("set-again", "duplicates", "near_picture", "set"),
        ("story-twice", "duplicates", "duplicate", "story"),
        ("changed", "duplicates", "near_text", "story"),
        ("sorry", "quality", "refusal", None),
        ("circles", "quality", "repetition", None),
        ("french", "language", "other_language", None),
    ],
)
def test_what_leaves_says_by_which_rule_and_for_whom(
    out: Path, name: str, step: str, rule: str, stays: str | None
) -> None:
    gone = rejects(out)
    same = ("story", "changed", "story-twice")  # of equal ones in one source the smallest key stays
    for one in [name] if name not in same else sorted(set(same) & gone.keys()):
        assert gone[one]["step"] == step
        if stays not in same:
            assert gone[one]["rule"] == rule
            assert stays is None or key_of(out, stays) in gone[one]["message"]
    if name in same:
        assert len(set(same) & gone.keys()) == 2
        assert {gone[one]["rule"] for one in set(same) & gone.keys()} <= {"duplicate", "near_text"}
        assert rule in {gone[one]["rule"] for one in set(same) & gone.keys()}


def test_a_shared_picture_or_a_shared_question_alone_removes_nothing(out: Path) -> None:
    assert not {"asked-otherwise", "same-words", "other"} & rejects(out).keys()
    counts = [json.loads(path.read_text()) for path in (out / "curate").glob("*/duplicates.json")]
    assert [one["second"]["same_media"] for one in counts] == [2]  # the copy is shown with other words too
    assert [one["second"]["same_questions"] for one in counts] == [2]


def test_the_sample_that_is_named_as_staying_did_not_leave(out: Path) -> None:
    rows = rejects(out).values()
    named = {row["value"] for row in rows if row["step"] == "duplicates"}
    assert len(named) >= 3
    assert not named & {row["key"] for row in rows}


def test_why_tells_the_story_of_a_duplicate(out: Path) -> None:
    (said,) = why(str(out), "copy")
    assert not said["kept"]
    assert said["step"] == "duplicates"
    assert said["value"] == key_of(out, "f0")


def test_of_two_sources_the_one_that_stands_first_in_the_mixture_keeps_its_sample(
    home: Path, out: Path
) -> None:
    run_build(mixture(home, "reversed", "second", "first", "texts"), home / "reversed")
    gone = rejects(home / "reversed")
    assert {"f0", "set"} <= gone.keys()
    assert not {"copy", "set-again"} & gone.keys()


OPENED: list[tuple[str, str]] = []  # pictures, with the step that opened them
STEP = ["none"]


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str) and arguments[0].endswith((".png", ".jpg", ".tar")):
        OPENED.append((STEP[0], arguments[0]))


def test_another_threshold_decodes_nothing_and_opens_media_only_to_write_them(
    home: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_graph(graph: Any, choice: Any, workers: int) -> None:
        STEP[0] = graph.__qualname__.removesuffix("_graph.<locals>.<lambda>")
        run_it(graph, choice, workers)

    run_it = factories.run_graph
    monkeypatch.setattr(factories, "run_graph", run_graph)
    shutil.copytree(out, tmp_path / "out")
    sys.addaudithook(_hear)
    said = (home / "texts.yaml").read_text()
    try:
        rules = {"repetition": "off", "near_text": "off", "level": -70}
        (home / "texts.yaml").write_text(json.dumps({**json.loads(said), "rules": rules}))
        OPENED.clear()
        run_build(mixture(home), tmp_path / "out")
    finally:
        (home / "texts.yaml").write_text(said)
    assert "signals" in GRAPHS
    assert not {step for step, _ in OPENED} & {
        "catalog",
        "measure",
        "signals",
        "judge",
        "meet",
        "keep",
        "select",
    }
    assert "fill" in {step for step, _ in OPENED}
    gone = rejects(tmp_path / "out")
    assert "circles" not in gone
    assert "sorry" in gone
    assert not {"changed", "story", "story-twice"} <= gone.keys()
    assert rejects(out)["circles"]["threshold"] == "0.6"


def test_another_threshold_with_the_same_outcome_leaves_the_stage_as_it_is(
    home: Path, out: Path, tmp_path: Path
) -> None:
    shutil.copytree(out, tmp_path / "out")
    run_build(mixture(home), tmp_path / "out")
    before = stamps(tmp_path / "out" / "stages")
    said = (home / "texts.yaml").read_text()
    try:
        (home / "texts.yaml").write_text(
            json.dumps({**json.loads(said), "rules": {"longest_answer": 60_000}})
        )
        run_build(mixture(home), tmp_path / "out")
    finally:
        (home / "texts.yaml").write_text(said)
    assert stamps(tmp_path / "out" / "stages") == before


def test_a_source_that_is_appended_is_measured_alone_and_changes_nothing_that_others_keep(
    home: Path, out: Path, tmp_path: Path
) -> None:
    copied = tmp_path / "out"
    run_build(mixture(home, "test", "first", "texts"), copied)
    before = {name: row["rule"] for name, row in rejects(copied).items()}
    measured = stamps(copied / "curate", "*/*/signals-*")
    run_build(mixture(home), copied)
    after = {name: row["rule"] for name, row in rejects(copied).items()}
    assert {name: rule for name, rule in after.items() if name in before} == before
    assert measured.items() <= stamps(copied / "curate", "*/*/signals-*").items()


def test_verdicts_do_not_depend_on_the_number_of_workers(home: Path, out: Path, tmp_path: Path) -> None:
    run_build(mixture(home), tmp_path / "out", workers=2)
    assert rejects(tmp_path / "out") == rejects(out)

"""Who stays when samples vanish, what a build remembers of who leaves, and what it need not do again."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pipelines import build as building
from pipelines import leaving
from tests import factories
from tests.factories import noise, record, run_build, shard_digests, stamps, write_mixture, write_source
from vita_data.clean import clean
from vita_data.errors import QuotaError
from vita_data.files import read_table
from vita_data.manifest.find import load_mixture, load_sources, load_stage
from vita_data.manifest.plan import plan_from_cards
from vita_data.select.counted import counted_sources
from vita_data.select.why import why
from vita_data.shards.prove import prove
from vita_data.verdicts import duplicates

STORY = (
    "The harbour wakes before the sun. Boats come in one after the other, and on the quay women in long coats count "
    "the baskets, write numbers into small books and shout prices across the water. By nine all is sold. Then the "
    "cats come, the gulls, a boy with a broom, and for an hour it is so quiet that one hears the ropes creak."
)
CHANGED = STORY.replace("ropes creak", "doors creak")
PROMPT = (
    "Look at this picture for as long as you like, think of what somebody would want to know who has never seen "
    "anything of the kind, and then answer in one short sentence, in plain words, without any list or heading."
)
Steps = Callable[[], set[str]]


def told(names: list[str], source: str) -> list[dict[str, Any]]:
    return [record(f"{source}-{n}", f"What is on picture {n}?", f"Noise {n}.", f"{n}.png") for n in names]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sources and their build: one picture twice in the first and once in the second, a story in two of texts."""
    home = tmp_path_factory.mktemp("leaving")
    for number in range(9):
        noise(home / "first" / f"{number}.png", number)
        noise(home / "second" / f"{number}.png", f"other {number}")
    for name in ("first/same.png", "second/same.png"):
        noise(home / name, "the same")
    same = ["What is the same?", "It is the same noise.", "same.png"]
    write_source(
        home, "first", [*told([str(n) for n in range(9)], "f"), record("a", *same), record("b", *same)]
    )
    write_source(home, "second", [*told([str(n) for n in range(9)], "s"), record("c", *same)])
    stories = [record("story", "Tell me of a harbour.", STORY)]
    stories += [record(f"n{n}", f"What is {n} plus {n}?", f"It is {2 * n}.") for n in range(9)]
    stories += [record("sorry", "And?", "I'm sorry, but I can't assist with that request.")]
    write_source(home, "texts", stories, scenario="Pure Text")
    build(home)
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    """A copy of the corpus and its build, whose catalogs stay current."""
    return Path(shutil.copytree(template, tmp_path / "home"))


def build(home: Path, out: str = "out", **settings: Any) -> dict[str, Any]:
    sources: dict[str, int | str] = dict.fromkeys(("first", "second", "texts"), "all")
    card = write_mixture(home, sources, curate=True, holdout={"share": 0.01, "least": 1})
    return run_build(card, home / out, **settings)


def rejects(home: Path, source: str, out: str = "out") -> dict[str, dict[str, Any]]:
    """Rejects of a source by native id; those of lost samples by their key."""
    rows = read_table(str(home / out / "stages/1.3/rejects" / f"{source}.parquet")).to_pylist()
    return {json.loads(row["native_id"]) if row["native_id"] else row["key"]: row for row in rows}


def tune(home: Path, source: str, **rules: Any) -> None:
    """Changes rules in the card of a source."""
    path = home / f"{source}.yaml"
    path.write_text(json.dumps({**json.loads(path.read_text()), "rules": rules}))


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """Tells which steps ran since it was asked last."""
    ran: list[str] = []
    run_it = factories.run_graph

    def run_graph(graph: Any, choice: Any, workers: int) -> None:
        ran.append(graph.__qualname__.removesuffix("_graph.<locals>.<lambda>"))
        run_it(graph, choice, workers)

    def told_now() -> set[str]:
        found = set(ran)
        ran.clear()
        return found

    monkeypatch.setattr(factories, "run_graph", run_graph)
    return told_now


# --- samples that vanish ---


def forget(home: Path) -> None:
    """Has the stage's shards filled again."""
    for name in ("stage.json", "eval/stage.json"):
        (home / "out/stages/1.3" / name).unlink(missing_ok=True)
    for path in (home / "out/stages/1.3").glob("**/index/*.parquet"):
        path.unlink()


def test_when_the_sample_that_stays_vanishes_the_next_of_its_copies_stays_in_its_place(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "MOST_REDRAWS", 2)  # both that show the file are found lost at once
    assert "c" in rejects(home, "second")
    (home / "first/same.png").rename(home / "same.png")
    forget(home)
    facts = build(home)
    keys = {said["key"] for name in "ab" for said in why(str(home / "out"), name)}
    assert {reject["key"] for reject in facts["late"]} == keys
    assert "c" not in rejects(home, "second")
    assert prove(str(home / "out/stages/1.3"))["ok"]
    for line in facts["sources"]:
        assert line["read"] == line["kept"] + sum(line["rejected"].values())
    fresh = build(home, "fresh")
    assert shard_digests(home / "out/stages/1.3") == shard_digests(home / "fresh/stages/1.3")
    assert facts["totals"]["rejected"] == fresh["totals"]["rejected"]
    (home / "same.png").rename(home / "first/same.png")
    assert build(home)["late"] == []
    assert "c" in rejects(home, "second")


def test_a_lost_sample_that_a_rule_refuses_later_is_one_reject(home: Path) -> None:
    (home / "first/3.png").unlink()
    forget(home)
    assert len(build(home)["late"]) == 1
    tune(home, "first", longest_answer=1)
    facts = build(home, allow_short=True)
    (line,) = (line for line in facts["sources"] if line["source"] == "first")
    assert line["rejected"] == {"quality/long_answer": 11}
    assert (line["read"], line["kept"]) == (11, 0)


# --- what need not be done again ---


def test_a_threshold_with_the_same_outcome_meets_nothing_again(home: Path, steps: Steps) -> None:
    tune(home, "texts", repetition=0.59, refusal="on")
    build(home)
    assert steps() == {"judge"}
    tune(home, "texts", repetition=0.59, refusal="off")
    build(home)
    assert {"judge", "meet", "keep"} <= steps()


def test_after_cleaning_a_build_has_nothing_to_do_and_another_threshold_costs_what_it_did_before(
    home: Path, steps: Steps
) -> None:
    assert clean(str(home / "out")) == []
    tune(home, "texts", repetition=0.59)
    build(home)
    steps()
    before = stamps(home / "out", "stages/**/*")
    assert {one.kind for one in clean(str(home / "out"))} == {"measures"}, (
        "the verdicts of the other threshold"
    )
    build(home)
    assert steps() == set()
    assert stamps(home / "out", "stages/**/*") == before
    tune(home, "texts", repetition=0.58)
    build(home)
    assert steps() == {"judge"}


@pytest.mark.parametrize("mender", ["build", "clean"])
def test_what_a_build_killed_between_result_and_tidying_left_is_removed(
    home: Path, mender: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (found,) = (home / "out").glob("curate/*/duplicates.json")
    work = found.parent / "work"
    work.mkdir()
    (work / "met-00000.arrow").write_bytes(b"half")
    if mender == "build":
        build(home)
    else:
        assert [one.path for one in clean(str(home / "out"))] == [str(work.relative_to(home / "out"))]
    assert found.exists()
    assert not work.exists()


def test_who_leaves_does_not_depend_on_how_many_buckets_they_meet_in(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (found,) = (home / "out").glob("curate/*/duplicates.parquet")
    monkeypatch.setattr(leaving, "ROWS_PER_BUCKET", 20)
    monkeypatch.setattr(duplicates, "VERSION", -1)
    build(home)
    others = set((home / "out").glob("curate/*/duplicates.parquet")) - {found}
    assert [read_table(str(path)) for path in others] == [read_table(str(found))]


# --- thresholds of two sources ---


def two_of_texts(home: Path, one: dict[str, Any], other: dict[str, Any]) -> None:
    write_source(home, "first", [record("story", "Tell me of a harbour.", STORY)], scenario="Pure Text")
    texts = [record("changed", "Tell me of a harbour.", CHANGED)]
    write_source(home, "second", texts, scenario="Pure Text")
    texts = [
        record("again", "Tell me of a harbour.", CHANGED),
        record("more", "Say more.", "There is no more."),
    ]
    write_source(home, "texts", texts, scenario="Pure Text")
    tune(home, "second", **one)
    tune(home, "texts", **other)


def test_a_reject_says_the_threshold_that_held_for_the_two(tmp_path: Path) -> None:
    two_of_texts(tmp_path, {"near_text": 0.6}, {"near_text": 0.3})
    build(tmp_path, allow_short=True)
    gone = rejects(tmp_path, "second") | rejects(tmp_path, "texts")
    assert {name: row["threshold"] for name, row in gone.items()} == {"changed": "0.65", "again": "0.65"}


def test_a_copy_stays_whose_own_card_would_not_let_it_leave_for_what_its_original_left_for(
    tmp_path: Path,
) -> None:
    two_of_texts(tmp_path, {}, {"near_text": "off"})
    build(tmp_path, allow_short=True)
    assert rejects(tmp_path, "second")["changed"]["rule"] == "near_text"
    assert rejects(tmp_path, "texts") == {}


# --- pictures under a long prompt ---


def test_near_pictures_with_the_same_long_prompt_and_other_answers_stay(tmp_path: Path) -> None:
    pixels = random.Random(5).randbytes(3 * 16 * 12)
    clouds = Image.frombytes("RGB", (16, 12), pixels).resize((400, 300), Image.Resampling.BICUBIC)
    (tmp_path / "first").mkdir()
    clouds.save(tmp_path / "first/0.png")
    for number, quality in enumerate((60, 70), 1):
        clouds.resize((300, 225)).save(tmp_path / f"first/{number}.jpg", quality=quality)
    asked = [
        record("one", PROMPT, "A red kite over a field.", "0.png"),
        record("other", PROMPT, "Stripes, and nothing that moves.", "1.jpg"),
        record("like-one", PROMPT, "A red kite over a field.", "2.jpg"),
    ]
    write_source(tmp_path, "first", asked)
    run_build(write_mixture(tmp_path, {"first": "all"}, curate=True), tmp_path / "out")
    gone = rejects(tmp_path, "first")
    assert len(gone) == 1
    (row,) = gone.values()
    assert gone.keys() < {"one", "like-one"}
    assert (row["rule"], row["threshold"]) == ("near_picture", "10")


# --- sources of which nothing is left ---


def test_where_rules_take_all_a_build_says_which_and_how_many(tmp_path: Path) -> None:
    sorry = [record(n, f"And {n}?", "I'm sorry, but I can't assist with that.") for n in range(3)]
    write_source(tmp_path, "texts", sorry, scenario="Pure Text")
    mixture = write_mixture(tmp_path, {"texts": "all"}, curate=True)
    with pytest.raises(QuotaError, match=r"nothing is left: texts \(3 quality/refusal\); change the `rules`"):
        run_build(mixture, tmp_path / "out")


def test_a_plan_says_nothing_of_a_source_of_which_nothing_is_left(home: Path) -> None:
    tune(home, "second", longest_answer=1)
    build(home, allow_short=True)
    mixture = load_mixture(str(home / "test.yaml"))
    cards = load_sources(mixture)
    counted = counted_sources(str(home / "out"), mixture, cards, hears=False)
    rows = plan_from_cards(load_stage("1.3"), mixture, cards, counted=counted)["sources"]
    (row,) = (row for row in rows if row["source"] == "second")
    figures = [row[name] for name in ("asked", "samples", "questions", "tokens", "bytes")]
    assert figures == [0, 0, 0, 0, 0]

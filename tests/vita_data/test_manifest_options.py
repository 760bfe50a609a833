"""Options of stages and mixtures: chosen by name, checked like all that stands in a card."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.factories import picture_source, record, run_build, write_mixture, write_source
from tests.natives import natives
from vita_data.cli.main import main
from vita_data.errors import ManifestError, UsageError
from vita_data.manifest.find import load_mixture, load_source, load_sources, load_stage
from vita_data.manifest.options import with_options
from vita_data.manifest.plan import plan_from_cards
from vita_data.sources.base import Native
from vita_data.sources.registry import checked_options, make_adapter

PAPER = load_mixture("paper")


def plan(stage: str, *options: str) -> dict[str, Any]:
    """The plan of the paper's mixture under some options."""
    card, mixture = with_options(load_stage(stage), PAPER, options)
    return plan_from_cards(card, mixture, load_sources(mixture))


def mixture_file(home: Path, options: str) -> Path:
    """A mixture of two packaged sources; its options stand on lines of their own, from the sixth on."""
    path = home / "mine.yaml"
    path.write_text(
        "mixture: mine\ntitle: Two corpora\nsources:\n"
        "  - {source: chatqa, questions: 10}\n  - {source: scienceqa, questions: 20}\n" + options
    )
    return path


def test_the_hours_of_the_data_section_are_an_option_of_the_paper() -> None:
    assert plan("2.1")["total"]["hours"] == 11_000
    chosen = plan("2.1", "hours-110000")
    assert (chosen["mixture"], chosen["total"]["hours"]) == ("paper+hours-110000", 110_000)
    assert plan("3.1", "hours-110000")["total"]["hours"] == 3_000


def test_the_cited_set_stands_in_for_charts_at_the_same_place_with_the_same_count() -> None:
    plain, chosen = plan("1.3")["sources"], plan("1.3", "nvidia-chatqa")["sources"]
    at = [row["source"] for row in plain].index("chatqa")
    assert (chosen[at]["source"], chosen[at]["asked"]) == ("chatqa-nvidia", plain[at]["asked"])
    assert [row["source"] for row in chosen[:at] + chosen[at + 1 :]] == [
        row["source"] for row in plain if row["source"] != "chatqa"
    ]
    assert load_source("chatqa-nvidia").pure_text


def test_every_option_of_the_paper_has_cards_and_changes_the_mixture() -> None:
    for name in PAPER.options:
        _, mixture = with_options(load_stage("1.2"), PAPER, [name])
        assert mixture.mixture == f"paper+{name}"
        assert len(load_sources(mixture)) == 24
    _, shorter = with_options(load_stage("1.2"), PAPER, ["packs-6000"])
    assert (shorter.geometry.max_length, PAPER.geometry.max_length) == (6_000, 6_200)
    assert shorter.geometry.digest() != PAPER.geometry.digest()


def test_options_of_both_cards_are_taken_together_in_any_order() -> None:
    made = [
        with_options(load_stage("1.3"), PAPER, names)
        for names in permutations(["public-script", "nvidia-chatqa", "packs-6000"])
    ]
    assert all(each == made[0] for each in made)
    stage, mixture = made[0]
    assert stage.state_tokens and mixture.mixture == "paper+nvidia-chatqa+packs-6000"


def test_a_name_that_both_cards_have_is_taken_in_both(tmp_path: Path) -> None:
    path = mixture_file(tmp_path, "options:\n  public-script: {reason: Test., holdout: {share: 0.5}}\n")
    stage, mixture = with_options(load_stage("1.3"), load_mixture(str(path)), ["public-script"])
    assert stage.trains == ("projector", "language_model")
    assert (mixture.holdout.share, mixture.holdout.least) == (Fraction(1, 2), 20)


def test_an_option_that_neither_card_has_is_refused_with_those_of_both() -> None:
    with pytest.raises(UsageError) as caught:
        with_options(load_stage("1.3"), PAPER, ["hours-11000"])
    assert str(caught.value) == (
        "neither stage 1.3 nor mixture paper has an option hours-11000; the stage has public-script, "
        "without-text, state-tokens, the mixture hours-110000, nvidia-chatqa, anyword-captions, "
        "packs-6000; write hours-110000"
    )


def test_options_that_give_one_key_different_values_exclude_each_other(tmp_path: Path) -> None:
    path = mixture_file(
        tmp_path,
        "options:\n"
        "  short: {reason: Test., geometry: {max_length: 100}}\n"
        "  long: {reason: Test., geometry: {max_length: 900, max_tiles: 3}}\n"
        "  few: {reason: Test., geometry: {max_tiles: 3}}\n",
    )
    mixture = load_mixture(str(path))
    with pytest.raises(
        UsageError, match=r"options short and long both change geometry.max_length; take one of the two"
    ):
        with_options(load_stage("1.3"), mixture, ["long", "short"])
    _, both = with_options(load_stage("1.3"), mixture, ["few", "long"])
    assert (both.geometry.max_length, both.geometry.max_tiles) == (900, 3)


@pytest.mark.parametrize(
    ("options", "line", "said"),
    [
        ("o: {reason: R., hour: {asr: 3}}", 7, "unknown key options.o.hour; write hours"),
        ("o: {hours: {asr: 3}}", 7, "the key options.o.reason is missing"),
        ("o: {reason: R.}", 7, "option o changes nothing; add the keys that differ"),
        ("o:\n    reason: R.\n    hours: {asr: 0}", 9, "options.o.hours.asr 0 is not above 0"),
        ("o: {reason: R., geometry: {max_tile: 3}}", 7, "write max_tiles"),
        ("o:\n    reason: R.\n    geometry:\n      max_tiles: 400", 10, "max_tiles 400 is above 127"),
        ("o:\n    reason: R.\n    sources:\n      chatq: ureader", 10, "source chatq is in no line"),
        ("o:\n    reason: R.\n    sources:\n      chatqa: scienceqa", 10, "scienceqa has a line already"),
        ("o:\n    reason: R.\n    sources:\n      chatqa: ureadr", 10, "there is no source card ureadr"),
    ],
)
def test_an_option_is_checked_before_anybody_chooses_it(
    tmp_path: Path, options: str, line: int, said: str
) -> None:
    path = mixture_file(tmp_path, f"options:\n  {options}\n")
    with pytest.raises(ManifestError) as caught:
        load_mixture(str(path))
    assert str(caught.value).startswith(f"{path}:{line}: ") and said in str(caught.value)


def test_plan_and_stages_show_which_options_there_are_and_why() -> None:
    told = CliRunner().invoke(main, ["plan", "--stage", "1.3", "--option", "packs-6000"]).output
    assert "stage    without-text" in told and "mixture  packs-6000 (taken)" in told
    assert max(map(len, told.split("options, each taken with --option NAME:")[1].splitlines())) <= 100
    assert "2.2   single-node" in CliRunner().invoke(main, ["stages"]).output
    said = json.loads(CliRunner().invoke(main, ["plan", "--stage", "1.3", "--json"]).output)["options"]
    assert said["chosen"] == []
    assert set(said["mixture"]) == set(PAPER.options) and "without-text" in said["stage"]


def test_a_build_takes_the_options_of_both_cards_and_refuses_a_folder_built_without(tmp_path: Path) -> None:
    picture_source(tmp_path, "asks", 12)
    picture_source(tmp_path, "tells", 12, "Description")
    write_source(tmp_path, "words", [record(n, f"Say {n}.", f"{n}.") for n in range(12)])
    options = {"worded": {"reason": "Test.", "sources": {"asks": "words"}, "holdout": {"least": 2}}}
    mixture = write_mixture(
        tmp_path, {"asks": "all", "tells": "all"}, holdout={"share": 0.01, "least": 3}, options=options
    )
    out = tmp_path / "out"
    run_build(mixture, out, options=("worded", "public-script"))
    made = json.loads((out / "stages/1.3/plan.json").read_text())
    assert made["mixture"] == "test+worded"
    assert [line["source"] for line in made["sources"]] == ["words", "tells"]
    assert (made["hold_out"]["least"], made["state_tokens"]) == (2, True)
    with pytest.raises(UsageError, match=r"was built from mixture test\+worded, not test"):
        run_build(mixture, out, stage="1.2")


def read_packaged(name: str, root: Path, annotation: str, told: object) -> list[Native]:
    """What a packaged card's adapter reads from one annotation file of its corpus."""
    card = load_source(name)
    path = root / annotation
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(told))
    return natives(make_adapter(card.adapter, checked_options(card)), root, annotation)


def test_conversations_about_a_document_begin_with_it_and_end_with_the_first_answer(tmp_path: Path) -> None:
    asked = [
        {"role": "user", "content": "Who came?"},
        {"role": "assistant", "content": "Ann."},
        {"role": "user", "content": "When?"},
    ]
    rows = [
        {"document": "Ann came in May.", "messages": asked, "answers": ["In May", "May"]},
        {"document": "Bo left.", "messages": asked[:1], "answers": [["Nobody", "No one"]]},
    ]
    long, nested = read_packaged("chatqa-nvidia", tmp_path, "drop/train.json", rows)
    said = ["Ann came in May.\nWho came?", "Ann.", "When?", "In May"]
    assert [turn["value"] for turn in long.turns] == said
    assert [turn["value"] for turn in nested.turns] == ["Bo left.\nWho came?", "Nobody"]
    assert not long.media


def test_the_captions_of_anyword_are_read_beside_its_texts(tmp_path: Path) -> None:
    item = {
        "img_name": "1.jpg",
        "caption": 'a sign that says "*"',
        "annotations": [{"polygon": [[1, 1], [9, 1], [9, 9], [1, 9]], "text": "书店", "valid": True}],
    }
    told = {"data_root": "/data/imgs", "data_list": [item]}
    annotation = "wukong_1of5/data_v1.1.json"
    (text,) = read_packaged("anyword-3m", tmp_path / "a", annotation, told)
    (caption,) = read_packaged("anyword-3m-captions", tmp_path / "b", annotation, told)
    assert [native.turns[-1]["value"] for native in (text, caption)] == ["书店", item["caption"]]
    assert [medium.name for native in (text, caption) for medium in native.media] == ["imgs/1.jpg"] * 2

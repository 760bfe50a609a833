"""Which sources may be used commercially: what the packaged cards say, and what a plan with --licence leaves out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.factories import write_mixture, write_source
from vita_data.cli.main import main
from vita_data.errors import ManifestError, UsageError
from vita_data.manifest.find import all_sources, load_mixture, load_source, load_sources, load_stage
from vita_data.manifest.licence import ledger, left_out_words, licensed
from vita_data.sample.photographs import CC_BY, PHOTOGRAPHS

LIBERAL = re.compile(
    r"(cc0-1\.0|cc-by-[234]\.0|apache-2\.0|public domain|CC0-1\.0( AND CC-BY-2\.0)?)", re.IGNORECASE
)
FORBIDDING = re.compile(r"\bnc\b|non-commercial|research only", re.IGNORECASE)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A mixture of three sources of questions: one allowed, one forbidden, one of which nobody said anything."""
    write_source(tmp_path, "free", [], commercial="allowed")
    write_source(tmp_path, "shut", [], commercial="forbidden", licence="cc-by-nc-4.0")
    write_source(tmp_path, "dim", [], licence="made by a model")
    write_source(tmp_path, "clips", [], "Negative", "Speech", licence="ask")
    card = write_mixture(tmp_path, {"shut": 40, "free": 50, "dim": 60})
    text = card.read_text()
    card.write_text(text.replace('"sources": [', '"sources": [{"source": "clips", "clips": "all"}, '))
    return tmp_path


def plan(home: Path, *more: str) -> Result:
    mixture = ("--mixture", str(home / "test.yaml"), "--out", str(home / "none"))
    return CliRunner().invoke(main, ["plan", "--stage", "1.3", *mixture, *more])


# --- cards ---


def test_a_card_that_says_nothing_is_unclear_and_another_word_is_refused(tmp_path: Path) -> None:
    write_source(tmp_path, "mine", [])
    assert load_source(str(tmp_path / "mine.yaml")).commercial == "unclear"
    write_source(tmp_path, "mine", [], commercial="yes")
    with pytest.raises(ManifestError, match="commercial"):
        load_source(str(tmp_path / "mine.yaml"))


def test_no_packaged_card_allows_what_its_licence_does_not_plainly_allow() -> None:
    allowed = [card for card in all_sources() if card.commercial == "allowed"]
    assert len(allowed) > 20
    assert [card.source for card in allowed if not LIBERAL.fullmatch(card.licence)] == []
    assert [
        card.source for card in allowed if card.media_licence and not card.source.startswith("sample-")
    ] == []


def test_packaged_cards_forbid_exactly_what_their_licences_do() -> None:
    forbidding = {card.source for card in all_sources() if FORBIDDING.search(card.licence)}
    assert forbidding == {card.source for card in all_sources() if card.commercial == "forbidden"}
    assert {"sharegpt4v", "wenetspeech", "emilia-en", "chatqa-nvidia", "aishell-2"} <= forbidding


def test_a_packaged_card_that_is_unclear_says_why() -> None:
    for card in all_sources():
        if card.commercial == "unclear":
            stated = not re.search(r"unknown|none|origins", card.licence)
            why = " ".join([*card.known, card.media_licence or ""])
            assert not stated or re.search(r"commercial use is unclear|owners'", why), card.source


def test_every_published_corpus_has_its_page_and_nearly_all_a_publication_to_cite() -> None:
    published = [card for card in all_sources() if card.released and not card.source.startswith("sample-")]
    assert [card.source for card in published if not re.fullmatch(r"https://\S+", card.url or "")] == []
    assert {card.source for card in published if card.cite is None} == {"sharegemini", "sharegpt4o-image"}


def test_the_cards_of_the_sample_credit_every_photograph_whose_licence_asks_for_it() -> None:
    credits = [each.credit.split(",")[0] for each in PHOTOGRAPHS if each.licence == CC_BY]
    assert len(credits) == 2
    for card in all_sources():
        if CC_BY in card.licence:
            assert all(name in str(card.cite) for name in credits), card.source
    assert any(CC_BY in card.licence for card in all_sources())


# --- taking only what is allowed ---


def test_only_what_is_allowed_stays_in_a_mixture_of_another_name(home: Path) -> None:
    mixture, stage = load_mixture(str(home / "test.yaml")), load_stage("1.3")
    cards = load_sources(mixture)
    rest, left_out = licensed(stage, mixture, cards, "commercial")
    assert [line.source for line in rest.sources] == ["free"]
    assert rest.mixture == "test+licence=commercial"
    assert [card.source for card in left_out] == ["shut", "dim"], "clips are nothing to stage 1.3"
    _, with_clips = licensed(load_stage("2.2"), mixture, cards, "commercial")
    assert [card.source for card in with_clips] == ["clips", "shut", "dim"]
    assert licensed(stage, mixture, cards, None) == (mixture, [])
    assert left_out_words("commercial", left_out).endswith(
        "`commercial: allowed`: shut (forbidden), dim (unclear)"
    )
    assert left_out_words("commercial", []) == "--licence commercial leaves out no source"


@pytest.mark.parametrize("pure_text", [None, False])
def test_nothing_left_to_draw_from_is_an_error_that_gives_each_reason(
    home: Path, pure_text: bool | None
) -> None:
    scenario = "General Image" if pure_text is None else "Pure Text"
    kind = "unclear" if pure_text is None else "allowed"
    write_source(home, "free", [], scenario=scenario, commercial=kind)
    mixture = load_mixture(str(home / "test.yaml"))
    with pytest.raises(UsageError) as caught:
        licensed(load_stage("1.3"), mixture, load_sources(mixture), "commercial", pure_text)
    assert "with --licence commercial nothing is left of mixture test for stage 1.3: " in str(caught.value)
    assert "shut is forbidden (cc-by-nc-4.0)" in str(caught.value)
    assert "dim is unclear (made by a model)" in str(caught.value)


def test_hours_without_corpora_have_no_licence_that_anybody_could_allow(tmp_path: Path) -> None:
    write_source(tmp_path, "free", [], commercial="allowed")
    mixture = load_mixture(str(write_mixture(tmp_path, {"free": 9}, hours={"asr": 10, "tts": 10})))
    with pytest.raises(UsageError, match="it names no source for it"):
        licensed(load_stage("2.1"), mixture, load_sources(mixture), "commercial")


def test_the_ledger_is_plain_json_of_what_was_taken_and_left_out(home: Path) -> None:
    free, shut = load_source(str(home / "free.yaml")), load_source(str(home / "shut.yaml"))
    said = ledger([free], "commercial", [shut])
    assert json.loads(json.dumps(said)) == said
    assert said["sources"]["free"]["licence"] == "CC0-1.0"
    assert said["left_out"]["shut"]["commercial"] == "forbidden"
    assert ledger([free]) == {"licence": None, "sources": said["sources"], "left_out": {}}


def test_a_plan_for_commercial_use_counts_the_rest_and_names_what_it_left_out(home: Path) -> None:
    said = json.loads(plan(home, "--licence", "commercial", "--json").stdout)
    assert [row["source"] for row in said["sources"]] == ["free"]
    assert (said["licence"], said["left_out"]) == ("commercial", ["shut", "dim"])
    whole = json.loads(plan(home, "--json").stdout)
    assert (whole["licence"], whole["left_out"], len(whole["sources"])) == (None, [], 3)
    words = " ".join(plan(home, "--licence", "commercial").stdout.split())
    assert words.count("shut (forbidden), dim (unclear)") == 1


def test_a_plan_with_nothing_left_ends_with_one_line(home: Path) -> None:
    write_source(home, "free", [])
    result = plan(home, "--licence", "commercial")
    assert result.exit_code == 2
    assert result.stderr.startswith("vita-data: with --licence commercial nothing is left of mixture test")
    assert result.stderr.count("\n") == 1

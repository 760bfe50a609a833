"""Plans from cards: exact quotas, Table 1's totals, and nothing claimed that no card says."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vita_data.errors import ManifestError
from vita_data.manifest.find import load_mixture, load_sources, load_stage
from vita_data.manifest.mixture import MixtureCard, MixtureSource
from vita_data.manifest.plan import plan_from_cards, quota
from vita_data.manifest.stage import Shares

PAPER = load_mixture("paper")
SOURCES = load_sources(PAPER)
SHARES = st.decimals(0, 1, places=6).map(Fraction)
COUNTS = st.integers(1, 10**8)


def plan(stage: str, pure_text: bool | None = None) -> dict[str, Any]:
    return plan_from_cards(load_stage(stage), PAPER, SOURCES, pure_text)


def mixture_of(*lines: MixtureSource) -> MixtureCard:
    return replace(PAPER, mixture="mine", sources=lines, path=Path("mine.yaml"))


@pytest.mark.parametrize(
    ("stage", "pure_text", "questions"),
    [
        ("1.1", None, 919_740),
        ("1.2", None, 4_598_700),
        ("1.3", None, 18_454_200),
        ("1.3", False, 16_880_000),
        ("2.2", None, 3_690_840),
        ("2.2", False, 3_376_000),
    ],
)
def test_the_totals_of_the_paper_are_those_of_table_1(
    stage: str, pure_text: bool | None, questions: int
) -> None:
    made = plan(stage, pure_text)
    assert made["total"]["questions"] == questions
    assert sum(row["asked"] for row in made["sources"]) == questions


def test_half_of_each_sources_questions_is_spoken_and_their_tokens_are_estimates_until_they_are() -> None:
    made = plan("2.2")
    for row in made["sources"]:
        is_asking = SOURCES[row["source"]].kind == "qa"
        assert row["spoken"] == (row["questions"] // 2 if is_asking else 0)
        assert row["estimated"] == (["tokens"] if is_asking else [])
    assert made["total"]["spoken"] == sum(row["spoken"] for row in made["sources"])
    assert made["total"]["estimated"] == ["tokens"]
    known = {row["source"]: 5 for row in made["sources"]}
    certain = plan_from_cards(load_stage("2.2"), PAPER, SOURCES, made=known)
    assert certain["total"]["estimated"] == []
    assert {row["tokens"] for row in certain["sources"] if row["spoken"]} == {5}
    assert all("spoken" not in row for row in plan("1.3")["sources"])


def test_clips_of_negatives_have_rows_of_their_own_and_are_no_questions() -> None:
    card = replace(
        SOURCES["chatqa"],
        source="crowd",
        row=replace(SOURCES["chatqa"].row, scenario="Speech", type="Negative"),
    )
    sources = {**SOURCES, "crowd": card}
    for stated, asked in ((100, 36), ("all", None)):
        mixture = mixture_of(MixtureSource("chatqa", questions=7_390), MixtureSource("crowd", clips=stated))  # type: ignore[arg-type]
        made = plan_from_cards(load_stage("2.2"), mixture, sources)
        assert [(row["source"], row["unit"], row["asked"]) for row in made["sources"]] == [
            ("chatqa", "questions", 1_478),
            ("crowd", "clips", asked),
        ]
        assert (made["total"]["questions"], made["total"]["clips"]) == (1_478, asked)
        assert len(plan_from_cards(load_stage("1.3"), mixture, sources)["sources"]) == 1


@pytest.mark.parametrize(
    ("stage", "source", "hours", "tokens"),
    [
        ("2.1", "asr", 11_000, 495_000_000),
        ("3.1", "tts", 3_000, 432_000_000),
        ("3.2", "tts", 3_000, 432_000_000),
    ],
)
def test_speech_stages_are_planned_in_hours(stage: str, source: str, hours: int, tokens: int) -> None:
    made = plan(stage)
    (row,) = made["sources"]
    assert (row["source"], row["unit"], row["asked"], row["tokens"]) == (source, "hours", hours, tokens)
    assert (made["total"]["hours"], made["total"]["questions"]) == (hours, None)


def test_a_row_has_the_documented_shape_and_only_drawn_sources_have_one() -> None:
    made = plan("1.1")
    assert [row["source"] for row in made["sources"]] == [
        line.source for line in PAPER.sources if SOURCES[line.source].kind == "caption"
    ]
    assert made["sources"][0] == {
        "source": "sharegpt4v",
        "unit": "questions",
        "basis": "card",
        "asked": 19_900,
        "samples": 20_000,
        "questions": 19_900,
        "tokens": (23_000_000 + 100_000 * 7 * 256) // 5,
        "bytes": 8_000_000_000,
        "hours": None,
    }


def test_the_estimates_of_stage_1_3_are_of_the_right_size() -> None:
    total = plan("1.3")["total"]
    assert 12.0e9 < total["tokens"] < 12.6e9
    assert 3.0e12 < total["bytes"] < 3.1e12
    assert total["unknown"] == {}


def test_switching_pure_text_off_leaves_its_row_out() -> None:
    assert "synthetic-text" in {row["source"] for row in plan("1.3")["sources"]}
    assert "synthetic-text" not in {row["source"] for row in plan("1.3", pure_text=False)["sources"]}
    assert plan_from_cards(load_stage("1.3").with_option("without-text"), PAPER, SOURCES) == plan(
        "1.3", False
    )


def test_all_questions_have_no_quota_before_the_catalog_but_keep_the_cards_estimate() -> None:
    mixture = mixture_of(MixtureSource("chatqa", "all"), MixtureSource("scienceqa", 1_000))
    made = plan_from_cards(load_stage("1.3"), mixture, SOURCES)
    assert [row["asked"] for row in made["sources"]] == [None, 1_000]
    assert [row["questions"] for row in made["sources"]] == [7_390, 1_000]


def test_what_no_card_estimates_is_none_and_named_in_the_total() -> None:
    bare = {name: replace(card, estimate=None) for name, card in SOURCES.items()} | {
        "chatqa": SOURCES["chatqa"]
    }
    mixture = mixture_of(
        MixtureSource("scienceqa", "all"),
        MixtureSource("chatqa", 7_390),
        MixtureSource("lvis-instruct4v", 10),
    )
    made = plan_from_cards(load_stage("1.3"), mixture, bare)
    assert [row["samples"] for row in made["sources"]] == [None, 4_000, None]
    assert made["total"]["questions"] == 7_400
    assert made["total"]["unknown"] == {
        "questions": ["scienceqa"],
        "samples": ["scienceqa", "lvis-instruct4v"],
        "tokens": ["scienceqa", "lvis-instruct4v"],
        "bytes": ["scienceqa", "lvis-instruct4v"],
    }


def test_a_total_of_which_nothing_is_known_is_none_and_of_nothing_drawn_is_zero() -> None:
    stage = load_stage("1.1")
    bare = {"sharegpt4v": replace(SOURCES["sharegpt4v"], estimate=None), "chatqa": SOURCES["chatqa"]}
    unknown = plan_from_cards(stage, mixture_of(MixtureSource("sharegpt4v", "all")), bare)
    assert unknown["total"]["questions"] is None
    nothing = plan_from_cards(stage, mixture_of(MixtureSource("chatqa", 10)), bare)
    assert (nothing["sources"], nothing["total"]["questions"], nothing["total"]["unknown"]) == ([], 0, {})


def test_a_smaller_geometry_bounds_the_visual_tokens() -> None:
    tiny = replace(PAPER, geometry=replace(PAPER.geometry, tile_tokens=16, max_tiles=3))
    row = plan_from_cards(load_stage("1.2"), tiny, SOURCES)["sources"][0]
    assert row["tokens"] == 23_000_000 + 100_000 * 4 * 16


def test_a_mixture_without_speech_says_what_to_add() -> None:
    silent = replace(mixture_of(MixtureSource("chatqa", 10)), hours=replace(PAPER.hours, asr=None))
    with pytest.raises(
        ManifestError, match=r"mixture mine states no asr hours, which stage 2.1 asks for; add `hours:"
    ):
        plan_from_cards(load_stage("2.1"), silent, SOURCES)


@given(SHARES, COUNTS)
def test_a_quota_is_the_exact_share_rounded_up(share: Fraction, questions: int) -> None:
    asked = quota(share, questions)
    assert asked - 1 < share * questions <= asked
    assert asked == -(-share.numerator * questions // share.denominator)


@given(SHARES, SHARES, COUNTS)
def test_a_larger_share_never_asks_for_less(one: Fraction, other: Fraction, questions: int) -> None:
    low, high = sorted((one, other))
    assert quota(low, questions) <= quota(high, questions) <= questions


@given(SHARES, SHARES)
def test_plans_follow_the_shares_of_the_stage(caption: Fraction, qa: Fraction) -> None:
    stage = replace(load_stage("1.3"), shares=Shares(caption, qa))
    made = plan_from_cards(stage, PAPER, SOURCES)
    expected = 0
    for line in PAPER.sources:
        assert isinstance(line.questions, int)
        share = caption if SOURCES[line.source].kind == "caption" else qa
        expected += ceil(share * line.questions)
    assert made["total"]["questions"] == expected


def test_planning_imports_nothing_heavy() -> None:
    code = (
        "import sys; from vita_data.manifest import find, plan, tables; "
        "m = find.load_mixture('paper'); plan.plan_from_cards(find.load_stage('1.3'), m, find.load_sources(m)); "
        "print(*sorted({'pyarrow', 'torch', 'apache_beam', 'fsspec', 'numpy', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []

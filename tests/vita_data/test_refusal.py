"""Refusals are found in many phrasings, and what merely sounds like one is left alone."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vita_data.refusals import HONEST, REFUSALS
from vita_data.curate.rules.base import Sample
from vita_data.curate.rules.refusal import refusal, refused


def _says(*answers: str, kind: str = "qa") -> Sample:
    turns = [turn for a in answers for turn in ({"from": "human", "value": "?"}, {"from": "gpt", "value": a})]
    return Sample(kind, "en", turns)


@pytest.mark.parametrize("answer", HONEST)
def test_an_honest_answer_that_sounds_like_a_refusal_is_none(answer: str) -> None:
    assert refused(answer) is None


def test_nearly_all_refusals_of_the_list_are_found() -> None:
    missed = [answer for answer in REFUSALS if refused(answer) is None]
    wrong = [answer for answer in HONEST if refused(answer) is not None]
    print(
        f"{len(REFUSALS) - len(missed)} of {len(REFUSALS)} refusals found, {len(wrong)} of {len(HONEST)} others"
    )
    assert len(missed) <= len(REFUSALS) // 25, missed


@pytest.mark.parametrize("language", ["en", "zh"])
def test_both_languages_are_well_covered(language: str) -> None:
    for answers in (REFUSALS, HONEST):
        chinese = [answer for answer in answers if any("\u4e00" <= letter <= "\u9fff" for letter in answer)]
        assert len(chinese if language == "zh" else set(answers) - set(chinese)) >= 35


def test_one_refusal_among_the_answers_refuses_the_sample_with_its_words() -> None:
    reject = refusal(_says("Fine.", "I'm sorry, but I can't assist with that request."), "on")
    assert reject is not None
    assert (reject.rule, reject.value) == ("refusal", "I'm sorry, but I can't assist with")


@pytest.mark.parametrize("kind", ["asr", "tts", "negative"])
def test_what_people_say_is_no_refusal_in_a_transcript(kind: str) -> None:
    assert refusal(_says("i'm sorry i can't help you with that", kind=kind), "on") is None


@pytest.mark.parametrize("answer", ["The picture shows a bus. ", "公交车是红色的。"])
def test_a_refusal_further_down_an_answer_is_none(answer: str) -> None:
    assert refused(answer + "I'm sorry, but I can't assist with that.") is None


PIECES = (
    "as an ai ",
    "i'm sorry, ",
    "but ",
    "i can't ",
    "it seems ",
    "the ",
    "这个",
    "我",
    "作为",
    "抱歉，",
    "不能",
)


@given(st.lists(st.sampled_from(PIECES), max_size=80))
def test_pieces_of_refusals_in_any_order_take_no_time(pieces: list[str]) -> None:
    begun = time.process_time()
    refused("".join(pieces))
    assert time.process_time() - begun < 0.5

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vita_data.report.differences import BEFORE, side_by_side
from vita_data.report.markup import Html, text


def marked(side: Html) -> list[str]:
    """What stands in the mark elements of a side, as it was escaped."""
    return [piece.partition("</mark>")[0] for piece in side.split("<mark>")[1:]]


def unmarked(side: Html) -> str:
    return side.replace("<mark>", "").replace("</mark>", "")


@given(st.text(max_size=120), st.text(max_size=120))
def test_both_texts_stand_there_whole_when_they_are_short(left, right):
    assert [unmarked(side) for side in side_by_side(left, right)] == [text(left), text(right)]


@given(st.text(max_size=200))
def test_nothing_is_marked_where_only_case_and_space_differ(words):
    loud = "".join(
        letter.upper() if letter.upper().casefold() == letter.casefold() else letter for letter in words
    )
    ours, theirs = side_by_side(words, loud.replace(" ", "\n"))
    assert "<mark>" not in ours + theirs


def test_the_words_that_differ_are_marked_on_both_sides():
    ours, theirs = side_by_side("five red boats at noon", "Five blue boats, at  noon")
    assert (marked(ours), marked(theirs)) == (["red"], ["blue", ","])


def test_several_words_that_differ_are_one_piece():
    ours, theirs = side_by_side("clouds came up today", "clouds hung low today")
    assert (marked(ours), marked(theirs)) == (["came up"], ["hung low"])


def test_punctuation_may_make_no_difference():
    assert not any(map(marked, side_by_side("at noon", "At noon?", signs=False)))


def test_chinese_is_compared_by_characters():
    ours, theirs = side_by_side("港口在日出之前醒来。", "港口在日落之前醒来。")
    assert (marked(ours), marked(theirs)) == (["出"], ["落"])


@pytest.mark.parametrize("end", ["creaks.", ""])
def test_long_texts_are_shown_from_a_little_before_they_part(end):
    same = "word " * 5000
    ours, theirs = side_by_side(f"{same}creak.", f"{same}{end}")
    assert ours.startswith("… word")
    assert unmarked(ours).count("word") == BEFORE // 2
    assert marked(ours)[0].startswith("creak")
    assert len(theirs) < 300


def test_what_follows_the_shown_part_is_an_ellipsis():
    ours, _ = side_by_side("one " * 5000, "two " * 5000)
    assert ours.endswith(" …")
    assert len(ours) < 4000 * 4

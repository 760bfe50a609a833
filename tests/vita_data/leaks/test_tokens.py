"""What counts as a token when leaks are searched, and what a run and a line are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vita_data.leaks.tokens import CHARACTERS, WORDS, Tokens, pieces, runs, stretches, tokens_of

TEXTS = st.lists(st.text(alphabet="ab 图里3.?\n", max_size=30), max_size=5)


def listed(text: str) -> list[int]:
    """The tokens of one text."""
    return tokens_of([text]).hashes.tolist()


def stretch(some: Tokens, number: int) -> list[int]:
    """The tokens of a text among others."""
    return some.hashes[some.firsts[number] : some.firsts[number + 1]].tolist()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It's well-known, isn't it?", "IT S WELL KNOWN ISN T IT"),
        ("图里有什么？", "图 里 有 什么"),
        ("In which year, 1969 or 1970?", "IN WHICH YEAR 1969 OR 1970"),
        ("<image>\nWhat is it?", "what is it"),
        ("<image 12> What is it?", "what is it"),
        ("ｆｕｌｌ　width", "full width"),
    ],
)
def test_a_transcript_has_the_tokens_of_the_written_form(one: str, other: str) -> None:
    assert listed(one) == listed(other) != []


@pytest.mark.parametrize(
    ("one", "other"), [("3.5 m", "35 m"), ("12:30", "12 30"), ("a + b", "a - b"), ("x", "y")]
)
def test_what_means_something_else_has_other_tokens(one: str, other: str) -> None:
    assert listed(one) != listed(other)


@given(TEXTS)
def test_the_tokens_of_a_text_do_not_depend_on_its_neighbours(texts: list[str]) -> None:
    some = tokens_of(texts)
    assert [stretch(some, number) for number in range(len(texts))] == [listed(text) for text in texts]


def test_length_counts_two_characters_as_a_word_and_symbols_not() -> None:
    assert tokens_of(["two words 图里有 + 3.5"]).halves.tolist() == [2, 2, 1, 1, 1, 0, 2, 0, 2]


@given(TEXTS)
def test_runs_are_of_words_or_characters_and_never_leave_their_text(texts: list[str]) -> None:
    some = tokens_of(texts)
    hashes, places, widths = runs(some)
    text_of = np.searchsorted(some.firsts, places, side="right") - 1
    assert (places + widths <= some.firsts[text_of + 1]).all()
    assert (widths == np.where(some.halves[places] == 1, CHARACTERS, WORDS)).all()
    contents = {}
    for value, place, width in zip(hashes.tolist(), places.tolist(), widths.tolist(), strict=True):
        run = tuple(some.hashes[place : place + width].tolist())
        assert contents.setdefault(value, run) == run
    assert len(set(contents.values())) == len(contents)


@given(TEXTS)
def test_pieces_are_the_texts_and_their_lines(texts: list[str]) -> None:
    some = tokens_of(texts)
    expected = set()
    for number, text in enumerate(texts):
        for part in (text, *text.split("\n")):
            expected |= {(number, tuple(listed(part)))} if listed(part) else set()
    firsts, ends, of = pieces(some, 1000)
    assert expected == {
        (number, tuple(some.hashes[first:end].tolist()))
        for first, end, number in zip(firsts.tolist(), ends.tolist(), of.tolist(), strict=True)
    }
    assert (pieces(some, 2)[1] - pieces(some, 2)[0] <= 2).all()


def test_equal_stretches_have_equal_hashes_and_others_have_not() -> None:
    some = tokens_of(["a b c a b c b a a"])
    firsts, ends = np.array([0, 3, 1, 0, 0, 7, 8]), np.array([3, 6, 4, 6, 2, 9, 9])
    hashes = stretches(some, firsts, ends)
    assert hashes[0] == hashes[1] and len(set(hashes.tolist())) == 6


def test_words_are_what_is_written_on_one_line() -> None:
    some = tokens_of(["First, a line;\nthen <image> another."])
    assert some.words(1, 5) == "a line; then another"
    assert some.words(2, 2) == ""

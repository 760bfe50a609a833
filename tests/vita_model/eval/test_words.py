"""The forms in which texts are compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vita_model.eval.words import DIGITS, plain_answer, plain_digits, plain_words


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("  It is  THREE. ", "it is three"),
        ("7.", "7"),
        ("3.5", "3.5"),
        ("是的。", "是的"),
        ("Yes!?", "yes"),
        ("ＮＢＡ", "nba"),
        ("...", ""),
    ],
)
def test_an_answer_is_compared_without_case_space_and_final_punctuation(text: str, plain: str) -> None:
    assert plain_answer(text) == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Don't -- STOP, he said.", "don't stop he said"),
        ("don’t", "don't"),
        ("'quoted'", "quoted"),
        ("a_b", "a b"),
        ("我用 iPhone，好。", "我用 iphone 好"),
    ],
)
def test_a_transcript_is_compared_by_its_words(text: str, plain: str) -> None:
    assert plain_words(text) == plain


def test_digits_are_the_same_in_words_and_in_numerals() -> None:
    assert plain_digits("Three 47") == plain_digits("3, four; SEVEN") == "3 4 7"
    assert plain_digits(" ".join(DIGITS)) == "0 1 2 3 4 5 6 7 8 9"


@given(st.text(max_size=30))
def test_every_form_is_settled_after_once(text: str) -> None:
    for form in (plain_answer, plain_words, plain_digits):
        assert form(form(text)) == form(text)

"""Error rates and intervals."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from vita_model.eval.metrics import Errors, errors, resampled, same_answer, wilson
from vita_model.eval.words import plain_digits


def distance(first: list[str], second: list[str]) -> int:
    """Least edits, by the textbook's table."""
    row = list(range(len(second) + 1))
    for i, one in enumerate(first, 1):
        row, before = [i], row
        for j, other in enumerate(second, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (one != other)))
    return row[-1]


@given(st.lists(st.sampled_from("abc"), max_size=6), st.lists(st.sampled_from("abc"), max_size=6))
def test_edits_are_the_fewest(wanted: list[str], got: list[str]) -> None:
    found = errors(" ".join(wanted), " ".join(got))
    assert (found.words, found.word_errors) == (len(wanted), distance(wanted, got))
    assert found.character_errors == distance(list(" ".join(wanted)), list(" ".join(got)))


def test_rates_are_sums_over_sums_and_not_means_of_rates() -> None:
    whole = errors("one two three four", "one two three four") + errors("five", "nine ten")
    assert whole == Errors(5, 2, 22, 6)
    assert whole.wer == 2 / 5
    assert Errors().wer is None and Errors().cer is None


def test_digits_may_be_written_either_way() -> None:
    assert errors("three four seven", "3 47", plain_digits).word_errors == 0
    assert errors("three four seven", "3 47").word_errors == 3


def test_an_answer_is_right_whatever_its_case_and_full_stop() -> None:
    assert same_answer("It is 7.", "it is  7")
    assert not same_answer("It is 7.", "it is 77")


@given(st.integers(1, 2000), st.data())
def test_the_interval_of_a_share_is_wilsons(count: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, count))
    wanted = binomtest(right, count).proportion_ci(method="wilson")
    assert wilson(right, count) == pytest.approx((wanted.low, wanted.high), abs=1e-9)


def test_nothing_has_no_interval() -> None:
    assert wilson(0, 0) is None
    assert resampled([], [], 0) is None


def test_the_interval_of_an_error_rate_follows_from_the_seed_and_is_about_right() -> None:
    wrong, counts = [1] * 100 + [0] * 300, [1] * 400
    low, high = resampled(wrong, counts, 7) or (0.0, 0.0)
    assert (low, high) == resampled(wrong, counts, 7) != resampled(wrong, counts, 8)
    half = 1.96 * math.sqrt(0.25 * 0.75 / 400)
    assert low == pytest.approx(0.25 - half, abs=0.01) and high == pytest.approx(0.25 + half, abs=0.01)


def test_speakers_who_differ_widen_the_interval_over_speakers() -> None:
    wrong, counts = [0] * 50 + [1] * 50, [1] * 100
    speakers = ["anna"] * 50 + ["bert"] * 50
    assert resampled(wrong, counts, 0, speakers) == (0.0, 1.0)
    low, high = resampled(wrong, counts, 0) or (0.0, 1.0)
    assert 0.35 < low < high < 0.65

"""Two models on the same questions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from vita_data.errors import UsageError
from vita_model.eval.paired import Asked, compare, mcnemar, read_answers


def table(both: int, second: int, first: int, neither: int) -> tuple[dict[Asked, bool], dict[Asked, bool]]:
    """Answers of two models of which so many were right by both, by one alone, and by none."""
    pairs = [(True, True)] * both + [(False, True)] * second + [(True, False)] * first
    pairs += [(False, False)] * neither
    ours = {(f"q{n}", 1): pair[0] for n, pair in enumerate(pairs)}
    return ours, {(f"q{n}", 1): pair[1] for n, pair in enumerate(pairs)}


def test_the_interval_is_newcombes_for_paired_shares() -> None:
    """The first table of Newcombe (1998, Statistics in Medicine 17, 2635), his method 10."""
    found = compare(*table(36, 12, 2, 0))
    assert found["interval"] == pytest.approx((0.0569, 0.3404), abs=5e-5)
    assert found["difference"] == 0.2


def test_the_interval_holds_the_truth_nineteen_times_of_twenty() -> None:
    draw = numpy.random.default_rng(0)
    tables = draw.multinomial(60, (0.6, 0.15, 0.05, 0.2), 800).tolist()
    intervals = [compare(*table(*cells))["interval"] for cells in tables]
    assert 0.93 < sum(low <= 0.1 <= high for low, high in intervals) / 800 < 0.98


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_p_is_that_of_a_fair_coin(first: int, second: int) -> None:
    wanted = binomtest(first, first + second).pvalue if first + second else 1.0
    assert mcnemar(first, second) == pytest.approx(wanted)


@given(st.tuples(*[st.integers(0, 9)] * 4).filter(any))
def test_swapping_the_models_turns_the_interval_round(cells: tuple[int, int, int, int]) -> None:
    ours, theirs = table(*cells)
    there, back = compare(ours, theirs), compare(theirs, ours)
    assert there["difference"] == -back["difference"]
    assert there["interval"] == pytest.approx((-back["interval"][1], -back["interval"][0]))


def test_only_questions_that_both_were_asked_count(tmp_path: Path) -> None:
    lines = [{"key": f"k{n}", "turn": 1, "right": n % 2 == 0} for n in range(4)]
    lines.append({"key": "k9", "turn": 1, "right": None})
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    read = read_answers(path)
    assert len(read) == 4
    assert compare(read, {("k0", 1): False, ("other", 1): True})["questions"] == 1
    with pytest.raises(UsageError, match="share no question"):
        compare(read, {("other", 1): True})

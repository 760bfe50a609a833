"""Drawing a quota: exact, nested, and independent of how the rows are spread over parts."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vita_data import files
from vita_data.manifest.plan import quota
from vita_data.select.draw import EVERYTHING, Drawn, draw
from vita_data.select.holdout import HoldOut

Row = tuple[int, str, int, int]  # selection hash, key, questions, hold-out hash

NOBODY = HoldOut(0)
# Few different high bits, so that samples meet in one bin, and few low ones, so that hashes tie.
selections = st.builds(
    lambda high, low: (high << 48) | low, st.integers(0, 5) | st.just(65535), st.integers(0, 3)
)
rows_ = st.lists(st.tuples(selections, st.integers(1, 6), st.integers(0, 9)), min_size=1, max_size=40).map(
    lambda rows: [(s, f"k-{n * 7919 % 1000:03d}", q, h) for n, (s, q, h) in enumerate(rows)]
)
shares = st.fractions(0, 1, max_denominator=50)


@pytest.fixture(autouse=True, scope="module")
def clean() -> Iterator[None]:
    yield
    files.remove_tree("memory://draw")


def parts(rows: list[Row], cuts: int = 1) -> list[str]:
    """The rows as measured parts; every n-th row in the n-th part."""
    folder, paths = f"memory://draw/{uuid.uuid4().hex}", []
    for number in range(cuts):
        selection, keys, questions, hold = (
            zip(*rows[number::cuts], strict=True) if rows[number::cuts] else ((),) * 4
        )
        columns = {
            "key": pa.array(keys, pa.string()),
            "selection": pa.array(selection, pa.uint64()),
            "questions": pa.array(questions, pa.int32()),
            "hold": pa.array([[each] for each in hold], pa.list_(pa.uint64())),
        }
        paths.append(f"{folder}/{number}.parquet")
        files.write_table(paths[-1], pa.table(columns))
    return paths


def taken(rows: list[Row], drawn: Drawn, hold_out: HoldOut = NOBODY) -> set[str]:
    """The keys up to the cutoff."""
    if drawn.cutoff is None:
        return set()
    return {key for s, key, _, h in rows if (s, key) <= drawn.cutoff and h >= hold_out.limit}


def draw_questions(
    source: str,
    paths: list[str],
    share: Fraction,
    number: int | None,
    hold_out: HoldOut,
    late: frozenset[str],
) -> Drawn:
    return draw(
        source, paths, "questions", share, None if number is None else Fraction(number), hold_out, late
    )


def sorted_draw(rows: list[Row], asked: int) -> list[Row]:
    """The definition: in order of hash, ties by key, until the quota is met."""
    found: list[Row] = []
    for row in sorted(rows):
        if sum(each[2] for each in found) >= asked:
            break
        found.append(row)
    return found


@settings(max_examples=150)
@given(rows_, shares, st.integers(1, 4))
def test_what_is_drawn_is_the_front_of_a_plain_sort(rows: list[Row], share: Fraction, cuts: int) -> None:
    total = sum(row[2] for row in rows)
    asked = quota(share, total)
    wanted = sorted_draw(rows, asked)
    drawn = draw_questions("s", parts(rows, cuts), share, None, NOBODY, frozenset())
    assert taken(rows, drawn) == {row[1] for row in wanted}
    assert (drawn.asked, drawn.available, drawn.available_samples) == (asked, total, len(rows))
    assert (drawn.amount, drawn.samples) == (sum(row[2] for row in wanted), len(wanted))
    assert not drawn.short


@given(rows_, shares)
def test_a_quota_is_met_and_passed_by_less_than_the_last_samples_questions(
    rows: list[Row], share: Fraction
) -> None:
    drawn = draw_questions("s", parts(rows), share, None, NOBODY, frozenset())
    assert drawn.amount >= drawn.asked
    if drawn.asked:
        last = max(row for row in rows if row[1] in taken(rows, drawn))
        assert drawn.amount - last[2] < drawn.asked


@given(rows_)
def test_four_percent_lie_in_twenty_and_twenty_in_all(rows: list[Row]) -> None:
    paths = parts(rows, 2)
    small, middle, whole = (
        taken(rows, draw_questions("s", paths, share, None, NOBODY, frozenset()))
        for share in (Fraction(4, 100), Fraction(1, 5), Fraction(1))
    )
    assert set() < small <= middle <= whole == {row[1] for row in rows}


@given(rows_, st.integers(1, 9), st.data())
def test_held_out_and_late_samples_are_as_if_they_were_not_there(
    rows: list[Row], limit: int, data: st.DataObject
) -> None:
    late = frozenset(data.draw(st.lists(st.sampled_from([row[1] for row in rows]))))
    left = [row for row in rows if row[3] >= limit and row[1] not in late]
    drawn = draw_questions("s", parts(rows, 2), Fraction(1, 3), None, HoldOut(limit), late)
    assert drawn.held == sum(row[2] for row in rows if row[3] < limit and row[1] not in late)
    drawn = replace(drawn, held=0)
    if left:
        assert drawn == draw_questions("s", parts(left), Fraction(1, 3), None, HoldOut(limit), frozenset())
    else:
        assert drawn == Drawn("s", 0, 0, 0, 0, 0, 0, None)


def test_nothing_asked_is_nothing_drawn() -> None:
    rows = [(1, "a", 2, 0), (2, "b", 2, 0)]
    for share, number in ((Fraction(0), None), (Fraction(1), 0)):
        drawn = draw_questions("s", parts(rows), share, number, NOBODY, frozenset())
        assert (drawn.asked, drawn.amount, drawn.cutoff, drawn.short) == (0, 0, None, False)


def test_more_asked_than_there_is_takes_everything_and_says_that_it_is_short() -> None:
    drawn = draw_questions("s", parts([(2**64 - 1, "z", 2, 0)]), Fraction(1), 3, NOBODY, frozenset())
    assert (drawn.short, drawn.amount, drawn.cutoff) == (True, 2, EVERYTHING)
    assert taken([(2**64 - 1, "z", 2, 0)], drawn) == {"z"}


def test_ties_of_the_hash_are_broken_by_key() -> None:
    rows = [(5, key, 1, 0) for key in "cabd"]
    drawn = draw_questions("s", parts(rows, 3), Fraction(1, 2), None, NOBODY, frozenset())
    assert drawn.cutoff == (5, "b")


def test_a_card_number_is_the_quota_and_not_what_there_is() -> None:
    rows = [(n, f"k{n}", 1, 0) for n in range(50)]
    drawn = draw_questions("s", parts(rows), Fraction(1, 5), 40, NOBODY, frozenset())
    assert (drawn.asked, drawn.samples, drawn.cutoff) == (8, 8, (7, "k7"))


def test_asking_for_a_whole_source_is_not_short_for_want_of_its_held_out_samples() -> None:
    rows = [(n << 50, f"k{n}", 1, n) for n in range(100)]  # the first ten are held out
    drawn = draw_questions("s", parts(rows), Fraction(1), 100, HoldOut(10), frozenset())
    assert (drawn.asked, drawn.available, drawn.held, drawn.amount, drawn.short) == (
        100,
        90,
        10,
        90,
        False,
    )
    assert draw_questions("s", parts(rows), Fraction(1), 101, HoldOut(10), frozenset()).short

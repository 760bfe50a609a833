"""Who is held out: whole media, by a hash that knows neither stage nor seed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vita_data.records.key import keyed_hash
from vita_data.select.holdout import BETWEEN, HELD, MOST, TRAIN, HoldOut, exceptions, hold_limit, hold_out_of

HOLD = pa.list_(pa.uint64())
hashes = st.integers(0, 2**64 - 1)
columns = st.lists(st.lists(hashes, min_size=1, max_size=4), max_size=30)


@given(columns, hashes, st.data())
def test_a_sample_is_held_when_all_its_media_are_and_between_when_some_are(
    rows: list[list[int]], limit: int, data: st.DataObject
) -> None:
    known = sorted({value for row in rows for value in row})
    extra = data.draw(st.lists(st.sampled_from(known), unique=True)) if known else []
    status = HoldOut(limit, tuple(extra)).status(pa.array(rows, HOLD))
    assert len(status) == len(rows)
    for row, said in zip(rows, status, strict=True):
        held = [value < limit or value in extra for value in row]
        assert said == (HELD if all(held) else BETWEEN if any(held) else TRAIN)


@given(columns, hashes, st.integers(0, 5))
def test_the_status_of_a_slice_is_the_slice_of_the_status(
    rows: list[list[int]], limit: int, start: int
) -> None:
    column, rule = pa.array(rows, HOLD), HoldOut(limit)
    assert rule.status(column.slice(start)).tolist() == rule.status(column)[start:].tolist()


def test_the_largest_hash_is_held_out_when_everything_is() -> None:
    assert hold_limit(0) == 0
    assert HoldOut(hold_limit(0)).status(pa.array([[0]], HOLD)).tolist() == [TRAIN]
    assert HoldOut(hold_limit(1)).status(pa.array([[2**64 - 2]], HOLD)).tolist() == [HELD]


def media(samples: int, name: str = "m") -> pa.ListArray:
    """A column as the build makes it: a keyed hash for each sample's one picture."""
    return pa.array([[keyed_hash(0, "hold-out", f"{name}{n}")] for n in range(samples)], HOLD)


def test_a_share_of_a_large_source_is_held_out() -> None:
    limit = hold_limit(0.01)
    held = int((HoldOut(limit).status(media(20_000)) == HELD).sum())
    assert 150 < held < 250
    assert exceptions([media(20_000)], limit, 20) == (set(), set())


@pytest.mark.parametrize(("samples", "held"), [(1000, 20), (199, 19), (50, 5), (9, 0), (1, 0)])
def test_a_small_source_holds_out_its_least_number_and_never_more_than_a_tenth(
    samples: int, held: int
) -> None:
    column = media(samples, "few")
    rule = hold_out_of(iter([[column.slice(0, samples // 2), column.slice(samples // 2)]]), 1e-6, 20)
    assert int((rule.status(column) == HELD).sum()) == held
    assert held <= MOST * samples


@given(columns, st.sampled_from([0.0001, 0.01, 0.06, 0.5]), st.integers(0, 25))
def test_no_more_than_a_tenth_of_a_source_is_kept_from_training_whatever_shares_what(
    rows: list[list[int]], share: float, least: int
) -> None:
    column = pa.array(rows, HOLD)
    rule = hold_out_of(iter([[column]]), share, least)
    away = int((rule.status(column) != TRAIN).sum())
    assert away <= max(MOST, 2 * share) * len(rows)
    assert all(value >= rule.limit for value in rule.extra) and all(
        value < rule.limit for value in rule.spared
    )


def test_a_picture_that_a_whole_source_shares_is_not_held_out() -> None:
    shared, own = [1], [[2**60 + n] for n in range(100)]  # 1 is below any limit
    rule = hold_out_of(
        iter([[pa.array([shared] * 100 + own, HOLD)], [pa.array([shared, *own], HOLD)]]), 0.01, 20
    )
    assert rule.spared == (1,)
    assert rule.status(pa.array([shared], HOLD)).tolist() == [TRAIN]


def test_a_source_of_many_pictures_a_sample_holds_out_whole_samples() -> None:
    rows = [[keyed_hash(0, "hold-out", f"{n}.{m}") for m in range(8)] for n in range(1000)]
    column = pa.array(rows, HOLD)
    status = hold_out_of(iter([[column]]), 0.001, 20).status(column)
    assert int((status == HELD).sum()) == 20
    assert int((status == BETWEEN).sum()) <= 20


def test_nothing_is_held_out_where_the_share_is_nothing() -> None:
    assert exceptions([media(500)], hold_limit(0), 20) == (set(), set())
    assert np.all(HoldOut(0).status(media(500)) == TRAIN)

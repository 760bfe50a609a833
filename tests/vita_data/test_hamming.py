"""Pairs of hashes within a Hamming radius: the same as by comparing all with all."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vita_data.curate import hamming
from vita_data.errors import UsageError

RADII = range(13)


def clustered(seed: int, count: int, clusters: int, flips: int) -> Any:
    """Hashes around some centres, up to `flips` bits away, in no order, some of them equal."""
    rng = np.random.default_rng(seed)
    centres = rng.integers(0, 1 << 64, clusters, dtype=np.uint64)
    found = centres[rng.integers(0, clusters, count)]
    for _ in range(flips):
        flip = np.uint64(1) << rng.integers(0, 64, count).astype(np.uint64)
        found = np.where(rng.random(count) < 0.7, found ^ flip, found)
    return found


def brute(some: Any, others: Any, radius: int) -> set[tuple[int, int]]:
    """Positions of all pairs within the radius, by comparing all with all."""
    distances = np.bitwise_count(some[:, None] ^ others[None, :])
    return {(int(i), int(j)) for i, j in np.argwhere(distances <= radius)}


def as_set(pairs: tuple[Any, Any]) -> set[tuple[int, int]]:
    """Two columns as a set of pairs, each there once."""
    found = list(zip(pairs[0].tolist(), pairs[1].tolist(), strict=True))
    assert len(set(found)) == len(found), "a pair was found twice"
    return set(found)


@pytest.fixture(params=[hamming._CHOICE_COST, 0], ids=["as planned", "sorting made cheap"])
def cost(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Small sets are compared all with all; with cheap sorting they go the way of large ones."""
    monkeypatch.setattr(hamming, "_CHOICE_COST", request.param)
    if request.param == 0:
        monkeypatch.setattr(hamming, "_SORT_COST", 0.5)
        monkeypatch.setattr(hamming, "_LOOKUP_COST", 0.5)
        monkeypatch.setattr(hamming, "_CHUNK", 97)
        monkeypatch.setattr(hamming, "_BLOCK", 50)
    return int(request.param)


@pytest.mark.parametrize("radius", RADII)
@pytest.mark.parametrize(("clusters", "flips"), [(700, 0), (60, 9), (3, 14), (1, 5)])
def test_pairs_are_those_of_comparing_all_with_all(radius: int, clusters: int, flips: int, cost: int) -> None:
    values = np.unique(clustered(radius, 700, clusters, flips))
    expected = {(int(values[i]), int(values[j])) for i, j in brute(values, values, radius) if i < j}
    found = hamming.pairs_within(np.random.default_rng(1).permutation(np.repeat(values, 2)), radius)
    assert as_set(found) == expected
    assert list(zip(*(column.tolist() for column in found), strict=True)) == sorted(expected)


@pytest.mark.parametrize("radius", RADII)
def test_what_is_near_to_an_index_is_what_comparing_with_all_of_it_finds(radius: int, cost: int) -> None:
    hashes = clustered(radius, 900, 40, 10)
    queries, index = hashes[:650], hashes[650:]
    found = hamming.near(queries, index, radius)
    assert as_set(found) == brute(queries, index, radius)
    assert list(zip(*(column.tolist() for column in found), strict=True)) == sorted(as_set(found))


@given(
    st.lists(st.integers(0, 7) | st.integers(0, (1 << 64) - 1), max_size=40),
    st.integers(0, 64),
    st.integers(1, 30),
)
def test_positions_of_pairs_hold_equal_hashes_and_come_once(
    hashes: list[int], radius: int, block: int
) -> None:
    values = np.array(hashes, np.uint64)
    blocks = list(hamming.index_pairs(values, radius, block))
    assert all(0 < len(first) == len(later) <= block for first, later in blocks)
    found = {pair for each in blocks for pair in as_set(each)}
    assert sum(len(first) for first, _ in blocks) == len(found)
    assert found == {(i, j) for i, j in brute(values, values, radius) if i < j}


def test_blocks_cover_every_bit_once_however_many_there_are() -> None:
    for count in range(1, 20):
        hashes = clustered(count, 200, 20, 6)
        places = tuple((64 * n // count, 64 * (n + 1) // count - 64 * n // count) for n in range(count))
        chosen = places[:: 2 + count % 3]
        moved = hamming._moved(hashes, chosen)
        assert (hamming._moved(moved, chosen, back=True) == hashes).all()
        assert (np.bitwise_count(moved[:-1] ^ moved[1:]) == np.bitwise_count(hashes[:-1] ^ hashes[1:])).all()


def test_many_hashes_in_one_place_are_all_found_in_bounded_memory() -> None:
    rng = np.random.default_rng(3)
    near = np.uint64(0x0123456789ABCDEF) ^ (np.uint64(1) << rng.integers(0, 24, 3000).astype(np.uint64))
    hashes = np.concatenate([rng.integers(0, 1 << 64, 200_000, dtype=np.uint64), np.repeat(near, 10)])
    tracemalloc.start()
    found = as_set(hamming.pairs_within(hashes, 3))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == 24 * 23 / 2
    assert peak < 20 * hashes.nbytes


def test_more_pairs_than_the_limit_are_refused_with_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"More than 100 pairs .* within 4 bits; lower the radius"):
        hamming.pairs_within(np.arange(1 << 10, dtype=np.uint64), 4, limit=100)
    with pytest.raises(UsageError, match="lower the radius"):
        hamming.near(np.arange(64, dtype=np.uint64), np.arange(64, dtype=np.uint64), 4, limit=100)


def test_nothing_is_near_to_nothing() -> None:
    nothing, one = np.zeros(0, np.uint64), np.zeros(1, np.uint64)
    for radius in (0, 7):
        assert not len(hamming.pairs_within(nothing, radius)[0])
        assert not len(hamming.pairs_within(one, radius)[0])
        assert not list(hamming.index_pairs(nothing, radius))
        assert not len(hamming.near(nothing, one, radius)[0])
        assert not len(hamming.near(one, nothing, radius)[0])

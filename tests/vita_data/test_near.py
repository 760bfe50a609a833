"""Which texts are compared, which are near, and which of them leave."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vita_data.curate import minhash, near, words

Pair = tuple[int, int]
PAIRS = st.lists(
    st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda pair: pair[0] != pair[1]).map(sorted),
    max_size=30,
)


def met(hashes: list[int]) -> list[Pair]:
    """The candidates among hashes, sorted."""
    blocks = list(near.candidates(np.array(hashes, np.uint64)))
    return sorted(
        pair for first, later in blocks for pair in zip(first.tolist(), later.tolist(), strict=True)
    )


def leave(pairs: list[Pair], count: int = 12, exact: list[bool] | None = None) -> dict[int, int]:
    """Who leaves, for whom."""
    ends = np.array(pairs, np.int64).reshape(-1, 2)
    chosen = near.leaving(ends[:, 0], ends[:, 1], np.array(exact or [False] * len(pairs), bool), count)
    return {int(ends[pair, 1]): int(ends[pair, 0]) for pair in chosen}


def test_rows_with_equal_places_in_a_band_share_its_hash() -> None:
    signatures = np.random.default_rng(1).integers(0, 1 << 32, (4, 128), dtype=np.uint32)
    signatures[1, 5:10] = signatures[0, 5:10]
    signatures[2, 5:10] = signatures[0, 0:5]  # the places of another band
    signatures[3, 126] = signatures[0, 126]
    hashes = near.bands(signatures)
    assert hashes.shape == (4, near.BANDS)
    assert np.argwhere(hashes[1] == hashes[0]).tolist() == [[1]]
    assert len(np.unique(hashes)) == hashes.size - 1


def test_bands_do_not_depend_on_how_many_rows_there_are() -> None:
    signatures = np.random.default_rng(2).integers(0, 1 << 32, ((1 << 16) + 5, 10), dtype=np.uint32)
    hashes = near.bands(signatures, 2, 5)
    assert np.array_equal(hashes[-3:], near.bands(signatures[-3:], 2, 5))


@given(st.lists(st.integers(0, 4), max_size=40), st.integers(1, 50))
def test_all_pairs_of_a_small_group_are_candidates_once(hashes: list[int], block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near, "BLOCK", block)
        found = met(hashes)
    count = len(hashes)
    assert found == [(i, j) for i in range(count) for j in range(i + 1, count) if hashes[i] == hashes[j]]


def test_a_huge_group_meets_its_first_rows_only() -> None:
    count = 50_000
    found = list(near.candidates(np.zeros(count, np.uint64)))
    assert sum(len(first) for first, _ in found) <= near.LEADERS * count
    assert max(len(first) for first, _ in found) <= near.BLOCK
    assert max(int(first.max()) for first, _ in found) == near.LEADERS - 1
    assert set(np.concatenate([later for _, later in found])) == set(range(1, count))


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(5, 20))
def test_in_pieces_the_candidates_are_the_same(hashes: list[int], most: int) -> None:
    hashes = sorted(hashes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near, "LEADERS", 4)
        found = []
        for some in near.pieces(np.array(hashes, np.uint64), most):
            assert len(some) <= most
            blocks = near.candidates(np.array(hashes, np.uint64)[some], near.LEADERS)
            for first, later in blocks:
                found += zip(some[first].tolist(), some[later].tolist(), strict=True)
        whole = [
            pair
            for first, later in near.candidates(np.array(hashes, np.uint64), near.LEADERS)
            for pair in zip(first.tolist(), later.tolist(), strict=True)
        ]
    assert set(found) == set(whole)
    assert len(whole) == len(set(whole))


def test_a_pair_that_shares_several_bands_is_named_in_the_first_of_them() -> None:
    signatures = np.random.default_rng(5).integers(0, 1 << 32, (2, 128), dtype=np.uint32)
    signatures[1, 15:] = signatures[0, 15:]
    hashes = near.bands(signatures)
    named = [
        len(near.pairs_of_texts(signatures, np.full(2, 0.5), band, np.full(2, number))[0])
        for number, band in enumerate(hashes.T)
    ]
    assert named == [int(number == 3) for number in range(near.BANDS)]


def test_the_stricter_threshold_of_two_rows_holds() -> None:
    signatures = np.zeros((3, 10), np.uint32)
    signatures[1:, :2] = 1  # rows 1 and 2 are equal, row 0 is 0.8 like either
    first, later, similarity = near.pairs_of_texts(signatures, np.array([0.7, 0.7, 0.9], np.float32))
    assert list(zip(first, later, similarity, strict=True)) == [(0, 1, np.float32(0.8)), (1, 2, 1.0)]


def test_rows_that_share_no_hash_are_not_compared() -> None:
    signatures = np.zeros((3, 10), np.uint32)
    hashes = np.array([5, 6, 5], np.uint64)
    first, later, _ = near.pairs_of_texts(signatures, np.full(3, 0.5), hashes)
    assert (first.tolist(), later.tolist()) == ([0], [2])


def test_a_text_like_thousands_names_the_first_few() -> None:
    count = 3000
    first, later, _ = near.pairs_of_texts(np.zeros((count, 8), np.uint32), np.full(count, 0.5))
    assert len(first) < near.PARTNERS * count
    assert first[later == 2000].tolist() == list(range(near.PARTNERS))
    assert leave(list(zip(first, later, strict=True)), count) == dict.fromkeys(range(1, count), 0)


@given(PAIRS)
def test_leaving_is_greedy_in_order_and_never_through_a_chain(pairs: list[Pair]) -> None:
    expected: dict[int, int] = {}
    for row in range(12):
        reasons = [one for one, other in pairs if other == row and one not in expected]
        if reasons:
            expected[row] = min(reasons)
    assert leave(pairs) == expected
    assert all(one in expected or other in expected for one, other in pairs)


@given(PAIRS, st.data())
def test_an_exact_copy_leaves_and_nobody_leaves_for_it(pairs: list[Pair], data: st.DataObject) -> None:
    exact = data.draw(st.lists(st.booleans(), min_size=len(pairs), max_size=len(pairs)))
    found = leave(pairs, exact=exact)
    copies = {other for (_, other), copy in zip(pairs, exact, strict=True) if copy}
    assert copies <= set(found)
    rest = [pair for pair in pairs if not set(pair) & copies]
    assert {row: one for row, one in found.items() if row not in copies} == leave(rest)


def test_the_end_of_a_chain_stays() -> None:
    assert leave([(0, 1), (1, 2)]) == {1: 0}


def changed(text: str, rng: random.Random) -> str:
    """A text with two words replaced."""
    there = text.split()
    for _ in range(2):
        there[rng.randrange(len(there))] = "other"
    return " ".join(there)


def test_planted_copies_leave_and_nothing_else() -> None:
    rng = random.Random(8)
    vocabulary = [f"w{n}" for n in range(3000)]
    originals = [" ".join(rng.choices(vocabulary, k=150)) for _ in range(300)]
    forms = [" ".join(f"item {rng.randrange(10**6)} costs" for _ in range(40)) for _ in range(100)]
    copies = [changed(text, rng) for text in originals[:200]]
    texts = [words.normal(text) for text in (*originals, *forms, *copies)]
    assert gone(minhash.signatures(texts)) == dict(zip(range(400, 600), range(200), strict=True))


def gone(signatures: Any) -> dict[int, int]:
    """Who leaves for whom, all bands compared."""
    least = np.full(len(signatures), 0.65)
    found = [near.pairs_of_texts(signatures, least, band)[:2] for band in near.bands(signatures).T]
    pairs = np.concatenate([np.stack(ends, 1) for ends in found])
    return leave([tuple(pair) for pair in pairs.tolist()], len(signatures))

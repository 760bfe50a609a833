"""Near pictures: what comes out is what comparing all with all gives, however the work is divided."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vita_data.curate import near_pictures
from vita_data.curate.near import LEADERS
from vita_data.curate.near_pictures import Pictures, pairs_of_pictures

HASHES = st.sampled_from([0, 1, 3, 7, 1 << 63, (1 << 63) + 1, (1 << 64) - 1])
SAMPLES = st.lists(
    st.tuples(st.integers(0, 3), st.lists(HASHES, max_size=3), st.integers(0, 3)), min_size=1, max_size=30
)


def pictures_of(samples: list[list[int]]) -> Pictures:
    values = [value for some in samples for value in some]
    return Pictures(np.array(values, np.uint64), np.cumsum([0, *map(len, samples)]))


def found(shared: Any, pictures: Pictures, radius: Any) -> dict[tuple[int, int], int]:
    """The distance of each pair that is named."""
    blocks = list(pairs_of_pictures(np.asarray(shared, np.uint64), pictures, np.asarray(radius)))
    pairs = [
        ((one, other), bits)
        for block in blocks
        for one, other, bits in zip(*map(np.ndarray.tolist, block), strict=True)
    ]
    assert len(pairs) == len(dict(pairs))
    return dict(pairs)


def compared(samples: list[tuple[int, list[int], int]]) -> dict[tuple[int, int], int]:
    """The same, all compared with all."""
    expected = {}
    for later, (group, ours, radius) in enumerate(samples):
        for first, (other, theirs, milder) in enumerate(samples[:later]):
            if group == other and ours and len(ours) == len(theirs):
                bits = max((a ^ b).bit_count() for a, b in zip(ours, theirs, strict=True))
                if bits <= min(radius, milder):
                    expected[first, later] = bits
    return expected


@settings(deadline=None)
@given(SAMPLES, st.sampled_from([2, 512]))
def test_every_pair_that_shares_a_hash_and_is_near_in_all_its_pictures_is_found_once(
    samples: list[tuple[int, list[int], int]], small: int
) -> None:
    shared, hashes, radius = zip(*samples, strict=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near_pictures, "SMALL", small)
        assert found(shared, pictures_of(list(hashes)), radius) == compared(samples)


def test_of_a_crowd_of_like_pictures_each_names_those_that_stand_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    count = near_pictures.SMALL + 200
    flips = np.random.default_rng(3).integers(0, 64, count).astype(np.uint64)
    values = np.uint64(0x0123456789ABCDEF) ^ (np.uint64(1) << flips)
    pictures = Pictures(values, np.arange(count + 1))
    for held in (1 << 20, 100):  # thinned out at the end, and on the way
        monkeypatch.setattr(near_pictures, "HELD", held)
        pairs = found(np.zeros(count), pictures, np.full(count, 4))
        for later in (1, 70, count - 1):
            assert {one for one, other in pairs if other == later} == set(range(min(later, LEADERS)))


def test_ten_thousand_small_groups_take_no_longer_than_a_moment() -> None:
    rng = np.random.default_rng(4)
    values = rng.integers(0, 1 << 63, 20_000, dtype=np.uint64)
    begun = time.process_time()
    assert not found(
        rng.integers(0, 10_000, 20_000), Pictures(values, np.arange(20_001)), np.full(20_000, 10)
    )
    assert time.process_time() - begun < 5

"""The order of packs: every pack once an epoch, and the same for any world size."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vita_data.errors import ShardError
from vita_data.shards.read import Pack, Place
from vita_model.batch.order import Order, epoch_order, keys, ranks


def packs(count: int, windows: int) -> list[Pack]:
    return [Pack(n, n % windows, 10, (Place(0, n, f"s-{n}"), Place(0, n, f"t-{n}"))) for n in range(count)]


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 60),
    windows=st.integers(1, 5),
    batch=st.integers(1, 9),
    world=st.integers(1, 7),
    seed=st.integers(0, 99),
)
def test_any_world_size_sees_the_same_packs_in_each_step(
    count: int, windows: int, batch: int, world: int, seed: int
) -> None:
    order = Order(packs(count, windows), seed, batch, epochs=2)
    for epoch in range(2):
        seen: list[int] = []
        for step in range(epoch * order.steps_per_epoch, (epoch + 1) * order.steps_per_epoch):
            slots = order.step(step)
            shares = ranks(slots, world)
            assert len({len(share) for share in shares}) == 1 and len(shares) == world
            rounds = [pack for together in zip(*shares, strict=True) for pack in together]
            assert [pack for pack in rounds if pack] == [pack for pack in slots if pack]
            seen += [pack.number for pack in slots if pack]
        assert sorted(seen) == list(range(count))


def test_windows_stay_together_and_are_shuffled_anew_each_epoch() -> None:
    orders = [epoch_order(packs(40, 4), 3, epoch) for epoch in range(2)]
    for order in orders:
        windows = [pack.window for pack in order]
        assert all(len(set(windows[n : n + 10])) == 1 for n in range(0, 40, 10))
    assert [pack.number for pack in orders[0]] != [pack.number for pack in orders[1]]
    assert [pack.number for pack in orders[0]] != sorted(pack.number for pack in orders[0])


def test_the_order_does_not_depend_on_where_the_training_is() -> None:
    forward = Order(packs(30, 3), 1, 4, epochs=3)
    late = Order(packs(30, 3), 1, 4, epochs=3).step(17)
    assert [forward.step(n) for n in range(18)][17] == late


def test_a_golden_order_holds_from_version_to_version() -> None:
    assert [pack.number for pack in epoch_order(packs(8, 2), 7, 0)] == [1, 3, 7, 5, 6, 0, 2, 4]


def test_the_keys_of_empty_slots_are_none() -> None:
    slots = Order(packs(3, 1), 0, 2).step(1)
    assert slots[1] is None and len(keys(slots)) == 2


def test_a_stage_without_packs_is_refused() -> None:
    with pytest.raises(ShardError, match="no packs"):
        Order([], 0, 4)

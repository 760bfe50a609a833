"""The order of packs: every pack once an epoch, and the same for any world size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vita_data.errors import ShardError
from vita_data.shards.read import Pack, Place, Stage
from vita_data.shards.write import ShardSample
from vita_model.batch.balance import deal, heaviest
from vita_model.batch.order import Order, SampleOrder, epoch_order, keys, order_of
from vita_model.batch.work import Work


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
            shares = order.shares(step, world)
            assert [len(share) for share in shares] == [order.rounds(world)] * world
            dealt = sorted(slot for share in shares for slot in share)
            assert [slot.number for slot in dealt] == list(range(world * order.rounds(world)))
            assert tuple(slot.pack for slot in dealt[:batch]) == slots
            assert all(slot.pack is None for slot in dealt[batch:])
            seen += [pack.number for pack in slots if pack]
        assert sorted(seen) == list(range(count))


@settings(max_examples=200, deadline=None)
@given(costs=st.lists(st.integers(0, 50), max_size=40), ranks=st.integers(1, 9), more=st.integers(0, 3))
def test_work_is_dealt_out_whole_and_never_worse_than_in_turn(
    costs: list[int], ranks: int, more: int
) -> None:
    most = -(-len(costs) // ranks) + more
    hands = deal(costs, ranks, most)
    assert sorted(item for hand in hands for item in hand) == list(range(len(costs)))
    assert len(hands) == ranks and all(len(hand) <= most for hand in hands)
    in_turn = [list(range(rank, len(costs), ranks)) for rank in range(ranks)]
    assert heaviest(costs, hands) <= heaviest(costs, in_turn)
    assert hands == deal(list(costs), ranks, most)
    if ranks == 1:
        assert hands == [list(range(len(costs)))]
    else:
        assert all([costs[item] for item in hand] == sorted(costs[i] for i in hand)[::-1] for hand in hands)


def test_long_packs_are_spread_and_what_has_no_room_is_refused() -> None:
    assert deal([9, 1, 9, 1], 2, 2) == [[0, 1], [2, 3]]
    with pytest.raises(ValueError, match="5 items have no room on 2 ranks with 2 each"):
        deal([1] * 5, 2, 2)


def test_a_pack_costs_what_its_index_says_and_a_codec_is_trained_by_its_samples(
    tmp_path: Path, make_stage: Callable[..., Path], make_sample: Callable[..., ShardSample]
) -> None:
    stage = Stage(make_stage(tmp_path))
    held = [make_sample(number, text_only=True) for number in range(2)]
    cost = sum(100 * one.length + 17 * one.visual_tokens for one in held)
    assert Work(stage)(stage.packs()[0]) == cost > 0
    run = {"loss": "codec", "schedule": {"global_batch": 5, "epochs": 1}}
    order = order_of(stage, run, 0)
    assert isinstance(order, SampleOrder) and order.steps == 5
    assert [[slot.number for slot in share] for share in order.shares(4, 2)] == [[0, 2, 4], [1, 3]]
    assert not isinstance(order_of(stage, {**run, "loss": "lm"}, 0), SampleOrder)


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

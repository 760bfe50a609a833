"""Which samples share a training sequence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vita_data import files
from vita_data.packs.fit import best_fit
from vita_data.packs.stage import pack_stage
from vita_data.packs.window import pack_window, packed_window, windows_of
from vita_data.shards.write import ShardSample, write_shard

CAPACITY = 100
DIGESTS = {"geometry_digest": "g", "template_digest": "t"}
lengths_ = st.lists(st.integers(1, CAPACITY), max_size=200)


def first_fit_decreasing(lengths: list[int], capacity: int) -> int:
    """How many packs the textbook's other rule needs."""
    rooms: list[int] = []
    for length in sorted(lengths, reverse=True):
        place = next((n for n, room in enumerate(rooms) if room >= length), None)
        if place is None:
            rooms.append(capacity - length)
        else:
            rooms[place] -= length
    return len(rooms)


def plain_best_fit(lengths: list[int], capacity: int) -> list[list[int]]:
    """The rule as it is written: longest first into the fullest pack with room, ties to the earlier."""
    packs: list[list[int]] = []
    for item in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        rooms = [(capacity - sum(lengths[i] for i in pack), n) for n, pack in enumerate(packs)]
        fitting = [(room, n) for room, n in rooms if room >= lengths[item]]
        if fitting:
            packs[min(fitting)[1]].append(item)
        else:
            packs.append([item])
    return [sorted(pack) for pack in packs]


@given(lengths_)
def test_every_item_is_in_one_pack_and_no_pack_is_over_its_capacity(lengths: list[int]) -> None:
    packs = best_fit(lengths, CAPACITY)
    assert sorted(item for pack in packs for item in pack) == list(range(len(lengths)))
    assert all(pack and sum(lengths[item] for item in pack) <= CAPACITY for pack in packs)


@given(lengths_)
def test_packs_are_those_of_the_plainly_written_rule(lengths: list[int]) -> None:
    assert best_fit(lengths, CAPACITY) == plain_best_fit(lengths, CAPACITY)


@given(lengths_)
def test_no_two_packs_would_fit_into_one(lengths: list[int]) -> None:
    fills = sorted(sum(lengths[item] for item in pack) for pack in best_fit(lengths, CAPACITY))
    assert len(fills) < 2 or fills[0] + fills[1] > CAPACITY


@pytest.mark.parametrize("seed", range(20))
def test_random_lengths_need_no_more_packs_than_first_fit_decreasing(seed: int) -> None:
    import random

    chance = random.Random(seed)
    lengths = [min(2048, int(chance.lognormvariate(5, 0.9)) + 1) for _ in range(1500)]
    assert len(best_fit(lengths, 2048)) <= first_fit_decreasing(lengths, 2048)


def test_an_item_longer_than_a_sequence_is_refused() -> None:
    with pytest.raises(ValueError, match="item 1 has 101 tokens"):
        best_fit([1, 101], CAPACITY)


@given(st.integers(0, 40), st.integers(1, 6))
def test_windows_are_neighbouring_shards_each_in_one(shards: int, width: int) -> None:
    windows = windows_of(shards, width)
    assert [number for window in windows for number in window] == list(range(shards))
    assert all(len(window) == width for window in windows[:-1])


def stage(folder: Path, lengths: list[list[int]]) -> str:
    """Shards whose samples have these lengths."""
    for number, row in enumerate(lengths):
        keys = [f"s-{number:08x}{n:08x}" for n in range(len(row))]
        samples = [ShardSample(key, b"{}", [], length=length) for key, length in zip(keys, row, strict=True)]
        write_shard(str(folder), number, samples, f"plan {row}")
    return str(folder)


def test_samples_meet_only_those_of_their_own_window(tmp_path: Path) -> None:
    lengths = [[60, 30], [40, 70], [5], [50], [10, 10], [90]]
    folder = stage(tmp_path, lengths)
    facts = pack_stage(folder, 6, {**DIGESTS, "geometry": {"max_length": CAPACITY}})
    tables = [files.read_table(f"{folder}/packs/{n:05d}.parquet").to_pylist() for n in range(2)]
    for window, table in enumerate(tables):
        places = [(place["shard"], place["row"]) for pack in table for place in pack["samples"]]
        shards = windows_of(6)[window]
        assert sorted(places) == [(shard, row) for shard in shards for row in range(len(lengths[shard]))]
        assert [pack["pack"] for pack in table] == list(range(len(table)))
        for pack in table:
            assert pack["tokens"] == sum(lengths[p["shard"]][p["row"]] for p in pack["samples"]) <= CAPACITY
    assert facts["count"] == sum(map(len, tables)) == 5
    assert facts["tokens"] == sum(map(sum, lengths))
    assert facts["waste"] == round(1 - facts["tokens"] / (5 * CAPACITY), 6)


def test_a_window_is_packed_anew_whatever_lies_there_to_the_same_bytes(tmp_path: Path) -> None:
    folder = stage(tmp_path, [[60, 30], [40]])
    path = tmp_path / "packs/00000.parquet"
    facts = pack_window(folder, 0, [0, 1], CAPACITY, DIGESTS)
    assert packed_window(folder, 0) == facts
    whole = path.read_bytes()
    for damage in (b"", whole[:100], whole[:50] + b"\0" + whole[51:]):
        path.write_bytes(damage)
        assert pack_window(folder, 0, [0, 1], CAPACITY, DIGESTS) == facts
        assert path.read_bytes() == whole
    stage(tmp_path, [[60, 31], [40]])
    assert pack_window(folder, 0, [0, 1], 131, DIGESTS)["tokens"] == 131


def test_workers_that_share_the_windows_leave_the_same_totals(tmp_path: Path) -> None:
    folder = stage(tmp_path, [[60, 30], [40, 70], [5], [50], [10, 10], [90]])
    plan = {**DIGESTS, "geometry": {"max_length": CAPACITY}}

    def share(items: list[tuple[Any, ...]]) -> None:
        for item in reversed(items):
            pack_window(*item)

    assert pack_stage(folder, 6, plan, share) == pack_stage(folder, 6, plan)


def test_a_pack_file_names_geometry_and_template_it_was_made_for(tmp_path: Path) -> None:
    folder = stage(tmp_path, [[60]])
    pack_window(folder, 0, [0], CAPACITY, DIGESTS)
    said = json.loads(files.read_table(f"{folder}/packs/00000.parquet").schema.metadata[b"vita"])
    assert {name: said[name] for name in DIGESTS} == DIGESTS
    assert said["capacity"] == CAPACITY

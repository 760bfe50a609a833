"""Selected rows in the order of the stage, and the order cut into shards."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import run_build, two_sources
from vita_data import files
from vita_data.records.key import selection_hash
from vita_data.select.draw import EVERYTHING, Cutoff
from vita_data.select.gather import (
    Piece,
    SourcePart,
    StageTask,
    bucket_sizes,
    cut_shards,
    gather_part,
    order_bucket,
    piece_rows,
)
from vita_data.select.holdout import HoldOut


def plain_cut(sizes: list[int], shard_bytes: int) -> list[list[int]]:
    """The definition: a sample belongs to the shard that its first byte falls in."""
    shards: dict[int, list[int]] = {}
    position = 0
    for number, size in enumerate(sizes):
        shards.setdefault(position // shard_bytes, []).append(number)
        position += size
    return list(shards.values())


@given(st.lists(st.lists(st.integers(1, 40), min_size=1, max_size=12), max_size=6), st.integers(1, 60))
def test_the_cut_is_that_of_one_pass_over_all_samples(buckets: list[list[int]], shard_bytes: int) -> None:
    numbers = [10 * n for n in range(len(buckets))]
    cut = cut_shards(lambda bucket: np.array(buckets[bucket // 10]), numbers, shard_bytes)
    firsts = np.cumsum([0, *map(len, buckets)])
    found = [
        [int(firsts[b // 10]) + row for b, first, end in shard for row in range(first, end)] for shard in cut
    ]
    assert found == plain_cut([size for bucket in buckets for size in bucket], shard_bytes)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=40), st.integers(1, 60), st.data())
def test_the_cut_does_not_depend_on_where_buckets_begin(
    sizes: list[int], shard_bytes: int, data: st.DataObject
) -> None:
    edges = sorted(data.draw(st.sets(st.integers(1, len(sizes)), max_size=4)) | {0, len(sizes)})
    buckets = [sizes[a:b] for a, b in itertools.pairwise(edges)]
    whole = cut_shards(lambda bucket: np.array(sizes), [0], shard_bytes)
    parted = cut_shards(lambda bucket: np.array(buckets[bucket]), list(range(len(buckets))), shard_bytes)
    assert [sum(end - first for _, first, end in shard) for shard in parted] == [
        sum(end - first for _, first, end in shard) for shard in whole
    ]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("gather")
    run_build(two_sources(home), home / "out")
    return home / "out"


def part_of(out: Path, source: str, cutoff: Cutoff | None) -> SourcePart:
    plan = files.read_json(f"{out}/stages/1.3/plan.json")
    measures = f"{out}/curate/{plan['measures'][source]}/{source}"
    return SourcePart(
        source, f"{out.parent}/{source}", f"{out}/catalog/{source}", measures, "en", "CC0-1.0", cutoff
    )


def ordered(
    out: Path, work: Path, buckets: int, cutoff: Cutoff | None = EVERYTHING, **facts: Any
) -> list[dict[str, Any]]:
    """The rows of a stage in order, through so many buckets."""
    sources = {name: part_of(out, name, cutoff) for name in ("asks", "tells")}
    said = {"hold_out": HoldOut(0), "late": [], "held": False, **facts}
    task = StageTask(folder=str(work), work=str(work), sources=sources, buckets=buckets, **said)
    path = task.save()
    batches: dict[int, list[tuple[str, int]]] = {}
    for name in sources:
        for bucket, file, batch in gather_part(path, name, 0):
            batches.setdefault(bucket, []).append((file, batch))
    rows: list[dict[str, Any]] = []
    for bucket in sorted(batches):
        assert order_bucket(path, bucket, batches[bucket][::-1])[0] == bucket
        piece: Piece = (bucket, 0, len(bucket_sizes(str(work), bucket)))
        rows += piece_rows(str(work), piece)
    return rows


@pytest.mark.parametrize("buckets", [1, 3, 50])
def test_rows_come_in_the_order_of_their_selection_hash_through_any_number_of_buckets(
    out: Path, tmp_path: Path, buckets: int
) -> None:
    rows = ordered(out, tmp_path / str(buckets), buckets)
    order = [(row["selection"], row["key"]) for row in rows]
    assert order == sorted(order)
    assert [selection_hash(0, key) for _, key in order] == [selection for selection, _ in order]
    assert len(set(order)) == 140
    assert rows == ordered(out, tmp_path / "one", 1)


def test_a_row_carries_record_and_media_of_its_own_sample(out: Path, tmp_path: Path) -> None:
    for row in ordered(out, tmp_path, 2):
        told = json.loads(row["record"])
        number = told["native_id"].removeprefix(row["source"])
        assert (told["id"], told["source"]) == (row["key"], row["source"])
        assert [medium["native"] for medium in row["media"]] == [f"{number}.png"]


def test_pieces_of_a_bucket_are_slices_of_it(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vita_data.select.gather.BATCH", 16)
    rows = ordered(out, tmp_path, 1)
    for first, end in ((0, 1), (0, 16), (15, 17), (16, 48), (31, 140), (139, 140)):
        assert list(piece_rows(str(tmp_path), (0, first, end))) == rows[first:end]


def test_the_cutoff_takes_the_row_it_names_and_none_behind_it(out: Path, tmp_path: Path) -> None:
    rows = ordered(out, tmp_path / "all", 1)
    last = rows[50]
    some = ordered(out, tmp_path / "some", 1, (last["selection"], last["key"]))
    assert some == rows[:51]
    before = ordered(out, tmp_path / "before", 1, (last["selection"], last["key"][:-1]))
    assert before == rows[:50]
    assert ordered(out, tmp_path / "none", 1, None) == []


def test_late_samples_are_left_out_of_the_drawn_and_of_the_held_out(out: Path, tmp_path: Path) -> None:
    rows = ordered(out, tmp_path / "all", 1)
    late = [row["key"] for row in rows[::7]]
    left = [row for row in rows if row["key"] not in late]
    assert ordered(out, tmp_path / "drawn", 1, late=late) == left
    everybody = HoldOut(2**64 - 1)
    assert ordered(out, tmp_path / "held", 1, hold_out=everybody, held=True, late=late) == left

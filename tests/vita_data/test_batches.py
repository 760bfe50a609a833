"""Tiny annotation files are read in batches, and nothing that comes out depends on which."""

from __future__ import annotations

import json
import os
import random
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import Catalogued, catalogue, jpeg, record, write_lines
from vita_data import files
from vita_data.catalog import batches, finish
from vita_data.catalog.batches import batch_range, batch_starts, slice_weights
from vita_data.catalog.read import read_batch
from vita_data.catalog.splits import load_splits, split_batch, split_items
from vita_data.errors import SourceError
from vita_data.sources import jsonfiles
from vita_data.sources.base import Slice, Split

WEIGHTS = st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 12 << 20)), max_size=60)


@given(WEIGHTS)
def test_batches_are_consecutive_full_and_never_more_than_full(weights: list[tuple[int, int]]) -> None:
    starts = batch_starts(weights)
    ranges = [batch_range(starts, number, len(weights)) for number in range(len(starts))]
    assert [n for each in ranges for n in each] == list(range(len(weights)))
    totals = [_total(weights, each) for each in ranges]
    assert all(_fits(total) or len(each) == 1 for total, each in zip(totals, ranges, strict=True))
    for total, following in zip(totals, ranges[1:], strict=False):
        records, size = _total(weights, following[:1])
        assert not _fits((total[0] + records, total[1] + size))


def _total(weights: list[tuple[int, int]], numbers: Any) -> tuple[int, int]:
    return sum(max(1, weights[n][0]) for n in numbers), sum(weights[n][1] for n in numbers)


def _fits(total: tuple[int, int]) -> bool:
    return total[0] <= batches.BATCH_RECORDS and total[1] <= batches.BATCH_BYTES


def test_slices_of_a_file_that_its_adapter_cut_are_put_to_no_others() -> None:
    def split(slices: int) -> Split:
        return Split([Slice("a", "a", n, n + 1, n) for n in range(slices)], "", 10, 2)

    weights = [weight for count in (1, 1, 2, 1, 0, 1) for weight in slice_weights(50, split(count))]
    assert batch_starts(weights) == [0, 2, 3, 4]
    heavy = slice_weights(300 << 20, split(1))  # little text in it, and a lot of media
    assert batch_starts([*heavy, *heavy]) == [0, 1]


def _tree(root: Path, sizes: list[int], seed: int = 0) -> Path:
    """Files of so many records each: doubled ids, media in place, converted and gone, lines that are no JSON."""
    chance = random.Random(seed)
    for number, size in enumerate(sizes):
        told: list[Any] = []
        for _ in range(size):
            medium = chance.choice(["a.jpg", "b.png", "gone.jpg", None])
            name = chance.choice(["x", chance.randrange(99)])
            told.append(record(name, "Q", f"A {number}", *[medium] * (medium is not None)))
        write_lines(root / f"{number % 3}", [*told, *[b"no json"] * (size % 2)], f"{number:03d}.jsonl")
    (root / "a.jpg").write_bytes(jpeg())
    (root / "b.png").write_bytes(jpeg(kind="GIF"))
    return root


def _derived(made: Catalogued, folder: Path) -> tuple[list[Any], list[bytes]]:
    """The rows less the places of what lies in the catalog, and the bytes that are there."""
    rows, found = json.loads(json.dumps(made.kept, default=bytes.hex)), []
    for row in rows:
        for medium in row["media"]:
            if medium["path"].startswith("catalog:"):
                data = (folder / medium.pop("path").removeprefix("catalog:")).read_bytes()
                found.append(data[medium.pop("offset") :][: medium["length"]])
    return rows, found


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 6), min_size=1, max_size=14), st.integers(1, 9), st.sampled_from([1, 3, 9]))
def test_the_rows_do_not_depend_on_the_batches(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    sizes: list[int],
    most: int,
    slice_records: int,
) -> None:
    home = tmp_path_factory.mktemp("batches")
    root = _tree(home / "root", sizes)
    made = {}
    with monkeypatch.context() as patch:
        patch.setattr(jsonfiles, "SLICE_RECORDS", slice_records)
        for records in (1, most, 1000):
            patch.setattr(batches, "BATCH_RECORDS", records)
            made[records] = catalogue(root, home / str(records), ("*/*.jsonl",))
    alone = made[1]
    for records, other in made.items():
        assert _derived(other, home / str(records)) == _derived(alone, home / "1")
        assert other.rejected == alone.rejected
        assert _but_content(other.summary) == _but_content(alone.summary)


def _but_content(summary: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in summary.items() if name != "content"}


def test_parts_whose_media_lie_in_place_are_the_same_bytes_however_they_were_batched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = _tree(tmp_path / "root", [3] * 20)
    (root / "b.png").write_bytes(jpeg(seed=1, kind="PNG"))
    for records in (1, 7, 1000):
        monkeypatch.setattr(batches, "BATCH_RECORDS", records)
        catalogue(root, tmp_path / str(records), ("*/*.jsonl",))
    assert not list(tmp_path.glob("*/media-*"))
    for name in ("part-00000.parquet", "rejects-00000.parquet", "source.json"):
        assert len({(tmp_path / str(records) / name).read_bytes() for records in (1, 7, 1000)}) == 1


def test_a_thousand_files_leave_a_handful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = _tree(tmp_path / "root", [1] * 1200)
    left: list[int] = []
    finishing = finish.finish

    def counting(task: Any, *rest: Any) -> Any:
        left.append(len(os.listdir(task.work)))
        return finishing(task, *rest)

    monkeypatch.setattr("tests.factories.finish.finish", counting)
    made = catalogue(root, tmp_path / "out", ("*/*.jsonl",))
    assert made.summary["read"] == 2400 and len(made.summary["files"]) == 1200
    assert left[0] < 20
    assert len(list((tmp_path / "out").glob("media-*.tar"))) <= 3


def test_members_of_a_tar_have_names_of_their_own(tmp_path: Path) -> None:
    catalogue(_tree(tmp_path / "root", [4] * 8), tmp_path / "out", ("*/*.jsonl",))
    with tarfile.open(tmp_path / "out" / "media-00000.tar") as archive:
        names = archive.getnames()
    assert len(names) > 3 and len(set(names)) == len(names)


def test_a_file_is_looked_at_once_to_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = _tree(tmp_path / "root", [1] * 12)
    looked: Counter[str] = Counter()
    look = os.stat

    def counting(path: Any, *rest: Any, **more: Any) -> os.stat_result:
        looked[os.path.basename(str(path))] += 1
        return look(path, *rest, **more)

    facts = {"media": {"places": []}}
    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", counting)
        found = finish.annotations_of(str(root), ["*/*.jsonl"], "mine")
        finish.catalog_digest(facts, str(root), found)
    assert len(found) == 12 and {looked[os.path.basename(name)] for name in found} == {1}
    assert found == {name: files.identity(str(root / name)) for name in sorted(found)}


def test_a_batch_that_was_finished_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = _tree(tmp_path / "root", [2] * 12)
    monkeypatch.setattr(batches, "BATCH_RECORDS", 4)
    whole = catalogue(root, tmp_path / "whole", ("*/*.jsonl",))

    class Stopped(Exception):
        pass

    def stopping(path: str, number: int) -> Any:
        if number == 3:
            raise Stopped
        return read_batch(path, number)

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr("tests.factories.read_batch", stopping)
        catalogue(root, tmp_path / "out", ("*/*.jsonl",))
    work = tmp_path / "out" / "work"
    assert sorted(path.name for path in work.glob("batch-*")) == [f"batch-0000{n}.json" for n in (0, 2, 4)]
    done = {path: path.stat().st_ino for pattern in ("chunk-*", "split-*") for path in work.glob(pattern)}
    again: dict[Path, int] = {}
    finishing = finish.finish

    def looking(*given: Any) -> Any:
        again.update({path: path.stat().st_ino for path in done})
        return finishing(*given)

    monkeypatch.setattr("tests.factories.finish.finish", looking)
    made = catalogue(root, tmp_path / "out", ("*/*.jsonl",))
    assert again == done and len(done) == 6
    assert (made.kept, made.rejected, made.summary) == (whole.kept, whole.rejected, whole.summary)


def test_a_file_that_cannot_be_split_is_named_out_of_its_batch(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.json").write_text("[1, 2" if number == 3 else "[1, 2]")
    found = finish.annotations_of(str(tmp_path), ["*.json"], "mine")
    (item,) = split_items("llava_json", {}, str(tmp_path), found, str(tmp_path / "work"))
    with pytest.raises(SourceError, match=r"3\.json is cut or damaged after record 2"):
        split_batch(*item)
    (tmp_path / "3.json").write_text("[1, 2]")
    splits = load_splits(split_batch(*item))
    assert [name for name, _ in splits] == [f"{number}.json" for number in range(5)]
    assert all(split.records == 2 for _, split in splits)

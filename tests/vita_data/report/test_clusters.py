from __future__ import annotations

import random

import pyarrow as pa
import pytest

from vita_data import files
from vita_data.records.key import sample_key
from vita_data.records.schema import DUPLICATES
from vita_data.report.clusters import kinds_of
from vita_data.verdicts.duplicates import TABLE


def key(name: str) -> str:
    return sample_key("birds", "data.json", name, 0)


@pytest.fixture
def rows():
    """Near texts in thirty clusters of two and one of nine, and one near picture."""
    sizes = dict.fromkeys(range(30), 2) | {30: 9}
    rows = [
        {
            "leaves": key(f"{n} {m}"),
            "stays": key(f"{n}"),
            "kind": "near_text",
            "similarity": 0.75,
            "distance": None,
        }
        for n, size in sizes.items()
        for m in range(size)
    ]
    rows.append(
        {"leaves": key("p"), "stays": key("q"), "kind": "near_picture", "similarity": 1.0, "distance": 3}
    )
    return rows


def written(folder, rows):
    files.write_table(str(folder / TABLE), pa.Table.from_pylist(rows, DUPLICATES))
    return kinds_of(str(folder), 4, 3)


def test_clusters_and_those_who_left_are_counted_by_kind(rows, tmp_path):
    exact, texts, pictures = written(tmp_path, rows)
    assert (exact.clusters, exact.left, exact.shown) == (0, 0, [])
    assert (texts.clusters, texts.left) == (31, 69)
    (cluster,) = pictures.shown
    assert (cluster.stays, cluster.size) == (key("q"), 1)
    assert (cluster.leavers[0].key, cluster.leavers[0].distance) == (key("p"), 3)


def test_the_largest_cluster_comes_first_and_the_others_are_those_of_the_smallest_hashes(rows, tmp_path):
    _, texts, _ = written(tmp_path, rows)
    first, *others = texts.shown
    assert (first.stays, first.size, len(first.leavers)) == (key("30"), 9, 3)
    smallest = sorted(key(str(n)) for n in range(31))
    assert [cluster.stays for cluster in others] == [one for one in smallest if one != first.stays][:3]


def test_the_choice_does_not_depend_on_the_order_of_the_rows(rows, tmp_path):
    shuffled = rows[:]
    random.Random(1).shuffle(shuffled)
    assert written(tmp_path / "one", rows) == written(tmp_path / "two", shuffled)

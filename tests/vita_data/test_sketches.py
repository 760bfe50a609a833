"""What samples that met are compared by, mapped into memory for as long as a bucket is compared and no longer."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import numpy as np
import pyarrow as pa

from vita_data.curate import minhash
from vita_data.verdicts.sketches import COLUMNS, Sketches, write_sketches


def test_rows_come_back_by_number_whatever_part_they_are_of(tmp_path: Path) -> None:
    rows = _written(tmp_path)
    sketches = Sketches(str(tmp_path))
    found = sketches.signatures(rows, np.array([3, 0]))
    assert found[:, 0].tolist() == [101, 0]
    pictures = sketches.pictures(rows, np.array([3, 0]))
    assert pictures.hashes.tolist() == [11, 0] and pictures.starts.tolist() == [0, 1, 2]


def test_files_are_given_back_with_the_bucket_and_not_when_the_collector_comes_by(tmp_path: Path) -> None:
    rows = _written(tmp_path)
    gc.disable()
    try:
        sketches = Sketches(str(tmp_path))
        sketches.signatures(rows, np.arange(4))
        there = weakref.ref(sketches)
        del sketches
        assert there() is None
    finally:
        gc.enable()


def _written(folder: Path) -> dict[str, np.ndarray]:
    """Two parts of two samples, each with a signature and a picture that say which it is."""
    for part in range(2):
        signals = {
            "signature": [
                np.full(minhash.PERMUTATIONS, 100 * part + row, "<u4").tobytes() for row in range(2)
            ],
            "sides": [None, None],
            "hashes": [[10 * part + row] for row in range(2)],
        }
        kinds = [pa.binary(), pa.binary(), pa.list_(pa.uint64())]
        schema = pa.schema(list(zip(COLUMNS, kinds, strict=True)))
        write_sketches(str(folder), 0, part, pa.table(signals, schema=schema))
    places = {"place": [0, 0, 0, 0], "part": [0, 0, 1, 1], "row": [0, 1, 0, 1]}
    return {name: np.array(values) for name, values in places.items()}

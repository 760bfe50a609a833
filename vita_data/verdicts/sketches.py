"""What samples that met are compared by, laid out so that single rows can be read of it: arrays, a part a file each.

Tables of signals are read as a whole, and a bucket needs a few rows of nearly every part. So those who emit a part
write its sketches as arrays beside what they emit, and those who compare map them into memory.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from vita_data import files
from vita_data.curate import minhash
from vita_data.curate.near_pictures import Pictures

SIGNATURE, SIDES, HASHES, STARTS = "signature", "sides", "hashes", "starts"
COLUMNS = ["signature", "sides", "hashes"]
FILES_HELD = 64


def write_sketches(work: str, place: int, part: int, signals: pa.Table) -> None:
    """Writes the sketches of a part from the COLUMNS of its signals, in their order.

    SIGNATURE is uint32[n, permutations]; SIDES uint16[n, 2 * permutations], questions and then answers, with no rows
    where no sample shows anything; HASHES are the pictures' perceptual hashes, those of row i from STARTS[i] on. A
    sample with a picture without features, which is near to nothing, has none.
    """
    signatures = np.frombuffer(b"".join(signals.column("signature").to_pylist()), "<u4")
    sides = signals.column("sides").to_pylist()
    width = max((len(side) for side in sides if side is not None), default=0)
    laid = b"".join(side or bytes(width) for side in sides)
    seen = [some if None not in some else () for some in signals.column("hashes").to_pylist()]
    arrays = {
        SIGNATURE: signatures.reshape(len(signals), -1),
        SIDES: np.frombuffer(laid, "<u2").reshape(len(signals) if width else 0, width // 2),
        HASHES: np.array([value for some in seen for value in some], np.uint64),
        STARTS: np.cumsum([0, *map(len, seen)]),
    }
    for name, array in arrays.items():
        with files.atomic_write(_path(work, name, place, part)) as stream:
            np.save(stream, array, allow_pickle=False)


def _path(work: str, name: str, place: int, part: int) -> str:
    return files.join(work, f"{name}-{place:04d}-{part:05d}.npy")


def _read(work: str, name: str, place: int, part: int) -> Any:
    path = _path(work, name, place, part)
    if files.is_url(path):
        return np.load(io.BytesIO(files.read_bytes(path)), allow_pickle=False)
    return np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)


class Sketches:
    """The sketches below a folder, for rows with columns `place`, `part` and `row`."""

    def __init__(self, work: str) -> None:
        # No method of its own: what refers to itself keeps its files mapped until the collector comes by.
        self._array = functools.lru_cache(maxsize=FILES_HELD)(functools.partial(_read, work))

    def signatures(self, rows: dict[str, Any], numbers: Any) -> Any:
        """uint32[n, permutations] of rows by number."""
        return self._gathered(SIGNATURE, rows, numbers, minhash.PERMUTATIONS)

    def sides(self, rows: dict[str, Any], numbers: Any) -> Any:
        """uint16[n, 2, permutations] of the questions and the answers of rows that show something, by number."""
        laid = self._gathered(SIDES, rows, numbers, 2 * minhash.PERMUTATIONS)
        return laid.reshape(len(numbers), 2, minhash.PERMUTATIONS)

    def _gathered(self, name: str, rows: dict[str, Any], numbers: Any, width: int) -> Any:
        found = np.empty((len(numbers), width), np.uint16 if name == SIDES else np.uint32)
        for place, part, here in _by_part(rows, numbers):
            array = self._array(name, place, part)
            found[here] = array[rows["row"][numbers[here]]]
        return found

    def pictures(self, rows: dict[str, Any], numbers: Any) -> Pictures:
        """The hashes of the pictures of rows by number."""
        counts = np.zeros(len(numbers), np.int64)
        parts = []
        for place, part, here in _by_part(rows, numbers):
            starts = self._array(STARTS, place, part)
            first = starts[rows["row"][numbers[here]]]
            counts[here] = starts[rows["row"][numbers[here]] + 1] - first
            parts.append((place, part, here, first))
        ends = np.cumsum(counts)
        hashes = np.empty(int(counts.sum()), np.uint64)
        for place, part, here, first in parts:
            many = counts[here]
            nth = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
            values = self._array(HASHES, place, part)
            hashes[np.repeat(ends[here] - many, many) + nth] = values[np.repeat(first, many) + nth]
        return Pictures(hashes, np.concatenate([[0], ends]))


def _by_part(rows: dict[str, Any], numbers: Any) -> Iterator[tuple[int, int, Any]]:
    """(place, part, places among `numbers`) of rows by number, part by part."""
    place, part = rows["place"][numbers], rows["part"][numbers]
    order = np.lexsort((part, place))
    change = (np.diff(place[order]) != 0) | (np.diff(part[order]) != 0)
    for here in np.split(order, np.flatnonzero(change) + 1) if len(order) else ():
        yield int(place[here[0]]), int(part[here[0]]), here

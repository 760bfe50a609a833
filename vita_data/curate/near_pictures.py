"""Near duplicates among samples with pictures whose turns are alike: every picture within the radius.

Both must be near. A shared picture with another question is another sample, and so is a shared question
about another picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from vita_data.curate import hamming
from vita_data.curate.near import LEADERS, similarities

BLOCK = 1 << 20  # pairs compared at a time


def pairs_of_pictures(
    signatures: Any, hashes: list[list[int | None]], near_turns: Any, radius: Any
) -> tuple[Any, Any, Any, Any]:
    """Pairs (first, later, similarity of turns, most bits that two pictures differ in) of samples, by number.

    `signatures` are uint32[n, permutations]; `hashes` the perceptual hashes of each sample's pictures, in order,
    None for one without features, which is near to nothing. `near_turns` and `radius` are thresholds for each
    sample, of which the stricter holds for a pair.
    """
    usable = np.array([bool(some) and None not in some for some in hashes])
    numbers = np.flatnonzero(usable)
    empty = np.zeros(0, np.int64)
    found = [(empty, empty, np.zeros(0, np.float32), np.zeros(0, np.int8))]
    if len(numbers) > 1:
        heads = np.array([hashes[number][0] for number in numbers], np.uint64)
        for first, later in _meeting(heads, int(radius[numbers].max())):
            found.append(_near(signatures, hashes, near_turns, radius, numbers[first], numbers[later]))
    first, later, similarity, distance = (np.concatenate(column) for column in zip(*found, strict=True))
    return first, later, similarity, distance


def _meeting(heads: Any, radius: int) -> Iterator[tuple[Any, Any]]:
    """Pairs by number whose first pictures are near. Of many with an equal one the rest meets the LEADERS alone."""
    _, group = np.unique(heads, return_inverse=True)
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    leading = np.sort(order[rank < LEADERS])
    for first, later in hamming.index_pairs(heads[leading], radius, BLOCK):
        yield leading[first], leading[later]
    rest = np.flatnonzero(rank >= LEADERS)
    for some in np.array_split(rest, len(rest) * LEADERS // BLOCK + 1) if len(rest) else ():
        first = (some - rank[some])[:, None] + np.arange(LEADERS)
        yield order[first.ravel()], np.repeat(order[some], LEADERS)


def _near(
    signatures: Any, hashes: list[list[int | None]], near_turns: Any, radius: Any, first: Any, later: Any
) -> tuple[Any, Any, Any, Any]:
    """Those of some pairs that are near in all their pictures and in their turns."""
    distance = _distances(hashes, first, later)
    near = distance <= np.minimum(radius[first], radius[later])
    first, later, distance = first[near], later[near], distance[near]
    similarity = similarities(signatures, first, later)
    near = similarity >= np.maximum(near_turns[first], near_turns[later])
    return first[near], later[near], similarity[near], distance[near]


def _distances(hashes: list[list[int | None]], first: Any, later: Any) -> Any:
    """int8[m]: the most bits in which two pictures of the same number differ; 64 where their numbers differ."""
    counts = np.array([len(some) for some in hashes])
    heads = np.array([some[0] if some and some[0] is not None else 0 for some in hashes], np.uint64)
    distance = np.bitwise_count(heads[first] ^ heads[later]).astype(np.int8)
    distance[counts[first] != counts[later]] = 64
    for number in np.flatnonzero((counts[first] > 1) & (counts[first] == counts[later])):
        pairs = zip(hashes[first[number]], hashes[later[number]], strict=True)
        distance[number] = max((int(one) ^ int(other)).bit_count() for one, other in pairs)  # type: ignore[arg-type]
    return distance

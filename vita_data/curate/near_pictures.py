"""Near duplicates among samples with pictures whose turns are alike: every picture within the radius.

Both must be near. A shared picture with another question is another sample, and so is a shared question
about another picture.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vita_data.curate import hamming
from vita_data.curate.near import similarities

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
        for first, later in hamming.index_pairs(heads, int(radius[numbers].max()), BLOCK):
            found.append(_near(signatures, hashes, near_turns, radius, numbers[first], numbers[later]))
    first, later, similarity, distance = (np.concatenate(column) for column in zip(*found, strict=True))
    return first, later, similarity, distance


def _near(
    signatures: Any, hashes: list[list[int | None]], near_turns: Any, radius: Any, first: Any, later: Any
) -> tuple[Any, Any, Any, Any]:
    """Those of some pairs that are near in all their pictures and in their turns."""
    distance = np.array(
        [_distance(hashes[one], hashes[other]) for one, other in zip(first, later, strict=True)], np.int8
    )
    near = distance <= np.minimum(radius[first], radius[later])
    first, later, distance = first[near], later[near], distance[near]
    similarity = similarities(signatures, first, later)
    near = similarity >= np.maximum(near_turns[first], near_turns[later])
    return first[near], later[near], similarity[near], distance[near]


def _distance(some: list[int | None], others: list[int | None]) -> int:
    """The most bits in which two pictures of the same number differ; 64 where the numbers of pictures do."""
    if len(some) != len(others):
        return 64
    return max((int(one) ^ int(other)).bit_count() for one, other in zip(some, others, strict=True))  # type: ignore[arg-type]

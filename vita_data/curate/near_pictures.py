"""Near pictures: pairs of samples of which every picture lies within a Hamming radius, among those that share a hash.

What they share is a band of their turns: both must be near. A shared picture with another question is another
sample, and so is a shared question about another picture.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from vita_data.curate import hamming, near
from vita_data.curate.near import LEADERS, rank_in_run

# Raise when other pairs of pictures would be near.
VERSION = 2
SMALL = 512  # groups of up to so many samples are compared each with each
HELD = 1 << 20  # pairs of one group that wait to be thinned out


@dataclass(frozen=True)
class Pictures:
    """Perceptual hashes of the pictures of samples: those of sample i are hashes[starts[i] : starts[i + 1]], uint64.

    A sample that has none is near to nothing.
    """

    hashes: Any
    starts: Any

    @functools.cached_property
    def counts(self) -> Any:
        """How many pictures each sample has."""
        return np.diff(self.starts)

    @functools.cached_property
    def heads(self) -> Any:
        """The first picture of each sample; anything for one that has none."""
        return np.append(self.hashes, np.uint64(0))[self.starts[:-1]]


def pairs_of_pictures(shared: Any, pictures: Pictures, radius: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Pairs (first, later, most bits that two of their pictures differ in) of samples, by number, in blocks.

    `shared` are hashes, uint64[n], of which a pair has equal ones; `radius` is a threshold for each sample, of which
    the stricter holds for a pair. In a group of more than SMALL, of the samples near to a later one the LEADERS that
    stand first are named, however many pictures are alike.
    """
    usable = np.flatnonzero(pictures.counts)
    _, group, sizes = np.unique(shared[usable], return_inverse=True, return_counts=True)
    is_small = sizes[group] <= SMALL
    small = usable[is_small]
    for first, later in near.candidates(shared[small], SMALL):
        yield _near(pictures, radius, small[first], small[later])
    large = np.flatnonzero(~is_small)
    large = large[np.argsort(group[large], kind="stable")]
    for some in np.split(large, np.flatnonzero(np.diff(group[large])) + 1) if len(large) else ():
        yield _near_in_crowd(pictures, radius, usable[some])


def _near_in_crowd(pictures: Pictures, radius: Any, numbers: Any) -> tuple[Any, Any, Any]:
    """The near pairs of one large group."""
    heads = pictures.heads[numbers]
    first: Any = np.zeros(0, np.int64)
    later: Any = first
    distance: Any = np.zeros(0, np.int8)
    for one, other in _meeting(heads, int(radius[numbers].max())):
        found = _near(pictures, radius, numbers[one], numbers[other])
        first, later, distance = (
            np.concatenate(both) for both in zip((first, later, distance), found, strict=True)
        )
        if len(first) > HELD + LEADERS * len(numbers):
            first, later, distance = _thinned(first, later, distance)
    return _thinned(first, later, distance)


def _meeting(heads: Any, radius: int) -> Iterator[tuple[Any, Any]]:
    """Pairs by number whose first pictures are near. Of many with an equal one the rest meets the LEADERS alone."""
    _, group = np.unique(heads, return_inverse=True)
    order = np.argsort(group, kind="stable")
    rank = rank_in_run(group[order])
    leading = np.sort(order[rank < LEADERS])
    for first, later in hamming.index_pairs(heads[leading], radius, HELD):
        yield leading[first], leading[later]
    rest = np.flatnonzero(rank >= LEADERS)
    for some in np.array_split(rest, len(rest) * LEADERS // HELD + 1) if len(rest) else ():
        first = (some - rank[some])[:, None] + np.arange(LEADERS)
        yield order[first.ravel()], np.repeat(order[some], LEADERS)


def _near(pictures: Pictures, radius: Any, first: Any, later: Any) -> tuple[Any, Any, Any]:
    """Those of some pairs that are near in all their pictures, with the most bits that two of these differ in."""
    most = np.minimum(radius[first], radius[later])
    distance = np.bitwise_count(pictures.heads[first] ^ pictures.heads[later]).astype(np.int8)
    near_heads = distance <= most
    first, later, distance, most = (column[near_heads] for column in (first, later, distance, most))
    counts = pictures.counts
    alike = counts[first] == counts[later]
    first, later, distance, most = (column[alike] for column in (first, later, distance, most))
    several = np.flatnonzero(counts[first] > 1)
    if len(several):
        distance[several] = _distances(pictures, first[several], later[several])
    close = distance <= most
    return first[close], later[close], distance[close]


def _distances(pictures: Pictures, first: Any, later: Any) -> Any:
    """int8[m]: the most bits in which two pictures of the same number differ, for pairs with equally many."""
    many = pictures.counts[first]
    starts = np.cumsum(many) - many
    nth = np.arange(many.sum()) - np.repeat(starts, many)
    ours, theirs = (pictures.hashes[np.repeat(pictures.starts[ends], many) + nth] for ends in (first, later))
    return np.maximum.reduceat(np.bitwise_count(ours ^ theirs), starts).astype(np.int8)


def _thinned(first: Any, later: Any, distance: Any) -> tuple[Any, Any, Any]:
    """Of all pairs of a later sample the LEADERS whose first stands first, in order."""
    order = near.first_few(first, later, LEADERS)
    return first[order], later[order], distance[order]

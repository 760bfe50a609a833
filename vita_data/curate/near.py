"""Near duplicates: which signatures to compare, how similar they are, and who leaves for whom.

Rows stand in the order of who stays: of a pair the one with the smaller number is `first`. A band is a hash of
a few places of a signature; two texts are compared when they share one (Leskovec, Rajaraman, Ullman, Mining of
Massive Datasets, section 3.4). With 25 bands of 5 places a pair of similarity s meets with the probability
1 - (1 - s^5)^25: 0.55 at 0.5, 0.95 at 0.65, 0.99 at 0.7, 0.9999 at 0.8.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from vita_data.curate.words import OF_TOKENS, mixed

# Raise when other pairs would be near, or other samples leave.
VERSION = 2
BANDS, ROWS = 25, 5
LEADERS = 64
PARTNERS = 4
BLOCK = 1 << 19  # pairs looked at together


def bands(signatures: Any, bands: int = BANDS, rows: int = ROWS) -> Any:
    """uint64[n, bands]: a hash of every `rows` places in turn of signatures uint32[n, at least bands * rows]."""
    result = np.empty((len(signatures), bands), np.uint64)
    for start in range(0, len(signatures), 1 << 16):
        places = signatures[start : start + (1 << 16), : bands * rows].reshape(-1, bands, rows)
        hashes = result[start : start + len(places)]
        hashes[:] = np.arange(1, bands + 1, dtype=np.uint64)  # so that equal places of two bands do not meet
        for place in range(rows):
            hashes *= OF_TOKENS
            hashes += places[:, :, place]
        mixed(hashes)
    return result


def candidates(hashes: Any, leaders: int = LEADERS) -> Iterator[tuple[Any, Any]]:
    """Pairs (first, later) of rows that share a hash, uint64[n], in blocks, all pairs of a later row in one block.

    A row meets the rows that stand first in its group, so many `leaders` and no others: so a group of m gives at
    most leaders * m pairs, and one of up to leaders + 1 all of its pairs.
    """
    order = np.argsort(hashes, kind="stable")
    grouped = hashes[order]
    new = np.ones(len(order), bool)
    new[1:] = grouped[1:] != grouped[:-1]
    places = np.arange(len(order))
    starts = np.maximum.accumulate(np.where(new, places, 0))
    later = np.flatnonzero(~new)
    counts = np.minimum(later - starts[later], leaders)
    ends = np.cumsum(counts)
    done = 0
    while done < len(later):
        before = ends[done] - counts[done]
        stop = max(int(np.searchsorted(ends, before + BLOCK, side="right")), done + 1)
        some, many = later[done:stop], counts[done:stop]
        nth = np.arange(ends[stop - 1] - before) - np.repeat(ends[done:stop] - many - before, many)
        yield order[np.repeat(starts[some], many) + nth], order[np.repeat(some, many)]
        done = stop


def similarities(signatures: Any, first: Any, later: Any) -> Any:
    """float32[m]: the estimated Jaccard similarity of pairs of rows, with 128 places to within 0.04 (one sigma)."""
    result = np.empty(len(first), np.float32)
    for start in range(0, len(first), 1 << 13):
        some = slice(start, start + (1 << 13))
        result[some] = np.count_nonzero(signatures[first[some]] == signatures[later[some]], axis=1)
    return result / np.float32(signatures.shape[1])


def first_met(one: Any, other: Any, band: Any) -> Any:
    """bool[m]: whether pairs of signatures, uint32[m, permutations], share no band before the one of this number."""
    places = one[:, : BANDS * ROWS] == other[:, : BANDS * ROWS]
    return places.reshape(-1, BANDS, ROWS).all(axis=2).argmax(axis=1) == band


def pairs_of_texts(signatures: Any, least: Any, hashes: Any = None, band: Any = None) -> tuple[Any, Any, Any]:
    """Pairs (first, later, similarity) of rows that share a hash and are near enough; without hashes, of all rows.

    `least` is a threshold for each row, of which the stricter holds for a pair. Where `band`, int[n], says which of
    its bands a row's hash is, a pair is named in the first alone that it shares. Of the rows near to a later one the
    PARTNERS that stand first are named in each group: a text that is near to thousands needs no more reasons to
    leave. Both bounds err on one side: a text may stay that could leave, if those named all leave themselves.
    """
    shared = np.zeros(len(signatures), np.uint64) if hashes is None else hashes
    empty = np.zeros(0, np.int64)
    found = [(empty, empty, np.zeros(0, np.float32))]
    for first, later in candidates(shared):
        similarity = similarities(signatures, first, later)
        near = np.flatnonzero(similarity >= np.maximum(least[first], least[later]))
        if band is not None:
            near = near[first_met(signatures[first[near]], signatures[later[near]], band[later[near]])]
        near = near[rank_in_run(later[near]) < PARTNERS]
        found.append((first[near], later[near], similarity[near]))
    first, later, similarity = (np.concatenate(column) for column in zip(*found, strict=True))
    return first, later, similarity


def pieces(hashes: Any, most: int) -> Iterator[Any]:
    """Places of sorted hashes, uint64[n], in pieces of `most` or fewer, whose candidates together are those of all.

    Groups of equal hashes stay together; of one that is too large each piece has the LEADERS and some of the rest.
    """
    starts = np.append(np.flatnonzero(np.diff(hashes, prepend=~hashes[:1])), len(hashes))
    first = 0
    while first < len(starts) - 1:
        stop = int(np.searchsorted(starts, starts[first] + most, side="right")) - 1
        if stop > first:
            yield np.arange(starts[first], starts[stop])
            first = stop
            continue
        rest = np.arange(starts[first] + LEADERS, starts[first + 1])
        for some in np.array_split(rest, len(rest) // max(most - LEADERS, 1) + 1):
            yield np.concatenate([np.arange(starts[first], starts[first] + LEADERS), some])
        first += 1


def first_few(first: Any, later: Any, most: int) -> Any:
    """Numbers of pairs, in the order of (later, first): of all with the same `later` the `most` that stand first."""
    order = np.lexsort((first, later))
    return order[rank_in_run(later[order]) < most]


def rank_in_run(values: Any) -> Any:
    """How many equal values stand right before each."""
    places = np.arange(len(values))
    new = np.ones(len(values), bool)
    new[1:] = values[1:] != values[:-1]
    return places - np.maximum.accumulate(np.where(new, places, 0))


def leaving(first: Any, later: Any, exact: Any, count: int) -> Any:
    """Numbers of the pairs by which rows leave, one for each row that does, in the order of the rows.

    Pairs are of rows below `count`. A row that is exactly another leaves with it; of the rest, in their order,
    a row leaves if it is near to one that stands before it and stays: never for one that leaves, so never through
    a chain, and two rows that stay are not near. Of several reasons the one that stands first counts.
    """
    gone = np.zeros(count, bool)
    order = np.lexsort((first, later))
    copies = order[exact[order]]
    copies = copies[np.unique(later[copies], return_index=True)[1]]
    gone[later[copies]] = True
    near = order[~exact[order]]
    left, chosen = bytearray(gone), []
    for start in range(0, len(near), BLOCK):
        some = near[start : start + BLOCK]
        for pair, one, other in zip(some.tolist(), first[some].tolist(), later[some].tolist(), strict=True):
            if not left[other] and not left[one]:
                left[other] = 1
                chosen.append(pair)
    taken = np.concatenate([copies, np.array(chosen, np.int64)])
    return taken[np.argsort(later[taken], kind="stable")]

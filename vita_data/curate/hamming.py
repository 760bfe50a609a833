"""Pairs of 64-bit hashes within a Hamming radius, among millions, without comparing all with all.

Cut into m blocks of bits, two hashes that differ in at most r bits agree in at least m - r blocks. So for every
choice of m - r blocks these are moved to the front, the hashes are sorted, and only neighbours with an equal front
are compared (Manku, Jain and Das Sarma, "Detecting near-duplicates for web crawling", 2007, section 3). Nothing
is missed at any m; m is chosen for the least work, estimated on a sample of the hashes themselves.

Memory is that of a few copies of the hashes. Time grows with the pairs that share a front: where a great many
hashes lie close together without being within the radius, it tends to that of comparing them all.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from vita_data.errors import UsageError

BITS = 64
# Pairs that are handed out as one answer: 16 bytes each.
LIMIT = 1 << 27
_CHUNK = 1 << 15  # hashes compared at a time: their temporaries stay in the second-level cache
_BLOCK = 1 << 20  # pairs handed on at a time
_SAMPLE = 1 << 14
# Costs in comparisons of two hashes: moving the bits of a hash and sorting it, looking one up, and a choice itself.
_SORT_COST, _LOOKUP_COST, _CHOICE_COST = 20, 100, 1 << 17
_MOST_CHOICES = 5000
_PROBED_CHOICES = 24

Places = tuple[tuple[int, int], ...]  # blocks of bits: (lowest bit, how many)


def pairs_within(hashes: Any, radius: int, limit: int = LIMIT) -> tuple[Any, Any]:
    """Distinct hashes a < b that differ in at most `radius` bits, as two uint64 arrays in order of (a, b).

    `hashes` is uint64[n] in any order; equal ones are one. UsageError where there are more than `limit` pairs.
    """
    return _joined(value_pairs(hashes, radius), np.uint64, limit, radius)


def index_pairs(hashes: Any, radius: int, block: int = _BLOCK) -> Iterator[tuple[Any, Any]]:
    """Positions i < j of hashes that differ in at most `radius` bits, equal ones too, at most `block` at a time.

    Each pair comes once, in an order that depends on the hashes alone.
    """
    values, order, starts = _groups(hashes)
    members = (order, starts)
    several = np.flatnonzero(np.diff(starts) > 1)
    for i, j in _expanded(several, several, members, members, block):
        later = i < j
        if later.any():
            yield i[later], j[later]
    for one, other in value_pairs(values, radius):
        left, right = np.searchsorted(values, one), np.searchsorted(values, other)
        for i, j in _expanded(left, right, members, members, block):
            yield np.minimum(i, j), np.maximum(i, j)


def near(queries: Any, index: Any, radius: int, limit: int = LIMIT) -> tuple[Any, Any]:
    """Positions (in `queries`, in `index`) of hashes that differ in at most `radius` bits, in their order, as int64.

    For many against few: what is trained on against what is tested on. UsageError where there are more than `limit`.
    """
    asked, known = _groups(queries), _groups(index)
    found = (
        pair
        for one, other in _matches(asked[0], known[0], radius)
        for pair in _expanded(
            np.searchsorted(asked[0], one), np.searchsorted(known[0], other), asked[1:], known[1:], _BLOCK
        )
    )
    return _joined(found, np.int64, limit, radius)


def value_pairs(hashes: Any, radius: int) -> Iterator[tuple[Any, Any]]:
    """Distinct hashes a < b that differ in at most `radius` bits, each pair once, in blocks as they are found."""
    values = np.unique(np.asarray(hashes, np.uint64))
    blocks = _plan(values, values, radius)
    found = (
        (one, other)
        for choice, places, shift in _choices(blocks, radius)
        for one, other in _first_found(
            _neighbours(np.sort(_moved(values, places)), shift, radius), blocks, choice
        )
    )
    for one, other in _in_blocks(found):
        yield np.minimum(one, other), np.maximum(one, other)


def _matches(queries: Any, index: Any, radius: int) -> Iterator[tuple[Any, Any]]:
    """Pairs of (query, known) among distinct hashes, each once, equal ones too."""
    blocks = _plan(queries, index, radius)
    found = (
        pair
        for choice, places, shift in _choices(blocks, radius)
        for pair in _first_found(
            _looked_up(np.sort(_moved(queries, places)), np.sort(_moved(index, places)), shift, radius),
            blocks,
            choice,
        )
    )
    return _in_blocks(found)


def _neighbours(ordered: Any, shift: int, radius: int) -> Iterator[tuple[Any, Any]]:
    """Pairs within the radius among sorted hashes that are equal above bit `shift`."""
    fronts = _front(ordered, shift)
    changes = np.flatnonzero(fronts[1:] != fronts[:-1]) + 1
    ends = np.append(changes, len(ordered))
    del fronts
    group = 0
    for start in range(0, len(ordered), _CHUNK):
        stop = min(start + _CHUNK, len(ordered))
        last = int(np.searchsorted(ends, stop - 1, "right"))
        sizes = np.diff(np.minimum(ends[group : last + 1], stop), prepend=start)
        left = np.repeat(ends[group : last + 1], sizes) - np.arange(start, stop)
        group = last
        yield from _at_lags(ordered, start, left, radius)


def _at_lags(ordered: Any, start: int, left: Any, radius: int) -> Iterator[tuple[Any, Any]]:
    """Compares each hash from `start` on with those up to `left` places behind it, a lag at a time."""
    alive = len(left) - np.cumsum(np.bincount(left))  # hashes that still have one at this lag
    heads, places = ordered[start : start + len(left)], None
    for lag in range(1, len(alive)):
        if alive[lag] == 0:
            return
        if 2 * alive[lag] < len(heads):
            kept = np.flatnonzero(left > lag)
            left, heads = left[kept], heads[kept]
            places = kept + start if places is None else places[kept]
        if places is None:
            tails = ordered[start + lag : start + lag + len(heads)]
            ours = heads[: len(tails)]
        else:
            inside = places + lag < len(ordered)
            ours, tails = heads[inside], ordered[places[inside] + lag]
        hits = np.flatnonzero(np.bitwise_count(ours ^ tails) <= radius)
        if len(hits):
            yield ours[hits], tails[hits]


def _looked_up(asked: Any, known: Any, shift: int, radius: int) -> Iterator[tuple[Any, Any]]:
    """Pairs within the radius of sorted hashes of two sets that are equal above bit `shift`."""
    fronts = _front(known, shift)
    for start in range(0, len(asked), _CHUNK):
        part = asked[start : start + _CHUNK]
        wanted = _front(part, shift)
        at, end = np.searchsorted(fronts, wanted, "left"), np.searchsorted(fronts, wanted, "right")
        while len(part):
            more = at < end
            part, at, end = part[more], at[more], end[more]
            hits = np.flatnonzero(np.bitwise_count(part ^ known[at]) <= radius)
            if len(hits):
                yield part[hits], known[at[hits]]
            at = at + 1


def _first_found(
    pairs: Iterable[tuple[Any, Any]], blocks: Places, choice: tuple[int, ...]
) -> Iterator[tuple[Any, Any]]:
    """Pairs with their bits moved back, those left out that an earlier choice of blocks has found too."""
    places = tuple(blocks[number] for number in choice)
    others = [blocks[number] for number in range(choice[-1] if choice else 0) if number not in choice]
    for one, other in pairs:
        one, other = _moved(one, places, back=True), _moved(other, places, back=True)
        new = np.ones(len(one), bool)
        for low, width in others:
            new &= ((one ^ other) & np.uint64(((1 << width) - 1) << low)) != 0
        # Neighbours may differ in front: such a pair belongs to another choice, if to any.
        for low, width in places:
            new &= ((one ^ other) & np.uint64(((1 << width) - 1) << low)) == 0
        if new.any():
            yield one[new], other[new]


def _choices(blocks: Places, radius: int) -> Iterator[tuple[tuple[int, ...], Places, int]]:
    """Every choice of blocks of which one must agree: their numbers, their places, and the bits that are left."""
    for choice in itertools.combinations(range(len(blocks)), max(0, len(blocks) - radius)):
        places = tuple(blocks[number] for number in choice)
        yield choice, places, BITS - sum(width for _, width in places)


def _plan(queries: Any, index: Any, radius: int) -> Places:
    """The blocks that cost least: few make long groups to compare, many make many choices to sort for."""
    both = queries is index
    best: Places = ()
    least = float(len(queries)) * len(index) / (2 if both else 1) + _CHOICE_COST
    samples = [_sample(queries), _sample(index)]
    for count in range(radius + 1, BITS + 1):
        choices = math.comb(count, radius)
        each = _SORT_COST * len(index) + (0 if both else (_SORT_COST + _LOOKUP_COST) * len(queries))
        fixed = choices * (float(each) + _CHOICE_COST)
        if fixed >= least or choices > _MOST_CHOICES:
            break
        blocks = tuple(
            (BITS * number // count, BITS * (number + 1) // count - BITS * number // count)
            for number in range(count)
        )
        compared = choices * _shared(samples, blocks, radius, both) * len(queries) * len(index)
        if fixed + compared < least:
            best, least = blocks, fixed + compared
    return best


def _shared(samples: list[Any], blocks: Places, radius: int, both: bool) -> float:
    """The part of all pairs that are equal in a choice of blocks, by the mean of some choices on a sample."""
    choices = list(itertools.islice(_choices(blocks, radius), _MOST_CHOICES))
    shares = []
    for _, places, shift in choices[:: max(1, len(choices) // _PROBED_CHOICES)]:
        asked, known = (np.sort(_front(_moved(some, places), shift)) for some in samples)
        met = np.searchsorted(known, asked, "right") - np.searchsorted(known, asked, "left")
        pairs = (int(met.sum()) - len(asked)) / 2 if both else int(met.sum())
        shares.append(pairs / (len(asked) * len(known)))
    return sum(shares) / len(shares)


def _sample(hashes: Any) -> Any:
    """Some of the hashes, always the same: all of a few."""
    if len(hashes) <= _SAMPLE:
        return hashes
    return hashes[np.random.default_rng(0).integers(0, len(hashes), _SAMPLE)]


@functools.lru_cache(maxsize=2 * _MOST_CHOICES)
def _runs(places: Places) -> tuple[tuple[int, int, int], ...]:
    """How bits move for a choice: (lowest bit, its place, how many); the chosen first, then the others in order."""
    rest, top = [], BITS
    for low, width in sorted(places, reverse=True):
        rest.append((low + width, top - low - width))
        top = low
    rest.append((0, top))
    runs, at = [], BITS
    for low, width in [*sorted(places, reverse=True), *rest]:
        at -= width
        if width:
            runs.append((low, at, width))
    return tuple(runs)


def _moved(hashes: Any, places: Places, back: bool = False) -> Any:
    """Hashes with the bits of some blocks moved to the front, or moved back; distances stay."""
    moved = np.zeros(len(hashes), np.uint64)
    for start in range(0, len(hashes), _CHUNK):
        part, out = hashes[start : start + _CHUNK], moved[start : start + _CHUNK]
        for low, at, width in _runs(places):
            source, target = (at, low) if back else (low, at)
            bits = part & np.uint64(((1 << width) - 1) << source)
            shift = np.uint64(abs(target - source))
            out |= bits << shift if target > source else bits >> shift
    return moved


def _front(hashes: Any, shift: int) -> Any:
    """The bits from `shift` on; nothing where there are none."""
    return hashes >> np.uint64(shift) if shift < BITS else np.zeros_like(hashes)


def _groups(hashes: Any) -> tuple[Any, Any, Any]:
    """Distinct hashes in order; positions by hash; where each hash's positions begin, and the end."""
    hashes = np.asarray(hashes, np.uint64)
    order = np.argsort(hashes, kind="stable")
    values, starts = np.unique(hashes[order], return_index=True)
    return values, order, np.append(starts, len(hashes))


def _expanded(
    left: Any, right: Any, lefts: tuple[Any, Any], rights: tuple[Any, Any], block: int
) -> Iterator[tuple[Any, Any]]:
    """Positions of every pair of members of two groups, for pairs of groups by number; `block` at a time."""
    (left_order, left_starts), (right_order, right_starts) = lefts, rights
    widths = right_starts[right + 1] - right_starts[right]
    ends = np.cumsum((left_starts[left + 1] - left_starts[left]) * widths)
    for start in range(0, int(ends[-1]) if len(ends) else 0, block):
        numbers = np.arange(start, min(start + block, int(ends[-1])))
        pair = np.searchsorted(ends, numbers, "right")
        row, column = np.divmod(numbers - np.where(pair > 0, ends[pair - 1], 0), widths[pair])
        yield left_order[left_starts[left[pair]] + row], right_order[right_starts[right[pair]] + column]


def _in_blocks(pairs: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    """The same pairs, small arrays put together."""
    held: list[tuple[Any, Any]] = []
    count = 0
    for one, other in pairs:
        held.append((one, other))
        count += len(one)
        if count >= _BLOCK:
            yield np.concatenate([pair[0] for pair in held]), np.concatenate([pair[1] for pair in held])
            held, count = [], 0
    if held:
        yield np.concatenate([pair[0] for pair in held]), np.concatenate([pair[1] for pair in held])


def _joined(pairs: Iterable[tuple[Any, Any]], kind: Any, limit: int, radius: int) -> tuple[Any, Any]:
    """All pairs in order; raises UsageError as soon as there are more than `limit`."""
    held = [(np.zeros(0, kind), np.zeros(0, kind))]
    count = 0
    for one, other in pairs:
        count += len(one)
        if count > limit:
            raise UsageError(
                f"More than {limit} pairs of pictures lie within {radius} bits; lower the radius."
            )
        held.append((one, other))
    ones, others = (np.concatenate(column) for column in zip(*held, strict=True))
    order = np.lexsort((others, ones))
    return ones[order], others[order]

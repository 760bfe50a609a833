"""Equal work for every rank: the packs of a global batch dealt out by what they cost, equally many to each."""

from __future__ import annotations

from collections.abc import Sequence

Hands = list[list[int]]


def deal(costs: Sequence[int], ranks: int, most: int) -> Hands:
    """Item numbers for each rank, at most `most` each: longest first to the rank that has least to do.

    A rank gets its items in falling order of cost, so that what ranks do at the same time is alike too. No rank's
    sum is more than it would be if items went out in turn; one rank gets them as they come. ValueError where there
    is no room for all. The greedy rule is Graham's (1969), with room for equally many items.
    """
    if len(costs) > ranks * most:
        raise ValueError(f"{len(costs)} items have no room on {ranks} ranks with {most} each")
    if ranks == 1:
        return [list(range(len(costs)))]
    falling = sorted(range(len(costs)), key=lambda item: (-costs[item], item))
    greedy = _greedy(costs, falling, ranks, most)
    in_turn = [[item for item in falling if item % ranks == rank] for rank in range(ranks)]
    return min(greedy, in_turn, key=lambda hands: heaviest(costs, hands))


def heaviest(costs: Sequence[int], hands: Hands) -> int:
    """The largest sum that a rank has to do, which all others wait for."""
    return max(sum(costs[item] for item in hand) for hand in hands)


def _greedy(costs: Sequence[int], falling: list[int], ranks: int, most: int) -> Hands:
    hands: Hands = [[] for _ in range(ranks)]
    sums = [0] * ranks
    for item in falling:
        rank = min((rank for rank in range(ranks) if len(hands[rank]) < most), key=sums.__getitem__)
        hands[rank].append(item)
        sums[rank] += costs[item]
    return hands

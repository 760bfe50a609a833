"""Best fit, longest first: lengths into as few sequences of a given capacity as possible.

Every item goes to the fullest sequence that still has room; ties go to the earlier item and the earlier
sequence, so equal lengths always give equal packs. O(n log n) with one sorted list of remaining rooms.
"""

from __future__ import annotations

from bisect import bisect_left, insort


def best_fit(lengths: list[int], capacity: int) -> list[list[int]]:
    """Packs as lists of item numbers; raises ValueError for an item that is longer than the capacity."""
    packs: list[list[int]] = []
    rooms: list[tuple[int, int]] = []  # (room left, number of the pack), sorted
    for item in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        length = lengths[item]
        if length > capacity:
            raise ValueError(f"item {item} has {length} tokens, more than a sequence of {capacity}")
        place = bisect_left(rooms, (length, -1))
        if place < len(rooms):
            room, pack = rooms.pop(place)
        else:
            room, pack = capacity, len(packs)
            packs.append([])
        packs[pack].append(item)
        insort(rooms, (room - length, pack))
    return [sorted(pack) for pack in packs]

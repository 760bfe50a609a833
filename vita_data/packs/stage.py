"""The pack plan of a whole stage: its windows, and how full they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vita_data.packs.window import pack_window, packed_window, windows_of


def pack_items(folder: str, shards: int, plan: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The arguments of `pack_window` for every window of a stage."""
    digests = {name: plan[name] for name in ("geometry_digest", "template_digest")}
    capacity = plan["geometry"]["max_length"]
    return [(folder, number, window, capacity, digests) for number, window in enumerate(windows_of(shards))]


def pack_stage(
    folder: str,
    shards: int,
    plan: dict[str, Any],
    run: Callable[[list[tuple[Any, ...]]], None] | None = None,
) -> dict[str, Any]:
    """Packs every window anew (by `run`, when there are workers to share them); returns the totals."""
    items = pack_items(folder, shards, plan)
    if run is not None:
        run(items)
        facts = [packed_window(folder, window) for _, window, *_ in items]
    else:
        facts = [pack_window(*item) for item in items]
    count, tokens = sum(f["packs"] for f in facts), sum(f["tokens"] for f in facts)
    capacity = plan["geometry"]["max_length"]
    waste = 1 - tokens / (count * capacity) if count else 0.0
    return {
        "windows": len(facts),
        "count": count,
        "tokens": tokens,
        "capacity": capacity,
        "waste": round(waste, 6),
    }

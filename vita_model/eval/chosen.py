"""Which samples of a stage are scored: all, or so many of each source by a keyed hash."""

from __future__ import annotations

from vita_data.records.key import keyed_hash
from vita_data.shards.read import Place, Stage


def chosen(stage: Stage, limit: int | None = None) -> list[Place]:
    """Places in the order of the shards, at most `limit` of each source; a larger limit holds a smaller one's."""
    by_source: dict[str, list[Place]] = {}
    for number in range(stage.shard_count):
        for row, said in enumerate(stage.shard(number).table.select(["key", "source"]).to_pylist()):
            by_source.setdefault(said["source"], []).append(Place(number, row, said["key"]))
    seed = int(stage.plan["seed"])
    kept = [
        place
        for places in by_source.values()
        for place in sorted(places, key=lambda one: (keyed_hash(seed, "eval", one.key), one.key))[:limit]
    ]
    return sorted(kept, key=lambda place: (place.shard, place.row))

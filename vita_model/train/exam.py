"""What a run is asked when its stage ends: questions of the held-out part, by all of its ranks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import distributed

from vita_data.records.key import digest_of
from vita_data.shards.read import Place, Stage
from vita_model.batch.readers import Reader
from vita_model.eval.answers import Line
from vita_model.eval.chosen import chosen
from vita_model.eval.score import score
from vita_model.eval.summary import summary

Ask = Callable[[Sequence[Place]], list[Line]]
MARKED = ("metric", "limit", "asked")


def metrics(ask: Ask, stage: Stage, limit: int, divided: bool = False) -> tuple[dict[str, Any], list[Line]]:
    """({limit, asked, metric, total, sources}, lines) of so many samples of each source; all ranks call it.

    `asked` is a digest of the samples: only scores of the same ones can be compared. `divided` is `examined`'s.
    """
    places = chosen(stage, limit)
    lines = examined(ask, places, divided)
    asked = digest_of("asked", sorted(place.key for place in places))
    return {"limit": limit, "asked": asked, **summary(lines, int(stage.plan["seed"]))}, lines


def mark(found: dict[str, Any]) -> dict[str, Any]:
    """The part of these metrics that later stages are compared with."""
    return {name: found[name] for name in MARKED}


def examined(ask: Ask, places: Sequence[Place], divided: bool = False) -> list[Line]:
    """The lines of these samples, each scored by one rank; all ranks call it and get all of them.

    Weights that are `divided` among the ranks are gathered by all of them for one pass, so there each scores them all.
    """
    world = distributed.get_world_size()
    if divided or world == 1:
        return ask(places)
    everybody: list[Any] = [None] * world
    distributed.all_gather_object(everybody, ask(places[distributed.get_rank() :: world]))
    by_key: dict[str, list[Line]] = {}
    for line in (line for some in everybody for line in some):
        by_key.setdefault(line["key"], []).append(line)
    return [line for place in places for line in by_key.get(place.key, [])]


def asking(engine: Any, reader: Reader | None, stage: Stage) -> Ask:
    """What scores samples of a stage by the model of an engine; without a reader they are clips for its codec."""
    return lambda places: score(engine.module, reader, stage, places)


def is_divided(engine: Any) -> bool:
    """Whether each rank holds a part of the weights only."""
    return bool(engine.zero_optimization_stage() == 3)

"""The held-out loss of a stage, by source: what no stage trains on, scored by the same forward pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import distributed

from vita_data.shards.read import Pack, Place, Stage
from vita_model.batch.loader import prefetch
from vita_model.nets.batch import Batch
from vita_model.nets.vita import SENSES, Sense
from vita_model.train.engine import total
from vita_model.train.idle import idle_senses
from vita_model.train.task import Task

AHEAD = 4


def packs_by_source(stage: Stage, length: int) -> list[tuple[str, Pack]]:
    """The samples of a stage without packs, filled in their order into sequences of one source each."""
    rows: dict[str, list[tuple[Place, int]]] = {}
    for number in range(stage.shard_count):
        table = stage.shard(number).table.select(["key", "source", "length"]).to_pylist()
        for row, said in enumerate(table):
            rows.setdefault(said["source"], []).append((Place(number, row, said["key"]), said["length"]))
    return [(source, pack) for source in sorted(rows) for pack in _fill(rows[source], length)]


def _fill(samples: list[tuple[Place, int]], length: int) -> Iterator[Pack]:
    held: list[Place] = []
    tokens = number = 0
    for place, size in samples:
        if held and tokens + size > length:
            yield Pack(number, 0, tokens, tuple(held))
            held, tokens, number = [], 0, number + 1
        held.append(place)
        tokens += size
    if held:
        yield Pack(number, 0, tokens, tuple(held))


def score(engine: Any, task: Task, stage: Stage) -> dict[str, Any]:
    """{loss, labelled, samples, sources: {name: the same}} of a held-out stage; all ranks call it.

    Losses are of the stage's first term, nats a labelled token where it learns words. Every rank makes the same
    number of forward passes.
    """
    rank, world = distributed.get_rank(), distributed.get_world_size()
    plan = packs_by_source(stage, task.reader.geometry.max_length)
    sources = sorted({source for source, _ in plan})
    sums = {source: [0.0, 0.0, 0.0] for source in sources}
    mine: list[tuple[str, Pack] | None] = list(plan[rank::world])
    mine += [None] * (-(-len(plan) // world) - len(mine))
    engine.eval()
    with torch.no_grad():
        batches = prefetch(lambda item: task.batch(stage, item[1] if item else None), mine, AHEAD)
        for item, batch in zip(mine, batches, strict=True):
            busy = present(batch, engine.device)
            idle = idle_senses(engine.zero_optimization_stage(), busy, task.trains)
            losses = engine(batch.to(engine.device), idle)
            if item is not None:
                found = sums[item[0]]
                found[:] = (
                    found[0] + float(losses[task.main].sum()),
                    found[1] + batch.counts[task.main],
                    found[2] + len(batch.keys),
                )
    engine.train()
    flat = total([value for source in sources for value in sums[source]], engine.device)
    by_source = {source: flat[3 * n : 3 * n + 3] for n, source in enumerate(sources)}
    whole = (
        [sum(values) for values in zip(*by_source.values(), strict=True)] if by_source else [0.0, 0.0, 0.0]
    )
    return {**_said(whole), "sources": {source: _said(values) for source, values in by_source.items()}}


def present(batch: Batch, device: torch.device) -> set[Sense]:
    """The senses that some rank has something for in this round."""
    found = total([int(batch.has(sense)) for sense in SENSES], device)
    return {sense for sense, ranks in zip(SENSES, found, strict=True) if ranks}


def _said(values: list[float]) -> dict[str, Any]:
    loss, labelled, samples = values
    return {"loss": loss / labelled if labelled else None, "labelled": int(labelled), "samples": int(samples)}

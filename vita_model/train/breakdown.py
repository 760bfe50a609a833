"""Which source a step's loss is of, so that one that stops learning, or never begins, is seen."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import distributed

from vita_model.nets.batch import CTC, LM, Batch

Sums = dict[str, tuple[float, int]]


def of_samples(batch: Batch, losses: dict[str, torch.Tensor]) -> tuple[torch.Tensor, list[int]] | None:
    """The loss of each sample of a pack and what it is a sum over; None where losses are not told apart.

    Of words where there are some, else of transcripts.
    """
    if LM in losses:
        ends = torch.tensor(batch.segments[1:], device=batch.loss_places.device)
        owners = torch.bucketize(batch.loss_places, ends, right=True)
        found = losses[LM].new_zeros(len(ends)).index_add(0, owners, losses[LM].detach())
        return found, torch.bincount(owners, minlength=len(ends)).tolist()
    if CTC in losses and batch.symbol_lengths:
        return losses[CTC].detach(), list(batch.symbol_lengths)
    return None


def by_source(batch: Batch, losses: dict[str, torch.Tensor]) -> Sums:
    """Summed losses and counts by source of a pack's samples, whose keys begin with its name."""
    found = of_samples(batch, losses)
    return (
        {}
        if found is None or not batch.keys
        else _summed(zip(batch.keys, found[0].tolist(), found[1], strict=True))
    )


def _summed(rows: Iterable[tuple[str, float, int]]) -> Sums:
    sums: Sums = {}
    for key, loss, count in rows:
        source = source_of(key)
        before = sums.get(source, (0.0, 0))
        sums[source] = before[0] + loss, before[1] + count
    return sums


def source_of(key: str) -> str:
    """The source that a sample's key begins with."""
    return key.rpartition("-")[0]


def means(mine: Iterable[Sums]) -> dict[str, float]:
    """The mean loss of each source over all ranks, by name."""
    found: list[Sums] = [{} for _ in range(distributed.get_world_size())]
    distributed.all_gather_object(found, joined(mine))
    return {source: loss / count for source, (loss, count) in sorted(joined(found).items()) if count}


def joined(some: Iterable[Sums]) -> Sums:
    """Sums of sums."""
    whole: Sums = {}
    for sums in some:
        for source, (loss, count) in sums.items():
            before = whole.get(source, (0.0, 0))
            whole[source] = before[0] + loss, before[1] + count
    return whole

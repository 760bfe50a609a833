"""Which source and which kind of sample a step's loss is of, so that one that stops learning is seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import distributed

from vita_model.nets.batch import CODES, CTC, LM, Batch

Sums = dict[str, tuple[float, int]]
Parts = dict[str, Sums]
SOURCES, MODALITIES = "sources", "modalities"


def of_samples(batch: Batch, losses: dict[str, torch.Tensor]) -> tuple[torch.Tensor, list[int]] | None:
    """The loss of each sample of a pack and what it is a sum over; None where losses are not told apart.

    Of words where there are some, else of transcripts or codec tokens.
    """
    if LM in losses:
        ends = torch.tensor(batch.segments[1:], device=batch.loss_places.device)
        owners = torch.bucketize(batch.loss_places, ends, right=True)
        found = losses[LM].new_zeros(len(ends)).index_add(0, owners, losses[LM].detach())
        return found, torch.bincount(owners, minlength=len(ends)).tolist()
    if CTC in losses and batch.symbol_lengths:
        return losses[CTC].detach(), list(batch.symbol_lengths)
    if CODES in losses and batch.code_lengths:
        counts = [length + 1 for length in batch.code_lengths]  # the end is learned as well
        return torch.stack([loss.sum() for loss in losses[CODES].detach().split(counts)]), counts
    return None


def by_part(batch: Batch, losses: dict[str, torch.Tensor]) -> Parts:
    """Summed losses and counts of a pack's samples, {sources, modalities}: keys begin with the name of a source."""
    found = of_samples(batch, losses) if batch.keys else None
    if found is None:
        return {}
    values, counts = found[0].tolist(), found[1]
    sources = [source_of(key) for key in batch.keys]
    return {SOURCES: _summed(sources, values, counts), MODALITIES: _summed(batch.holds, values, counts)}


def _summed(names: Sequence[str], values: list[float], counts: list[int]) -> Sums:
    return joined({name: (loss, count)} for name, loss, count in zip(names, values, counts, strict=True))


def source_of(key: str) -> str:
    """The source that a sample's key begins with."""
    return key.rpartition("-")[0]


def means(mine: Sequence[Parts]) -> dict[str, dict[str, float]]:
    """The mean loss over all ranks by source and by modality; all ranks call it."""
    parts = {part: joined(sums.get(part, {}) for sums in mine) for part in (SOURCES, MODALITIES)}
    found: list[Parts] = [{} for _ in range(distributed.get_world_size())]
    distributed.all_gather_object(found, parts)
    return {part: _divided(joined(sums[part] for sums in found)) for part in parts}


def _divided(sums: Sums) -> dict[str, float]:
    return {name: loss / count for name, (loss, count) in sorted(sums.items()) if count}


def joined(some: Iterable[Sums]) -> Sums:
    """Sums of sums."""
    whole: Sums = {}
    for sums in some:
        for name, (loss, count) in sums.items():
            before = whole.get(name, (0.0, 0))
            whole[name] = before[0] + loss, before[1] + count
    return whole

"""Clips laid end to end for one strided convolution over all of them.

Each clip gets a slot that is a whole number of strides long and is zero behind its rows. A clip's outputs then start
at its slot's start divided by the stride, and see its own rows and zeros only; what lies across two slots is
never picked.
"""

from __future__ import annotations

from itertools import accumulate

import torch
from torch.nn import functional


def lay(rows: torch.Tensor, lengths: tuple[int, ...], slots: tuple[int, ...]) -> torch.Tensor:
    """(sum of lengths, C) -> (sum of slots, C)."""
    clips = zip(rows.split(lengths), slots, strict=True)
    return torch.cat([functional.pad(clip, (0, 0, 0, slot - len(clip))) for clip, slot in clips])


def pick(outputs: torch.Tensor, slots: tuple[int, ...], stride: int, counts: tuple[int, ...]) -> torch.Tensor:
    """The first `counts` outputs (sum of counts, C) of each slot, from a convolution over all slots."""
    starts = [first // stride for first in accumulate(slots[:-1], initial=0)]
    return torch.cat([outputs[start : start + count] for start, count in zip(starts, counts, strict=True)])

"""Batch norm over the batches of all ranks, so that what is learned does not depend on how many share a batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import distributed, nn


class BatchNorm(nn.BatchNorm1d):
    """torch's BatchNorm1d of rows (N, C) whose mean and variance, while training, are those of every rank's rows.

    Ranks can have different numbers of rows; all of them call it together. torch's own is for GPUs only. The
    statistics are taken in float64 however many ranks there are: rows of a codec that begins to learn are alike
    to the last bits of float32, and the norm would blow up what the order of a sum does to these.
    """

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """(N, C) -> (N, C); running statistics as torch keeps them."""
        if not self.training:
            return super().forward(rows)
        exact = rows.double()
        whole = _over_ranks(torch.cat([exact.sum(0), exact.new_tensor([len(rows)])]))
        count = whole[-1].detach()
        centred = exact - whole[:-1] / count
        variance = _over_ranks(centred.square().sum(0)) / count
        self._note(whole[:-1] / count, variance * count / (count - 1))
        normed = (centred * torch.rsqrt(variance + self.eps)).to(rows.dtype)
        moved: torch.Tensor = normed * self.weight + self.bias
        return moved

    @torch.no_grad()
    def _note(self, mean: torch.Tensor, variance: torch.Tensor) -> None:
        assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
        self.running_var.lerp_(variance.to(self.running_var.dtype), self.momentum)


class _Sum(torch.autograd.Function):
    """A sum over ranks; every rank's loss depends on what each of them gave, so the gradient is one as well."""

    @staticmethod
    def forward(ctx: Any, mine: torch.Tensor) -> torch.Tensor:
        whole = mine.clone()
        distributed.all_reduce(whole)
        return whole

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        whole: torch.Tensor = _Sum.apply(*gradients)
        return whole


def _over_ranks(mine: torch.Tensor) -> torch.Tensor:
    if not (distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1):
        return mine
    whole: torch.Tensor = _Sum.apply(mine)
    return whole

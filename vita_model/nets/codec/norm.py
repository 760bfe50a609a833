"""Batch norm over the batches of all ranks, so that what is learned does not depend on how many share a batch."""

from __future__ import annotations

import torch
from torch import distributed, nn
from torch.distributed.nn import functional as together


class BatchNorm(nn.BatchNorm1d):
    """torch's BatchNorm1d of rows (N, C) whose mean and variance, while training, are those of every rank's rows.

    Ranks can have different numbers of rows; all of them call it together. torch's own is for GPUs only.
    """

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """(N, C) -> (N, C); running statistics as torch keeps them."""
        if not self.training or not _several():
            return super().forward(rows)
        assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
        assert self.num_batches_tracked is not None
        whole = together.all_reduce(torch.cat([rows.sum(0), rows.new_tensor([len(rows)])]))
        count = whole[-1].detach()
        mean = whole[:-1] / count
        variance = together.all_reduce((rows - mean).square().sum(0)) / count
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        normed = (rows - mean) * torch.rsqrt(variance + self.eps)
        moved: torch.Tensor = normed * self.weight + self.bias
        return moved


def _several() -> bool:
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1

"""Sounds and weights that are formulas, so that numbers worked out elsewhere can be kept beside them."""

from __future__ import annotations

import torch
from torch import nn


def hum(samples: int) -> torch.Tensor:
    """A rising tone with a high one that comes and goes, float32 (samples,)."""
    time = torch.arange(samples, dtype=torch.float64)
    low, high = torch.sin(0.05 * time + 2e-6 * time * time), torch.sin(0.9 * time)
    return (0.3 * low + 0.1 * high * torch.sin(0.001 * time)).float()


def noise(samples: int, seed: int = 0) -> torch.Tensor:
    """White noise, float32 (samples,)."""
    return 0.1 * torch.randn(samples, generator=torch.Generator().manual_seed(seed))


def wave_weights(module: nn.Module) -> None:
    """Sines in every parameter, shifted by its place among the sorted names; scales of norms around 1."""
    with torch.no_grad():
        for number, (name, weight) in enumerate(sorted(module.named_parameters())):
            wave = torch.sin(torch.arange(weight.numel(), dtype=torch.float64) * 1.7 + number)
            scale = 0.5 if weight.dim() == 1 else 3.0 * weight[0].numel() ** -0.5
            middle = 1.0 if "norm" in name and name.endswith("weight") else 0.0
            weight.copy_((middle + scale * wave).view_as(weight))


def wave_sum(tensor: torch.Tensor) -> torch.Tensor:
    """A sum of all entries, each with a sign and weight of its own."""
    return (tensor * torch.sin(torch.arange(tensor.numel(), dtype=tensor.dtype)).view_as(tensor)).sum()

"""Low-rank additions to linear layers, learned while the layers themselves stay as they are (Hu et al., LoRA, 2021).

Ours and not peft's, which renames the layers it wraps: here every weight keeps its name, with or without an addition.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from vita_data.errors import UsageError
from vita_model.config.lora import Lora

FACTORS = ("lora_a", "lora_b")


class LoraLinear(nn.Module):
    """A linear layer plus scale * B A: `weight` and `bias` are the layer's own, A is (rank, in) and B (out, rank)."""

    def __init__(self, layer: nn.Linear, lora: Lora, drawn: torch.Generator) -> None:
        """B begins at zero, so that nothing changes at first; A is drawn."""
        super().__init__()
        self.weight, self.bias, self.scale = layer.weight, layer.bias, lora.scale
        self.lora_a = nn.Parameter(layer.weight.new_empty(lora.rank, layer.in_features))
        self.lora_b = nn.Parameter(layer.weight.new_zeros(layer.out_features, lora.rank))
        nn.init.kaiming_uniform_(self.lora_a, a=math.sqrt(5), generator=drawn)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """(..., in) -> (..., out)."""
        added = functional.linear(functional.linear(rows, self.lora_a), self.lora_b)
        return functional.linear(rows, self.weight, self.bias) + self.scale * added


def add_lora(model: nn.Module, lora: Lora, seed: int) -> None:
    """Gives the layers that `lora` names an addition and lets nothing else of the model learn.

    UsageError for a name that no linear layer has.
    """
    layers = [
        (name, module)
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and name.rpartition(".")[2] in lora.targets
    ]
    missing = sorted(set(lora.targets) - {name.rpartition(".")[2] for name, _ in layers})
    if missing:
        raise UsageError(f"no linear layer of the language model is called {', '.join(missing)}.")
    model.requires_grad_(False)
    drawn = torch.Generator().manual_seed(seed)
    for name, layer in layers:
        parent, _, last = name.rpartition(".")
        setattr(model.get_submodule(parent), last, LoraLinear(layer, lora, drawn))


def is_factor(name: str) -> bool:
    """Whether a tensor of this name is a factor of an addition."""
    return name.rpartition(".")[2] in FACTORS


def factors_of(weight: str) -> tuple[str, str]:
    """The names of A and B beside the weight of a layer."""
    layer = weight.rpartition(".")[0]
    return f"{layer}.{FACTORS[0]}", f"{layer}.{FACTORS[1]}"


def merged(weight: torch.Tensor, a: torch.Tensor, b: torch.Tensor, lora: Lora) -> torch.Tensor:
    """The weight of a layer with its addition in it, in the weight's precision."""
    return (weight.float() + lora.scale * (b.float() @ a.float())).to(weight.dtype)

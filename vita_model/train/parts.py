"""Which parameters learn, and in which groups the optimizer holds them."""

from __future__ import annotations

from typing import Any

from torch import nn

VISION = "vision_tower"


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that learn, by name, in the model's order."""
    return {name: weight for name, weight in model.named_parameters() if weight.requires_grad}


def groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Optimizer groups: the vision tower apart, for its own learning rate; vectors (norms, biases) undecayed.

    Each group says in `vision` whose learning rate it follows. Empty groups are left out.
    """
    sorted_out: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, weight in trainable(model).items():
        sorted_out.setdefault((name.startswith(VISION + "."), weight.dim() > 1), []).append(weight)
    return [
        {"params": weights, "weight_decay": weight_decay if matrix else 0.0, "vision": vision}
        for (vision, matrix), weights in sorted(sorted_out.items(), key=lambda item: item[0])
    ]

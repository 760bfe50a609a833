"""Weights of parts that a stage leaves alone, so that its checkpoints hold them to the bit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import nn

from vita_model.nets.vita import Vita
from vita_model.train.given import Given


class Untouched(Mapping[str, torch.Tensor]):
    """The tensors of a model that do not learn, as they came, so that its checkpoints hold them to the bit.

    An engine in bf16 rounds every weight it has. What was given is read again when a checkpoint is written; what came
    from nowhere is held in memory.
    """

    def __init__(self, model: Vita, given: Given) -> None:
        """Of a model whose weights have just been loaded, and that knows what learns."""
        frozen = {
            name: tensor
            for name, tensor in model.state_dict(keep_vars=True).items()
            if not _learns(model, name, tensor)
        }
        self._given = given
        self._held = {
            name: None if name in given else tensor.detach().clone() for name, tensor in frozen.items()
        }

    def __getitem__(self, name: str) -> torch.Tensor:
        held = self._held[name]
        return self._given[name] if held is None else held

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)


def _learns(model: Vita, name: str, tensor: torch.Tensor) -> bool:
    """Parameters say it themselves; buffers change with their part."""
    if isinstance(tensor, nn.Parameter):
        return tensor.requires_grad
    return name.partition(".")[0] in model.trained_parts

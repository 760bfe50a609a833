"""Weights of parts that a stage leaves alone, so that its checkpoints hold them to the bit.

An engine in bf16 rounds every weight it is given. What is trained is kept in fp32 masters; the rest is read again
from where it came from when a checkpoint is written, and held in memory only where it came from nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch

from vita_model.nets.vita import Vita
from vita_model.train.starts import Start, owners
from vita_model.train.tensors import Tensors


class Untouched(Mapping[str, torch.Tensor]):
    """Tensors by name of the parts that are not trained."""

    def __init__(self, model: Vita, starts: Sequence[Start], trained: Sequence[str]) -> None:
        """Of a model whose weights have just been loaded."""
        given = owners(starts, model.parts)
        files = {start.place: Tensors(start.place, "model") for start in given.values()}
        self._stored: dict[str, Tensors] = {}
        self._held: dict[str, torch.Tensor] = {}
        for name, weight in model.state_dict(keep_vars=True).items():
            part = name.partition(".")[0]
            if part in trained:
                continue
            if part in given:
                self._stored[name] = files[given[part].place]
            else:
                self._held[name] = weight.detach().clone()

    def __getitem__(self, name: str) -> torch.Tensor:
        return self._stored[name].read(name) if name in self._stored else self._held[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._stored
        yield from self._held

    def __len__(self) -> int:
        return len(self._stored) + len(self._held)

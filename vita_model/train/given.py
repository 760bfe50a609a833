"""The tensors that a checkpoint holds, and those that a model is given by the checkpoints it starts from.

Beside model-*.safetensors a checkpoint of a training with LoRA has lora-*.safetensors, the factors of what is added
to the weights in the former. Whoever does not go on with that very training gets the two as one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch

from vita_model.config.lora import Lora
from vita_model.nets.lora import factors_of, is_factor, merged
from vita_model.nets.vita import Vita
from vita_model.train.saved import facts
from vita_model.train.tensors import Tensors

MODEL, LORA = "model", "lora"


def lora_in(place: Path) -> Lora | None:
    """The additions that a checkpoint has beside its weights; None where it has none."""
    return Lora.from_json(facts(place)["lora"]) if any(place.glob(f"{LORA}-*.safetensors")) else None


class Weights:
    """The weights in a checkpoint by name, with what was added to them unless they are asked for `apart`."""

    def __init__(self, place: Path, apart: bool = False) -> None:
        self._base = Tensors(place, MODEL)
        self._factors = Tensors(place, LORA)
        self._lora = None if apart else lora_in(place)

    def names(self) -> set[str]:
        """What is there; factors are no weights."""
        return self._base.names()

    def read(self, name: str) -> torch.Tensor:
        """One weight, or one factor; raises VitaError when it is not there."""
        if is_factor(name):
            return self._factors.read(name)
        weight = self._base.read(name)
        first, second = factors_of(name)
        if self._lora is None or not name.endswith(".weight") or first not in self._factors.names():
            return weight
        return merged(weight, self._factors.read(first), self._factors.read(second), self._lora)


class Given(Mapping[str, torch.Tensor]):
    """What the checkpoints hold of a model, by name, to the bit; read when it is asked for.

    `places` are the checkpoints by the part that is taken from each.
    """

    def __init__(self, model: Vita, places: Mapping[str, Path], apart: bool = False) -> None:
        stores = {place: Weights(place, apart) for place in places.values()}
        self._stores = {
            name: stores[places[part]]
            for name in model.state_dict(keep_vars=True)
            if (part := name.partition(".")[0]) in places and (apart or not is_factor(name))
        }

    def __getitem__(self, name: str) -> torch.Tensor:
        return self._stores[name].read(name)

    def __contains__(self, name: object) -> bool:
        return name in self._stores

    def __iter__(self) -> Iterator[str]:
        return iter(self._stores)

    def __len__(self) -> int:
        return len(self._stores)

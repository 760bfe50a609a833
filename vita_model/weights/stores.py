"""Files of tensors, read one tensor at a time: safetensors shards with their index, and checked pickles.

A store tells names and shapes without reading values, and gives values file after file, so that no more than one
file is in memory beside the model.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open

from vita_data.errors import UsageError, VitaError

INDEX = "model.safetensors.index.json"


class Store(Protocol):
    """Named tensors in files; `place` is what messages call it."""

    place: Path

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor's shape by its name."""
        ...

    def read(self) -> Iterator[tuple[str, torch.Tensor]]:
        """Every tensor by its name, valid until the next one is asked for."""
        ...


class Shards:
    """The safetensors of a folder: those that its index names, or all where there is none."""

    def __init__(self, folder: Path) -> None:
        self.place = folder
        index = folder / INDEX
        if index.exists():
            self._files = [folder / Path(name).name for name in sorted(_shard_names(index))]
        else:
            self._files = sorted(folder.glob("*.safetensors"))
        gone = [path.name for path in self._files if not path.exists()]
        if gone or not self._files:
            what = ", ".join(gone) or "*.safetensors"
            raise UsageError(f"{folder}: {what} is not there; give the folder of a complete download.")

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor's shape by its name, from the headers."""
        found: dict[str, tuple[int, ...]] = {}
        for path in self._files:
            with _opened(path) as shard:
                found |= {name: tuple(shard.get_slice(name).get_shape()) for name in shard.offset_keys()}
        return found

    def read(self) -> Iterator[tuple[str, torch.Tensor]]:
        """Every tensor by its name, shard after shard."""
        for path in self._files:
            with _opened(path) as shard:
                for name in shard.offset_keys():
                    yield name, shard.get_tensor(name)


class Pickled:
    """A pickle of torch that holds tensors in mappings and nothing else; nested names are joined by dots.

    A mapping under `model` alone is taken for the whole. Nothing that a pickle may ask to run is run.
    """

    def __init__(self, path: Path) -> None:
        self.place = path
        if not path.exists():
            raise UsageError(f"{path} is not there; give the folder of a complete download.")

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor's shape by its name."""
        return {name: tuple(tensor.shape) for name, tensor in self.read()}

    def read(self) -> Iterator[tuple[str, torch.Tensor]]:
        """Every tensor by its name; raises VitaError for a file that holds anything else."""
        try:
            said = torch.load(self.place, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
            reason = str(error).partition("\n")[0]
            raise VitaError(
                f"{self.place} is no file of plain tensors ({reason}); save it anew with torch.save of a state dict."
            ) from error
        if isinstance(said, Mapping) and isinstance(said.get("model"), Mapping):
            said = said["model"]
        yield from self._flat(said, "")

    def _flat(self, said: Any, prefix: str) -> Iterator[tuple[str, torch.Tensor]]:
        if isinstance(said, torch.Tensor):
            yield prefix, said
        elif isinstance(said, Mapping):
            for name, value in said.items():
                yield from self._flat(value, f"{prefix}.{name}" if prefix else str(name))
        else:
            raise VitaError(f"{self.place}: {prefix or 'it'} is no tensor; save a state dict.")


def _shard_names(index: Path) -> set[str]:
    try:
        return set(json.loads(index.read_text())["weight_map"].values())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise VitaError(f"{index} is no index of shards ({error!r}); download it again.") from error


def _opened(path: Path) -> Any:
    try:
        return safe_open(path, framework="pt")
    except SafetensorError as error:
        raise VitaError(f"{path} is no whole safetensors file ({error}); download it again.") from error

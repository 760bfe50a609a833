"""Named tensors on disk: safetensors files of bounded size, read back one tensor at a time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from vita_data.errors import VitaError

FILE_BYTES = 2 << 30


def write(folder: Path, stem: str, tensors: Iterable[tuple[str, torch.Tensor]], keep: bool) -> None:
    """Writes `<stem>-00001.safetensors` and so on; only goes through `tensors` where not `keep`."""
    held: dict[str, torch.Tensor] = {}
    size = number = 0
    for name, tensor in tensors:
        if not keep:
            continue
        held[name] = tensor.detach().to("cpu", copy=True).contiguous()
        size += tensor.numel() * tensor.element_size()
        if size >= FILE_BYTES:
            number += 1
            _save(folder / f"{stem}-{number:05d}.safetensors", held)
            held, size = {}, 0
    if held:
        _save(folder / f"{stem}-{number + 1:05d}.safetensors", held)


def _save(path: Path, held: dict[str, torch.Tensor]) -> None:
    try:
        save_file(held, path)
        with open(path, "rb") as stream:
            os.fsync(stream.fileno())
    except (OSError, SafetensorError) as error:
        shutil.rmtree(path.parent, ignore_errors=True)  # without this file the others only fill the disk
        raise VitaError(
            f"{path} cannot be written ({error}); free space, then go on from the checkpoint before with --resume."
        ) from error


class Tensors:
    """The tensors that `write` left under a stem, by name."""

    def __init__(self, folder: Path, stem: str) -> None:
        self._folder = folder
        self._open = [
            safe_open(path, framework="pt") for path in sorted(folder.glob(f"{stem}-*.safetensors"))
        ]
        self._places: dict[str, int] = {}
        for number, opened in enumerate(self._open):
            self._places.update(dict.fromkeys(opened.keys(), number))

    def names(self) -> set[str]:
        """What is there."""
        return set(self._places)

    def read(self, name: str) -> torch.Tensor:
        """One tensor; raises VitaError when it is not there."""
        if name not in self._places:
            raise VitaError(
                f"{self._folder} holds no tensor {name}; take a checkpoint of this model and stage."
            )
        found: torch.Tensor = self._open[self._places[name]].get_tensor(name)
        return found

"""Pictures as tensors of tiles."""

from __future__ import annotations

import torch

from vita_model.batch.decode import Decode, Picture, Unreadable, decode


def tiles(
    data: bytes, grid: tuple[int, int], pixels: int, thumbnail: bool, name: str, by: Decode = decode
) -> torch.Tensor:
    """uint8 (K, 3, pixels, pixels) of an encoded image; grid is (columns, rows), `name` is for the error."""
    try:
        return torch.from_numpy(by(Picture(data, grid, pixels, thumbnail)))
    except Unreadable as error:
        raise error.of(f"{name}: its picture") from error

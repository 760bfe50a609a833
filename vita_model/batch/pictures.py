"""Pictures as tiles: the bytes of an image and its grid give the pixels the vision tower looks at.

The grid was chosen when the stage was built, so its length is what the pack plan says. Sources: the dynamic
tiling of InternVL as VITA-1.5 uses it: bicubic resize to the grid without keeping the aspect, tiles cut
row by row, and one thumbnail of the whole last when there is more than one tile.
"""

from __future__ import annotations

import io

import numpy
import torch
from PIL import Image

from vita_data.errors import ShardError


def tiles(data: bytes, grid: tuple[int, int], pixels: int, thumbnail: bool, name: str) -> torch.Tensor:
    """uint8 (K, 3, pixels, pixels) of an encoded image; grid is (columns, rows), `name` is for the error."""
    try:
        with Image.open(io.BytesIO(data)) as opened:
            picture = opened.convert("RGB")
    except (OSError, ValueError, SyntaxError) as error:
        raise ShardError(
            f"{name}: its picture cannot be decoded ({error}); run `vita-data prove` on the stage."
        ) from error
    cols, rows = grid
    whole = picture.resize((cols * pixels, rows * pixels), Image.Resampling.BICUBIC)
    cut = numpy.asarray(whole).reshape(rows, pixels, cols, pixels, 3).transpose(0, 2, 4, 1, 3)
    found = cut.reshape(rows * cols, 3, pixels, pixels)
    if thumbnail and rows * cols > 1:
        small = numpy.asarray(picture.resize((pixels, pixels), Image.Resampling.BICUBIC))
        found = numpy.concatenate([found, small.transpose(2, 0, 1)[None]])
    return torch.from_numpy(numpy.ascontiguousarray(found))

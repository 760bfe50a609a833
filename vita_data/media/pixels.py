"""From any decoded picture to upright 8-bit grey or RGB, the way a person expects to see it."""

from __future__ import annotations

import numpy as np
from PIL import Image

_ORIENTATION_TAG = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_GREY_MODES = ("1", "L", "LA", "La")
_BLOCK_ROWS = 256


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; metadata that cannot be read means upright."""
    try:
        orientation = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # Whatever a metadata parser trips over, the picture itself is fine.
        return 1
    return orientation if orientation in _TURNS else 1


def make_upright(image: Image.Image, orientation: int) -> Image.Image:
    """The picture as its EXIF orientation says it should be seen."""
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def to_grey_or_rgb(image: Image.Image) -> Image.Image:
    """The picture in mode L or RGB: transparency on white paper, deep grey scaled, the rest converted.

    ICC profiles are left aside: what trains on the stored files reads plain pixels, so a picture that is
    stored as it came and one that is converted must be read alike.
    """
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return _grey_from_numbers(image)
    if image.has_transparency_data:
        return _on_white(image)
    if image.mode in ("L", "RGB"):
        return image
    return image.convert("L" if image.mode in _GREY_MODES else "RGB")


def _on_white(image: Image.Image) -> Image.Image:
    grey = image.mode in _GREY_MODES
    layered = image.convert("LA" if grey else "RGBA")
    paper = Image.new("L", image.size, 255) if grey else Image.new("RGB", image.size, (255, 255, 255))
    paper.paste(layered.convert(paper.mode), mask=layered.getchannel("A"))
    return paper


def _grey_from_numbers(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    low, high = _range_of(values)
    grey = np.zeros(values.shape, np.uint8)
    span = high - low or 1.0
    # In blocks: a 100-megapixel picture in float64 would take 800 MB.
    for top in range(0, len(values), _BLOCK_ROWS):
        block = values[top : top + _BLOCK_ROWS].astype(np.float64)
        np.nan_to_num(block, copy=False, nan=low, posinf=high, neginf=low)
        grey[top : top + _BLOCK_ROWS] = np.rint((block - low) * 255.0 / span)
    return Image.fromarray(grey)


def _range_of(values: np.ndarray) -> tuple[float, float]:
    """What is black and what is white: 0 and a whole bit depth (16 may hold 12), else the extremes."""
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    if low < 0 or high > 65535:
        return low, high
    if values.dtype.kind == "f" and high <= 1:
        return 0.0, 1.0
    return 0.0, float((1 << max(8, int(np.ceil(high)).bit_length())) - 1)

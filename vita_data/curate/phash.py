"""Perceptual hash of a picture: 64 bits of which few differ when it was recompressed, resized, marked or cropped a bit.

The signs of 64 coefficients of a cosine transform of the picture as a small grey square, after the DCT hash of
Zauner ("Implementation and benchmarking of perceptual image hash functions", 2010, section 3.2). What differs from
it is there for a reason that `benchmarks/near_pictures.py` measures:

- The square fades out towards its edges, where crops and corner marks change it.
- Its contrast is compressed, so that a mark of a loud colour weighs no more than the picture below it.
- Pages, charts and drawings share their paper and their layout, which is all that low frequencies show. What is
  mostly paper is hashed by 64 higher ones of what differs from its surroundings, with its middle magnified. Such a
  hash survives no crops.
- Pictures with less to see than that (one colour, a ramp, stripes, mirror images of themselves) have no hash: their
  bits would be those of rounding, or would be equal by symmetry.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from vita_data.media.shrunk import grey_square

# Raise when a hash would come out differently.
VERSION = 1
# How many bits may differ in pictures that are near, where the words must be alike too; and where nothing else speaks
# for it, which must hold among billions of pairs of pictures. Measured, see `benchmarks/README.md`.
RADIUS = 10
ALONE = 4
BITS = 64

_SIDE = 96
_FREQUENCIES = 24
# (magnification of the middle, part of each side that fades, coefficients left out)
_SCENE = (0.3, 0.07, 1)
_PAPER = (0.95, 0.2, 300)
_SURROUNDINGS = 3.0  # pixels of the square: standard deviation of the blur that is taken from paper
# Paper: this part of the pixels is at least this bright, beside the lightest, which are white or nearly so.
_PAPER_PART, _PAPER_BESIDE, _PAPER_WHITE = 0.5, 0.85, 190
# Amplitudes in grey levels: smaller ones change by recompression, and bits of the smallest depend on the machine.
_FAINT, _NOTHING = 0.01, 0.001
_CARRIED = 48  # bits that must not be faint


def perceptual_hash(data: bytes, mirrored: bool = False) -> int | None:
    """The hash of a picture's bytes, or None where there is too little to see for one; `mirrored` left to right.

    The hash of the mirrored picture is another one: left and right are content. RecordError media_unreadable.
    """
    square = grey_square(data, _SIDE)
    return _hash(square[:, ::-1] if mirrored else square)


def mirrored(hashes: Any) -> Any:
    """uint64[n, 2]: what the hashes of the same pictures would be, mirrored left to right, within three bits or so.

    Mirroring turns the signs of the waves with an odd number of half periods across, but for faint ones. A hash does
    not say whether it is one of a scene or of paper: the first of a pair is right for a scene, the second for paper.
    """
    return np.asarray(hashes, np.uint64)[:, None] ^ np.array([_odd(_SCENE), _odd(_PAPER)], np.uint64)


def _odd(form: tuple[float, float, int]) -> int:
    """The bits that stand for waves with an odd number of half periods across."""
    *_, columns = _transform(*form)
    return int.from_bytes(np.packbits(columns % 2 == 1).tobytes(), "big")


def _hash(square: Any) -> int | None:
    """The hash of a grey square uint8[96, 96]."""
    paper = _is_paper(square)
    basis, weights, rows, columns = _transform(*(_PAPER if paper else _SCENE))
    levels = square - _blurred(_blurred(square).T).T if paper else square.astype(np.float64)
    levels -= weights @ levels @ weights
    contrast = float(np.sqrt(weights @ (levels * levels) @ weights))
    if contrast < _FAINT:
        return None
    levels = np.tanh(levels / contrast)
    levels -= weights @ levels @ weights
    amplitudes = contrast * (basis @ levels @ basis.T)[rows, columns]
    if np.count_nonzero(np.abs(amplitudes) >= _FAINT) < _CARRIED:
        return None
    return int.from_bytes(np.packbits(amplitudes > _NOTHING).tobytes(), "big")


def _blurred(square: Any) -> Any:
    """A square with its columns blurred; in strips, as linear algebra libraries start threads for whole squares."""
    return np.matmul(_blur().reshape(4, -1, _SIDE), square).reshape(square.shape)


def _is_paper(square: Any) -> bool:
    white = np.quantile(square, 0.95)
    return bool(white >= _PAPER_WHITE and np.mean(square >= _PAPER_BESIDE * white) >= _PAPER_PART)


@functools.cache
def _blur() -> Any:
    """Gaussian blur of a column of pixels as a matrix; towards the edges of what there is."""
    place = np.arange(_SIDE)
    blur = np.exp(-0.5 * ((place[:, None] - place) / _SURROUNDINGS) ** 2)
    return blur / blur.sum(axis=1, keepdims=True)


@functools.cache
def _transform(magnified: float, faded: float, skipped: int) -> tuple[Any, Any, Any, Any]:
    """(cosines float64[frequency, place], weights of places, rows and columns of the coefficients that are taken).

    Coefficients go by rising frequency. Cosines of a warped axis stay orthogonal where places are weighted with the
    derivative of the warp.
    """
    place = (np.arange(_SIDE) + 0.5) / _SIDE
    warped = place - magnified * np.sin(2 * np.pi * place) / (2 * np.pi)
    weights = 1 - magnified * np.cos(2 * np.pi * place)
    weights *= 0.5 - 0.5 * np.cos(np.pi * np.clip(np.minimum(place, 1 - place) / faded, 0, 1))
    weights /= weights.sum()
    basis = np.cos(np.pi * np.outer(np.arange(_FREQUENCIES), warped)) * weights
    row, column = np.divmod(np.arange(_FREQUENCIES**2), _FREQUENCIES)
    taken = np.argsort(row**2 + column**2, kind="stable")[skipped : skipped + BITS]
    return basis, weights, row[taken], column[taken]

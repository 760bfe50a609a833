"""Handwritten digits of scikit-learn (UCI, optical recognition; CC BY 4.0) as pictures, and others like them.

1,797 digits of 8 x 8 points in 17 greys.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

SIDE = 112
TRAIN = 1297  # the others are for tests
GREYS = 16.0
# How much another hand may differ: degrees, parts of the side.
TURN, SHIFT, SCALE = 12.0, 0.08, (0.85, 1.15)


@dataclass(frozen=True)
class Digit:
    """A handwritten digit: its place in the data set, what it is, and (8, 8) greys from 0 to 1."""

    number: int
    value: int
    greys: np.ndarray

    @property
    def for_test(self) -> bool:
        """Whether no picture to train with is made of it."""
        return self.number >= TRAIN


def read_digits() -> list[Digit]:
    """All of them in the data set's order."""
    from sklearn.datasets import load_digits  # which takes seconds to load

    there = load_digits()
    return [
        Digit(number, int(value), np.asarray(greys / GREYS, dtype=np.float32))
        for number, (value, greys) in enumerate(zip(there.target, there.images, strict=True))
    ]


def plain(digit: Digit) -> Image.Image:
    """A digit as a grey picture of SIDE pixels, white on black."""
    small = Image.fromarray(np.round(digit.greys * 255).astype(np.uint8))
    return small.resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def by_another_hand(digit: Digit, random: np.random.Generator) -> Image.Image:
    """A digit turned, moved, made larger or smaller, thicker or thinner, within what stays the same digit."""
    angle = np.deg2rad(random.uniform(-TURN, TURN))
    scale, wide = random.uniform(*SCALE), random.uniform(0.9, 1.1)
    right, down = random.uniform(-SHIFT, SHIFT, 2) * SIDE
    middle = SIDE / 2
    cosine, sine = np.cos(angle) / scale, np.sin(angle) / scale
    across = (cosine / wide, sine / wide, -sine, cosine)
    offset = (
        middle - across[0] * (middle + right) - across[1] * (middle + down),
        middle - across[2] * (middle + right) - across[3] * (middle + down),
    )
    matrix = (across[0], across[1], offset[0], across[2], across[3], offset[1])
    moved = plain(digit).transform((SIDE, SIDE), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
    curve = random.uniform(0.7, 1.4)
    bent = 255.0 * (np.asarray(moved, dtype=np.float32) / 255.0) ** curve
    grain = random.normal(0.0, random.uniform(0.0, 8.0), bent.shape)
    return Image.fromarray(np.clip(bent + grain, 0, 255).astype(np.uint8))

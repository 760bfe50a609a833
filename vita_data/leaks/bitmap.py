"""A bitmap of hashes: tells most values that are not in an index from those that are, without searching it."""

from __future__ import annotations

from typing import Any

import numpy as np

# Raise when a bitmap would have other bits.
VERSION = 1
DENSITY = 32  # bits for each hash
LEAST, MOST = 16, 27  # powers of two


def bitmap_of(hashes: Any) -> Any:
    """uint8[m]: a bitmap with the bit of every hash, uint64[n], set."""
    power = min(max((len(hashes) * DENSITY).bit_length(), LEAST), MOST)
    bits = np.zeros(1 << power, np.uint8)
    bits[(hashes >> np.uint64(64 - power)).astype(np.int64)] = 1
    return np.packbits(bits, bitorder="little")


def in_bitmap(bitmap: Any, hashes: Any) -> Any:
    """Numbers of the hashes whose bit is set; of those that are not in the index a few hundredths are among them."""
    bit = hashes >> np.uint64(64 - (len(bitmap) * 8).bit_length() + 1)
    mask = np.left_shift(np.uint8(1), (bit & np.uint64(7)).astype(np.uint8))
    return np.flatnonzero(bitmap[(bit >> np.uint64(3)).astype(np.int64)] & mask)

"""MinHash signatures of many texts at once: for each of some permutations of the hashes, the smallest of a text's.

The share of places in which two signatures are equal estimates the Jaccard similarity of the shingles. The
scheme is the one that datasketch 2 calls affine32, with its parameters: (a * fmix32(h) + b) mod 2^32, a odd.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from vita_data.curate import words
from vita_data.curate.words import WIDTH, shingle_hashes

# Raise when a text would have another signature.
VERSION = 1
PERMUTATIONS = 128
SEED = 1  # datasketch's default
BLOCK = 1 << 18  # characters at a time, so that all that is computed of them stays in the cache


def signatures(texts: Sequence[str], permutations: int = PERMUTATIONS, width: int = WIDTH) -> Any:
    """uint32[n, permutations] of normalised texts (Broder 1997), by shingles of `width` tokens."""
    result = np.empty((len(texts), permutations), np.uint32)
    for start, end in words.blocks(texts, BLOCK):
        hashes, starts = shingle_hashes(texts[start:end], width)
        result[start:end] = sketch((hashes >> np.uint64(32)).astype(np.uint32), starts[:-1], permutations)
    return result


def sketch(hashes: Any, starts: Any, permutations: int = PERMUTATIONS) -> Any:
    """uint32[n, permutations] of n sets of hashes, uint32, that lie one after another and start where `starts` says.

    No set may be empty. Equal to `datasketch.MinHash(permutations, scheme="affine32")` over the same hashes.
    """
    factors, terms = _permutations(permutations)
    hashes = _spread(hashes)
    permuted = np.empty_like(hashes)
    result = np.empty((permutations, len(starts)), np.uint32)
    for number in range(permutations):
        np.multiply(hashes, factors[number], out=permuted)
        permuted += terms[number]
        np.minimum.reduceat(permuted, starts, out=result[number])
    return result.T


def _spread(hashes: Any) -> Any:
    """MurmurHash3's 32-bit finalizer."""
    hashes = hashes ^ (hashes >> np.uint32(16))
    hashes *= np.uint32(0x85EBCA6B)
    hashes ^= hashes >> np.uint32(13)
    hashes *= np.uint32(0xC2B2AE35)
    hashes ^= hashes >> np.uint32(16)
    return hashes


@functools.cache
def _permutations(count: int) -> tuple[Any, Any]:
    """Factors, which are odd, and terms; NumPy keeps the stream of RandomState for ever."""
    stream = np.random.RandomState(SEED)
    factors = stream.randint(0, 1 << 31, count, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return factors, stream.randint(0, 1 << 32, count, dtype=np.uint32)

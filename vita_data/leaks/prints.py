"""Fingerprints of sounds: 32 bits for every fiftieth of a second, nearly the same after encoding anew.

Bit b of a frame says whether the step in energy from band b to band b + 1 grew since the frame before (Haitsma
and Kalker, A Highly Robust Audio Fingerprinting System, ISMIR 2002, section 4.2). Gain and a fixed colouring of
the sound change nothing; frames are long and overlap, so that a shift by less than a step changes few bits.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from vita_data.errors import UsageError

# Raise when a sound would have another fingerprint.
VERSION = 1
RATE = 16_000
STEP, FRAME = 320, 4096  # samples: a fiftieth and a quarter of a second
BANDS, LOWEST, HIGHEST = 33, 200.0, 3400.0  # Hz; what a telephone lets through
QUIET = 1e-5  # of the loudest frame's energy, below which bits are noise: 50 dB
BLOCK = 64  # frames at a time: they stay in the cache


class Print(NamedTuple):
    """A fingerprint: `frames` uint32[n]; `doubts` uint8[n, 3], the bits that hang on least; `loud` bool[n]."""

    frames: Any
    doubts: Any
    loud: Any


def fingerprint(samples: Any, rate: int = RATE) -> Print:
    """The fingerprint of one channel of samples at 16 kHz, int16 or float; too short a sound has no frames."""
    if rate != RATE or np.ndim(samples) != 1:
        raise UsageError(
            f"a fingerprint needs one channel at {RATE} Hz, not {rate}; resample the sound first."
        )
    count: int = (len(samples) - FRAME) // STEP + 1
    if count < 2:
        empty = np.zeros(0, np.uint32)
        return Print(empty, np.zeros((0, 3), np.uint8), np.zeros(0, bool))
    energies = np.concatenate(
        [_energies(samples, start, min(start + BLOCK, count)) for start in range(0, count, BLOCK)]
    )
    total = energies.sum(axis=1)
    floor = max(float(total.max()) * QUIET, float(np.finfo(np.float32).tiny))
    steps = np.diff(np.log(energies + floor / BANDS), axis=1)
    growth = np.diff(steps, axis=0)
    bits = growth > 0
    frames = np.packbits(bits, axis=1, bitorder="little").view("<u4")[:, 0]
    doubts = np.argpartition(np.abs(growth), 3, axis=1)[:, :3].astype(np.uint8)
    return Print(frames, np.sort(doubts, axis=1), total[1:] > 100 * floor)


def packed(one: Print) -> bytes:
    """A fingerprint in six bytes a frame: its bits, then a number with the doubts and whether it is loud."""
    doubts = one.doubts.astype("<u2")
    marks = doubts[:, 0] | doubts[:, 1] << 5 | doubts[:, 2] << 10 | one.loud.astype("<u2") << 15
    return b"".join([one.frames.astype("<u4").tobytes(), marks.astype("<u2").tobytes()])


def unpacked(data: bytes) -> Print:
    """The fingerprint that was packed."""
    count = len(data) // 6
    frames, marks = np.frombuffer(data, "<u4", count), np.frombuffer(data, "<u2", offset=4 * count)
    doubts = marks[:, None] >> np.array([0, 5, 10], np.uint16) & 31
    return Print(frames.astype(np.uint32), doubts.astype(np.uint8), marks >= 1 << 15)


def _energies(samples: Any, first: int, end: int) -> Any:
    """float64[frames, BANDS]: the energy of each band in frames `first` to `end`."""
    piece = np.asarray(samples[first * STEP : (end - 1) * STEP + FRAME], np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(piece, FRAME)[::STEP]
    spectrum = np.fft.rfft(frames * _window(), axis=1)[:, : _edges()[-1]]
    power = spectrum.real**2 + spectrum.imag**2
    return np.add.reduceat(power, _edges()[:-1], axis=1).astype(np.float64)


@functools.cache
def _window() -> Any:
    return np.hanning(FRAME).astype(np.float32)


@functools.cache
def _edges() -> Any:
    """Numbers of the frequencies where bands begin and the last ends: each as wide as the one before times a factor."""
    hertz = LOWEST * (HIGHEST / LOWEST) ** (np.arange(BANDS + 1) / BANDS)
    return np.rint(hertz * FRAME / RATE).astype(np.int64)

"""From decoded blocks to what is stored: one channel at one rate in 16 bits, and how loud it is."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from vita_data.media.sound_track import Block, undecodable

SILENCE = -200.0  # dBFS of nothing but zeros, below any other sound of 16 bits
_FULL_SCALE = np.float32(32767 / 32768)


class Mixer:
    """The mean of the channels, block by block; counts samples, and values at full scale."""

    def __init__(self) -> None:
        self.samples = 0
        self._values = 0
        self._clipped = 0

    def mixed(self, blocks: Iterable[Block]) -> Iterator[NDArray[np.float32]]:
        """Yields one channel, a piece for every block."""
        for block in blocks:
            self.samples += len(block)
            self._values += block.size
            if block.size and (block.max() >= _FULL_SCALE or block.min() <= -_FULL_SCALE):
                self._clipped += int(np.count_nonzero(np.abs(block) >= _FULL_SCALE))
            # One channel after the other, so that the order of the sum is the same on every processor.
            mean = block[:, 0].copy()
            for channel in range(1, block.shape[1]):
                mean += block[:, channel]
            yield mean / np.float32(block.shape[1])

    @property
    def clipped(self) -> float:
        """The share of native values at or beyond full scale, 0 to 1."""
        return self._clipped / self._values if self._values else 0.0


def as_int16(pieces: Iterable[NDArray[np.float32]], native_rate: int, rate: int) -> NDArray[np.int16]:
    """One channel at `rate`, rounded to the nearest of 16 bits, without dither; louder than full scale is cut.

    n samples become floor(n * rate / native_rate + 1/2). The filter is linear-phase, its delay taken out.
    """
    done = [np.zeros(0, np.int16)]
    with np.errstate(all="ignore"):
        for piece in pieces if native_rate == rate else _resampled(pieces, native_rate, rate):
            if not np.isfinite(piece).all():
                raise undecodable("it holds values that are no numbers")
            scaled = np.rint(piece * np.float32(32768))
            done.append(scaled.clip(-32768, 32767, out=scaled).astype(np.int16))
    return np.concatenate(done)


def _resampled(
    pieces: Iterable[NDArray[np.float32]], native_rate: int, rate: int
) -> Iterator[NDArray[np.float32]]:
    stream = soxr.ResampleStream(native_rate, rate, 1, dtype="float32", quality="HQ")
    for piece in pieces:
        yield stream.resample_chunk(piece)
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


@dataclass(frozen=True, slots=True)
class Level:
    """Largest magnitude and root mean square in dB relative to full scale (32768)."""

    peak: float
    rms: float


def level_of(samples: NDArray[np.int16]) -> Level:
    """How loud a sound is; sums whole numbers, so that it is the same everywhere."""
    wide = samples.astype(np.int64)
    power = int(np.dot(wide, wide))
    peak = max(int(wide.max()), -int(wide.min()))
    if not peak:
        return Level(SILENCE, SILENCE)
    return Level(
        20 * math.log10(peak / 32768), 10 * math.log10(power / len(samples)) - 20 * math.log10(32768)
    )


def content_of(samples: NDArray[np.int16]) -> bytes:
    """16 bytes over the samples as little-endian 16-bit numbers: equal for equal sounds of one rate."""
    return hashlib.blake2b(samples.astype("<i2", copy=False).tobytes(), digest_size=16).digest()


def as_flac(samples: NDArray[np.int16], rate: int) -> bytes:
    """The samples as FLAC without tags; the same bytes every time from one version of libsndfile."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()

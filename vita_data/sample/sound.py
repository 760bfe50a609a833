"""Sound made from numbers: pauses, light noise, tones, another rate, and the files that hold it."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from io import BytesIO
from random import Random

import numpy as np
import soundfile
import soxr

from vita_data.sample.voices import Sound

LOUDEST = 32767
SCALE = (262.0, 294.0, 330.0, 349.0, 392.0, 440.0, 494.0, 523.0)  # hertz, from C up to the next C


def silence(seconds: float, rate: int) -> Sound:
    """Samples of nothing."""
    return np.zeros(round(seconds * rate), dtype=np.int16)


def noise(random: Random, count: int, level: int) -> Sound:
    """`count` samples of white noise that never exceed `level`."""
    raw = np.frombuffer(random.randbytes(2 * count), dtype="<i2").astype(np.int32)
    return np.asarray(raw * level // LOUDEST, dtype=np.int16)


def tone(pitches: Sequence[float], seconds: float, rate: int, level: int = 6000) -> Sound:
    """Tones of these frequencies in hertz one after another, together `seconds` long, softly begun and ended."""
    count = round(seconds * rate)
    edges = [count * n // len(pitches) for n in range(len(pitches) + 1)]
    parts = [
        _note(pitch, end - start, rate) for pitch, start, end in zip(pitches, edges, edges[1:], strict=False)
    ]
    return np.asarray(np.concatenate(parts) * level, dtype=np.int16)


def _note(pitch: float, count: int, rate: int) -> np.ndarray:
    swing = np.sin(2 * np.pi * pitch * np.arange(count) / rate)
    ramp = min(count // 4, rate // 50)
    swing[:ramp] *= np.linspace(0.0, 1.0, ramp)
    swing[count - ramp :] *= np.linspace(1.0, 0.0, ramp)
    return swing


def mixed(*sounds: Sound) -> Sound:
    """Sounds heard at once, the shorter ones from the beginning; too loud samples are clipped."""
    total = np.zeros(max(len(sound) for sound in sounds), dtype=np.int32)
    for sound in sounds:
        total[: len(sound)] += sound
    return np.asarray(total.clip(-LOUDEST, LOUDEST), dtype=np.int16)


def at_rate(sound: Sound, rate: int, wanted: int) -> Sound:
    """The sound with another number of samples a second."""
    if rate == wanted:
        return sound
    turned = soxr.resample(sound.astype(np.float32), rate, wanted)
    return np.asarray(np.rint(turned).clip(-LOUDEST, LOUDEST), dtype=np.int16)


def in_a_room(sound: Sound, rate: int, random: Random) -> Sound:
    """The sound as a recording has it: a pause before and behind, another loudness, and a little noise."""
    before, behind = (silence(random.uniform(0.08, 0.35), rate) for _ in range(2))
    quieter = (sound.astype(np.int32) * random.randint(45, 100) // 100).astype(np.int16)
    whole = np.concatenate([before, quieter, behind])
    return mixed(whole, noise(random, len(whole), random.choice((0, 1, 3, 8, 24))))


def wav(sound: Sound, rate: int) -> bytes:
    """A WAV file of 16 bits a sample."""
    buffer = BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(sound.astype("<i2").tobytes())
    return buffer.getvalue()


def flac(sound: Sound, rate: int) -> bytes:
    """A FLAC file of 16 bits a sample."""
    buffer = BytesIO()
    soundfile.write(buffer, sound, rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()

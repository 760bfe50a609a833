"""Sounds like speech for what looks for recordings: made of noise, by a machine's voice, and encoded anew."""

from __future__ import annotations

import functools
import io
import subprocess

import numpy as np
import soundfile
import soxr

from tests import sounds
from vita_data.leaks.prints import RATE
from vita_data.media.audio import read_sound


@functools.cache
def syllables(seed: int, seconds: float = 4.0) -> sounds.Samples:
    """Speech of sorts at 16 kHz: syllables of random pitch, length and resonances, with pauses and noise."""
    rng = np.random.default_rng(seed)
    parts: list[np.ndarray] = []
    while sum(map(len, parts)) < seconds * RATE:
        time = np.arange(int(rng.uniform(0.1, 0.3) * RATE)) / RATE
        pitch, peaks = rng.uniform(90, 220), rng.uniform((250, 800, 2000), (800, 2000, 3300))
        harmonics = pitch * np.arange(1, int(3500 / pitch))
        weights = np.exp(-np.abs(harmonics[:, None] - peaks) / 150).sum(axis=1)
        phase = 2 * np.pi * np.outer(harmonics, time + rng.uniform(-0.05, 0.05) * time**2)
        voice = (weights[:, None] * np.sin(phase)).sum(axis=0) * np.sin(np.pi * np.linspace(0, 1, len(time)))
        parts += [voice, np.zeros(int(rng.uniform(0, 0.08) * RATE))]
    sound = np.concatenate(parts)[: int(seconds * RATE)]
    sound = 0.4 * sound / np.abs(sound).max() + 0.002 * rng.standard_normal(len(sound))
    return np.rint(sound * 32767).astype(np.int16)


def spoken(text: str, voice: str) -> sounds.Samples:
    """What espeak-ng makes of a text, at 16 kHz."""
    call = ["espeak-ng", "-v", voice, "--stdout", text]
    wave = subprocess.run(call, capture_output=True, check=True).stdout
    samples, rate = soundfile.read(io.BytesIO(wave), dtype="float32")
    return np.rint(soxr.resample(samples, rate, RATE) * 32767).clip(-32768, 32767).astype(np.int16)


def again(samples: sounds.Samples, kind: str) -> sounds.Samples:
    """Samples at 16 kHz after they were encoded and decoded as one kind or another."""
    if kind == "mp3":
        data = sounds.written("mp3", samples, RATE)
    elif kind == "8000 Hz":
        data = sounds.written("wav", np.rint(soxr.resample(samples, RATE, 8000)).astype(np.int16), 8000)
    else:
        at48 = np.rint(soxr.resample(samples, RATE, 48000)).clip(-32768, 32767).astype(np.int16)
        data = sounds.encoded("opus", at48, 48000, int(kind.removeprefix("opus")) * 1000)
    return sounds.stored(read_sound(data, RATE).flac)

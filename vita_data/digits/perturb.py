"""Other throats, rooms and lines: a recording changed as another speaker, another place would change it.

Few speakers teach a recogniser those speakers. Resampling moves pitch and formants together, as a longer or shorter
vocal tract does (Jaitly and Hinton, 2013; Ko et al., 2015); overlap-add gives the length back (WSOLA, Verhelst and
Roelands, 1993); the rest is line, room and noise.
"""

from __future__ import annotations

import numpy as np

from vita_data.digits.recordings import RATE, Sound

WINDOW = 512  # of overlap-add, 32 ms
SEEK = 160  # samples to either side in which the best fit is looked for
LINE_NOISE = 1e-3  # its power's root, 60 dB below full scale


def resized(sound: Sound, factor: float) -> Sound:
    """A sound at `factor` times its speed, pitch and formants with it."""
    places = np.arange(int(len(sound) / factor)) * factor
    return np.asarray(np.interp(places, np.arange(len(sound)), sound), dtype=np.float32)


def stretched(sound: Sound, rate: float) -> Sound:
    """A sound at `rate` times its speed, pitch and formants kept."""
    half, count = WINDOW // 2, int(len(sound) / rate)
    window = np.hanning(WINDOW)
    padded = np.pad(sound, (SEEK + WINDOW, 2 * (WINDOW + SEEK)))
    out, weight = np.zeros(count + 2 * WINDOW), np.zeros(count + 2 * WINDOW)
    last = None
    for place in range(0, count, half):
        start = min(int(place * rate) + SEEK + WINDOW, len(padded) - WINDOW - SEEK - half)
        if last is not None:
            goal = padded[last + half : last + half + WINDOW]
            start += int(np.argmax(np.correlate(padded[start - SEEK : start + WINDOW + SEEK], goal))) - SEEK
        out[place : place + WINDOW] += padded[start : start + WINDOW] * window
        weight[place : place + WINDOW] += window
        last = min(start, len(padded) - WINDOW - half)
    return np.asarray(out[:count] / np.maximum(weight[:count], 1e-3), dtype=np.float32)


def coloured(sound: Sound, random: np.random.Generator, decibels: float = 8.0) -> Sound:
    """A sound through a line that raises and lowers eight bands by at most so many decibels."""
    spectrum = np.fft.rfft(sound, _size(len(sound)))
    bands = np.clip(random.normal(0.0, decibels / 2, 8), -decibels, decibels)
    curve = np.interp(np.linspace(0, 7, len(spectrum)), np.arange(8), bands)
    return np.asarray(np.fft.irfft(spectrum * 10 ** (curve / 20))[: len(sound)], dtype=np.float32)


def in_a_room(sound: Sound, random: np.random.Generator) -> Sound:
    """A sound with the decaying echoes of a room, 30 to 150 ms long."""
    count = int(RATE * random.uniform(0.03, 0.15))
    echoes = random.normal(0.0, 1.0, count) * np.exp(-np.arange(count) / (count / 6))
    echoes *= random.uniform(0.02, 0.3) / np.linalg.norm(echoes)
    echoes[0] = 1.0
    size = _size(len(sound) + count)
    found = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(echoes, size), size)
    return np.asarray(found[: len(sound)], dtype=np.float32)


def hiss(count: int, random: np.random.Generator) -> Sound:
    """Noise of unit power, white or with less at high frequencies."""
    white = random.normal(0.0, 1.0, _size(count))
    if random.random() < 0.5:
        spectrum = np.fft.rfft(white)
        spectrum /= np.maximum(np.arange(len(spectrum)), 8) ** random.uniform(0.3, 1.0)
        white = np.fft.irfft(spectrum)
    return np.asarray(white[:count] / (np.sqrt((white**2).mean()) + 1e-9), dtype=np.float32)


def _size(count: int) -> int:
    """As many samples or more, in a number that a Fourier transform is quick with."""
    return -(-count // 4096) * 4096


def with_noise(sound: Sound, noise: Sound, decibels: float) -> Sound:
    """A sound with noise of unit power behind it, so many decibels below."""
    power = np.sqrt((sound**2).mean())
    return np.asarray(sound + noise * power * 10 ** (-decibels / 20), dtype=np.float32)


def at_level(sound: Sound, peak: float) -> Sound:
    """A sound whose largest sample is `peak`."""
    return np.asarray(sound * (peak / (np.abs(sound).max() + 1e-6)), dtype=np.float32)


def on_a_line(sound: Sound, random: np.random.Generator) -> Sound:
    """A sound with the faint noise of a line, so that its pauses are no zeros, which no codec makes well."""
    return np.asarray(
        np.clip(sound + random.normal(0.0, LINE_NOISE, len(sound)), -1.0, 1.0), dtype=np.float32
    )


def another_voice(sounds: list[Sound], random: np.random.Generator) -> list[Sound]:
    """Sounds of one speaker as another would say them: one vocal tract, one pace for all."""
    tract = float(np.exp(random.uniform(np.log(0.78), np.log(1.28))))
    pace = float(np.exp(random.uniform(np.log(0.8), np.log(1.25)))) / tract if random.random() < 0.7 else 1.0
    moved = (resized(sound, tract) for sound in sounds)
    return [sound if pace == 1.0 else stretched(sound, pace) for sound in moved]


def another_place(sound: Sound, random: np.random.Generator) -> Sound:
    """A sound over another line, in another room, with noise of other kinds; three in ten stay as they came.

    Nine in ten have the faint noise of a line that is never still, so that pauses of nothing are known as well.
    """
    if random.random() < 0.7:
        sound = coloured(sound, random)
        if random.random() < 0.4:
            sound = in_a_room(sound, random)
        sound = with_noise(sound, hiss(len(sound), random), random.uniform(8.0, 45.0))
    sound = at_level(sound, random.uniform(0.1, 0.9))
    if random.random() < 0.9:
        sound = sound + random.normal(0.0, 10 ** random.uniform(-4.5, -3.0), len(sound))
    return np.asarray(np.clip(sound, -1.0, 1.0), dtype=np.float32)

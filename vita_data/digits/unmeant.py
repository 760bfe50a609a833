"""Sound that is not meant for the model: noises, many people at once, speech that says nothing.

Those to train with and those to test with are of different kinds, so that a kind is not learned by heart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from vita_data.digits.perturb import another_place, at_level, hiss
from vita_data.digits.recordings import RATE, Recording, Sound
from vita_data.digits.strings import draw_string, said

Speakers = Mapping[str, Sequence[Recording]]
Maker = Callable[[Speakers, np.random.Generator], Sound]
ANSWER = "That was not meant for me."


def _seconds(random: np.random.Generator) -> int:
    return int(RATE * random.uniform(0.5, 2.5))


def _times(random: np.random.Generator) -> np.ndarray:
    return np.arange(_seconds(random)) / RATE


def _hiss(speakers: Speakers, random: np.random.Generator) -> Sound:
    return hiss(_seconds(random), random)


def _tune(speakers: Speakers, random: np.random.Generator) -> Sound:
    notes = [np.sin(2 * np.pi * random.uniform(200, 900) * _times(random)[: RATE // 5]) for _ in range(5)]
    return np.concatenate(notes).astype(np.float32)


def _rumble(speakers: Speakers, random: np.random.Generator) -> Sound:
    slow = np.interp(np.arange(_seconds(random)), np.arange(0, 3 * RATE, 400), random.normal(0, 1, 120))
    return slow.astype(np.float32)


def _crowd(speakers: Speakers, random: np.random.Generator) -> Sound:
    """Several people who talk at once."""
    heard = [said(draw_string(speakers, random), random) for _ in range(int(random.integers(3, 6)))]
    whole = np.zeros(max(map(len, heard)), dtype=np.float32)
    for sound in heard:
        whole[: len(sound)] += sound
    return whole


def _backwards(speakers: Speakers, random: np.random.Generator) -> Sound:
    """Somebody's speech from its end to its begin."""
    return np.ascontiguousarray(said(draw_string(speakers, random), random)[::-1])


def _hum(speakers: Speakers, random: np.random.Generator) -> Sound:
    times, base = _times(random), random.uniform(45, 130)
    waves = sum(np.sin(2 * np.pi * base * n * times) / n for n in range(1, 12))
    return np.asarray(waves, dtype=np.float32)


def _clicks(speakers: Speakers, random: np.random.Generator) -> Sound:
    sound = np.zeros(_seconds(random), dtype=np.float32)
    for place in random.integers(0, len(sound) - 200, int(random.integers(3, 12))):
        sound[place : place + 200] += random.normal(0, 1, 200) * np.exp(-np.arange(200) / 30)
    return sound


def _siren(speakers: Speakers, random: np.random.Generator) -> Sound:
    times = _times(random)
    pitch = 700 + 400 * np.sin(2 * np.pi * random.uniform(0.5, 3) * times)
    return np.sin(2 * np.pi * np.cumsum(pitch) / RATE).astype(np.float32)


TO_TRAIN: tuple[Maker, ...] = (_hiss, _tune, _rumble, _crowd, _backwards)
TO_TEST: tuple[Maker, ...] = (_hum, _clicks, _siren, _crowd, _backwards)


def unmeant(number: int, speakers: Speakers, random: np.random.Generator, test: bool) -> Sound:
    """The `number`-th sound that is not meant for the model; people's speech is every other one."""
    makers = TO_TEST if test else TO_TRAIN
    maker = makers[3 + number // 2 % 2] if number % 2 else makers[number // 2 % 3]
    sound = maker(speakers, random)
    return at_level(sound, random.uniform(0.1, 0.9)) if test else another_place(sound, random)

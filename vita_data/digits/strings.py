"""Digits one after the other by one speaker: what transcripts and voices are learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vita_data.digits.perturb import another_place, another_voice, at_level
from vita_data.digits.recordings import RATE, Recording, Sound, by_digit

MOST = 5
PAUSES = (0.02, 0.3)  # seconds before a digit
END = 0.1


def draw_string(
    speakers: Mapping[str, Sequence[Recording]], random: np.random.Generator, most: int = MOST
) -> list[Recording]:
    """One to `most` random digits of a random speaker."""
    names = sorted(speakers)
    there = by_digit(speakers[names[int(random.integers(len(names)))]])
    digits = random.integers(0, 10, int(random.integers(1, most + 1)))
    return [there[int(digit)][int(random.integers(len(there[int(digit)])))] for digit in digits]


def words_of(string: Sequence[Recording]) -> str:
    """What is said in it, in numerals."""
    return " ".join(str(recording.digit) for recording in string)


def laid(sounds: Sequence[Sound], random: np.random.Generator) -> Sound:
    """Sounds one after the other, each at a level of its own, with pauses between them."""
    parts: list[Sound] = []
    for sound in sounds:
        parts.append(np.zeros(int(random.uniform(*PAUSES) * RATE), dtype=np.float32))
        parts.append(at_level(sound, random.uniform(0.3, 0.9)))
    parts.append(np.zeros(int(END * RATE), dtype=np.float32))
    return np.concatenate(parts)


def said(string: Sequence[Recording], random: np.random.Generator) -> Sound:
    """A string as it was recorded."""
    return laid([recording.sound for recording in string], random)


def said_elsewhere(string: Sequence[Recording], random: np.random.Generator) -> Sound:
    """A string as another speaker in another place might say it."""
    voice = another_voice([recording.sound for recording in string], random)
    return another_place(laid(voice, random), random)

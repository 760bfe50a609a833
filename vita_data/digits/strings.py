"""Digits one after the other by one speaker: what transcripts and voices are learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vita_data.digits.perturb import another_place, another_voice, at_level, on_a_line
from vita_data.digits.recordings import RATE, Recording, Sound, by_digit

MOST = 5
LEVELS = (0.3, 0.9)  # of a digit's largest sample
STUDIO = (0.6, 0.6)
PAUSES = (0.02, 0.3)  # seconds between two digits
EDGES = (
    -0.15,
    0.3,
)  # seconds before the first and behind the last; nothing where less, as recordings may begin at once


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


def laid(sounds: Sequence[Sound], random: np.random.Generator, levels: tuple[float, float] = LEVELS) -> Sound:
    """Sounds one after the other, each at a level between two, with pauses between them and often around them."""
    parts = [_pause(EDGES, random)]
    for number, sound in enumerate(sounds):
        parts += [_pause(PAUSES, random)] if number else []
        parts.append(at_level(sound, random.uniform(*levels)))
    return np.concatenate([*parts, _pause(EDGES, random)])


def _pause(seconds: tuple[float, float], random: np.random.Generator) -> Sound:
    return np.zeros(max(0, int(random.uniform(*seconds) * RATE)), dtype=np.float32)


def said(string: Sequence[Recording], random: np.random.Generator) -> Sound:
    """A string as it was recorded."""
    return laid([recording.sound for recording in string], random)


def said_for_a_voice(string: Sequence[Recording], random: np.random.Generator) -> Sound:
    """A string as a speaker in a studio would say it: at one level, with a line's faint noise in its pauses."""
    return on_a_line(laid([recording.sound for recording in string], random, STUDIO), random)


def said_elsewhere(string: Sequence[Recording], random: np.random.Generator) -> Sound:
    """A string as another speaker in another place might say it."""
    voice = another_voice([recording.sound for recording in string], random)
    return another_place(laid(voice, random), random)

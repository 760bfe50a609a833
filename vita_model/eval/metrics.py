"""Errors of transcripts, shares that were right, and how sure either number is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jiwer
import numpy

from vita_data.records.key import keyed_hash
from vita_model.eval.words import plain_answer, plain_words

Z = 1.959963984540054  # of a normal distribution's middle 95 %
DRAWS = 1000
Interval = tuple[float, float]


@dataclass(frozen=True)
class Errors:
    """Edits that turn what was said into what was got, and what they are counted over; sums add up."""

    words: int = 0
    word_errors: int = 0
    characters: int = 0
    character_errors: int = 0

    def __add__(self, other: Errors) -> Errors:
        return Errors(
            self.words + other.words,
            self.word_errors + other.word_errors,
            self.characters + other.characters,
            self.character_errors + other.character_errors,
        )

    @property
    def wer(self) -> float | None:
        """Word errors a word; None over no words."""
        return self.word_errors / self.words if self.words else None

    @property
    def cer(self) -> float | None:
        """Character errors a character, spaces among them; None over none."""
        return self.character_errors / self.characters if self.characters else None


def errors(wanted: str, got: str, plain: Callable[[str], str] = plain_words) -> Errors:
    """Least edits (jiwer's) between two transcripts, both in their `plain` form."""
    said, heard = plain(wanted), plain(got)
    by_word = jiwer.process_words(said, heard)
    by_character = jiwer.process_characters(said, heard)
    return Errors(
        len(said.split()),
        by_word.substitutions + by_word.deletions + by_word.insertions,
        len(said),
        by_character.substitutions + by_character.deletions + by_character.insertions,
    )


def same_answer(wanted: str, got: str) -> bool:
    """Whether two answers are equal but for case, white space and final punctuation."""
    return plain_answer(wanted) == plain_answer(got)


def wilson(right: int, count: int) -> Interval | None:
    """The 95 % interval of a share (Wilson, 1927); None over nothing."""
    if not count:
        return None
    share, room = right / count, Z * Z / count
    middle = (share + room / 2) / (1 + room)
    half = Z * math.sqrt(share * (1 - share) / count + room / count / 4) / (1 + room)
    return 0.0 if not right else middle - half, 1.0 if right == count else middle + half


def resampled(
    wrong: Sequence[int], counts: Sequence[int], seed: int, groups: Sequence[str] | None = None
) -> Interval | None:
    """The 95 % interval of a ratio of sums, by drawing what it is over again: utterances, or whole groups of them.

    Utterances of one speaker resemble each other, so for a statement about speakers `groups` names theirs. The
    draws follow from the seed. None where nothing is counted.
    """
    names = list(range(len(wrong))) if groups is None else list(groups)
    if not sum(counts):
        return None
    order = {name: place for place, name in enumerate(dict.fromkeys(names))}
    sums = numpy.zeros((2, len(order)))
    for name, one, count in zip(names, wrong, counts, strict=True):
        sums[:, order[name]] += one, count
    draw = numpy.random.default_rng(keyed_hash(seed, "resample", str(len(order))))
    ratios = []
    for _ in range(DRAWS):
        errors_drawn, drawn = sums[:, draw.integers(0, len(order), len(order))].sum(axis=1)
        ratios.append(errors_drawn / drawn if drawn else 0.0)
    low, high = numpy.quantile(ratios, (0.025, 0.975))
    return float(low), float(high)

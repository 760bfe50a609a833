"""What a rule sees of a sample, and the shape of a rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from vita_data.records.reject import Reject

Turns = list[dict[str, str]]


@dataclass(frozen=True)
class Heard:
    """A sound of a sample as measured: `level` in decibels of full scale, `band` in hertz, the rest parts of 1."""

    seconds: float
    level: float
    clipped: float
    silent: float
    speech: float | None = None  # where somebody speaks; None where that was not measured
    band: float | None = None  # above which nothing is heard


@dataclass(frozen=True)
class Film:
    """A film of a sample: times of its frames in seconds, their perceptual hashes (None: nothing to see), and digests.

    `times` are those that were asked for; equal digests are one frame that stood on the screen at several of them.
    """

    times: list[float]
    hashes: list[int | None]
    digests: list[bytes] = field(default_factory=list)


@dataclass(frozen=True)
class Sample:
    """A sample as rules see it: its turns as they stand in the record, and what was measured of its media."""

    kind: str  # caption, qa, asr, tts or negative
    language: str  # en, zh or en-zh, as its record or its card says
    turns: Turns
    identified: tuple[str, float] | None = None  # the language its words are in, with the certainty
    sounds: list[Heard] = field(default_factory=list)
    films: list[Film] = field(default_factory=list)
    read: list[str] | None = None  # what an engine read in each picture; None where none was asked to

    @property
    def answers(self) -> list[str]:
        """What the model learns to say."""
        return [turn["value"] for turn in self.turns if turn["from"] == "gpt"]


@dataclass(frozen=True)
class Rule:
    """A rule by its name in the cards: the step it belongs to, and its function of a sample and the threshold."""

    name: str
    step: str  # signal, language or quality
    judge: Callable[[Sample, Any], Reject | None]

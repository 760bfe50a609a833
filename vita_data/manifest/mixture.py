"""A mixture card: which sources, in which order, with how many questions each, and for which geometry."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

from vita_data.manifest.geometry import Geometry
from vita_data.manifest.schedule import Schedule, ScheduleChange
from vita_data.manifest.speech import SpeechCard
from vita_data.manifest.values import Amount, Count, Hours, Name, Share, Text


@dataclass(frozen=True)
class MixtureSource:
    """One line of a mixture: a source with its questions, hours (speech) or clips (negatives; `all`: what was kept).

    An `optional` source whose folder is not there is left out aloud instead of stopping the build.
    """

    source: Name
    questions: Count | Literal["all"] | None = None
    hours: Hours | Literal["all"] | None = None
    clips: Count | Literal["all"] | None = None
    optional: bool = False
    note: Text | None = None

    @property
    def amount(self) -> Fraction | None:
        """How many questions, hours or clips are meant; None where it is all that the catalog kept."""
        stated = next((n for n in (self.questions, self.hours, self.clips) if n is not None), None)
        return None if stated in ("all", None) else Fraction(stated)


@dataclass(frozen=True)
class Holdout:
    """What every stage leaves for evaluation: a share of each source, and never fewer than `least` samples."""

    share: Share = Fraction(1, 100)
    least: Amount = 20


@dataclass(frozen=True)
class SpeechHours:
    """Hours of speech pairs as a whole, while no line of the mixture names their corpora."""

    asr: Hours | None = None
    tts: Hours | None = None


@dataclass(frozen=True)
class MixtureCard:
    """A mixture; `manifests/README.md` explains the keys. The order of `sources` decides among duplicates."""

    mixture: Name
    title: Text
    sources: tuple[MixtureSource, ...]
    path: Path
    generator: Name | None = None
    geometry: Geometry = field(default_factory=Geometry)
    shard_megabytes: Count = 256
    holdout: Holdout = field(default_factory=Holdout)
    training: ScheduleChange = field(default_factory=dict)
    hours: SpeechHours = field(default_factory=SpeechHours)
    speech: SpeechCard = field(default_factory=SpeechCard)

    def complaint(self) -> tuple[str, str] | None:
        """What the keys do not show one by one."""
        if not self.sources:
            return "sources", "sources is an empty list; name at least one source"
        seen: dict[str, int] = {}
        for n, line in enumerate(self.sources):
            if line.source in seen:
                first = seen[line.source] + 1
                return (
                    f"sources.{n}.source",
                    f"source {line.source} is already number {first} of the list; keep one",
                )
            if line.questions is None and line.hours is None and line.clips is None:
                return (
                    f"sources.{n}.source",
                    f"source {line.source} has no amount; add `questions:` with a number or all",
                )
            seen[line.source] = n
        return None

    def line(self, source: str) -> MixtureSource | None:
        """The line of a source, or None when the mixture does not name it."""
        return next((line for line in self.sources if line.source == source), None)

    def schedule(self, schedule: Schedule) -> Schedule:
        """A stage's schedule with this mixture's `training` values in place of its own."""
        return replace(schedule, **self.training)

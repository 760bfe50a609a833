"""A mixture card: which sources, in which order, with how many questions each, and for which geometry."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from vita_data.manifest.bind import SomeOf
from vita_data.manifest.change import StageChange, changed, with_training
from vita_data.manifest.geometry import Geometry
from vita_data.manifest.schedule import ScheduleChange
from vita_data.manifest.speech import SpeechCard
from vita_data.manifest.stage import StageCard
from vita_data.manifest.values import Amount, Count, Hours, Name, Share, Text
from vita_data.manifest.words import closest


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
class MixtureOption:
    """A named alternative to what the card says, with its reason; what it leaves out stays.

    `sources` puts another source into the line of one, at the same place and with the same amount.
    """

    reason: Text
    sources: dict[str, Name] = field(default_factory=dict)
    geometry: Annotated[dict[str, Any], SomeOf(Geometry)] = field(default_factory=dict)
    holdout: Annotated[dict[str, Any], SomeOf(Holdout)] = field(default_factory=dict)
    hours: Annotated[dict[str, Any], SomeOf(SpeechHours)] = field(default_factory=dict)
    speech: Annotated[dict[str, Any], SomeOf(SpeechCard)] = field(default_factory=dict)
    training: ScheduleChange = field(default_factory=dict)
    shard_megabytes: Count | None = None


@dataclass(frozen=True)
class MixtureCard:
    """A mixture; `manifests/README.md` explains the keys. The order of `sources` decides among duplicates.

    `curate` is whether samples are judged by rules and duplicates looked for.
    `benchmarks` are the cards, or all there are, of the evaluation sets that may not be trained on.
    `training` is what it sets in the schedule of every stage, `stages` what it sets of single ones, which comes last.
    """

    mixture: Name
    title: Text
    sources: tuple[MixtureSource, ...]
    path: Path
    generator: Name | None = None
    geometry: Geometry = field(default_factory=Geometry)
    shard_megabytes: Count = 256
    holdout: Holdout = field(default_factory=Holdout)
    training: ScheduleChange = field(default_factory=dict)
    stages: dict[str, StageChange] = field(default_factory=dict)
    hours: SpeechHours = field(default_factory=SpeechHours)
    speech: SpeechCard = field(default_factory=SpeechCard)
    curate: bool = True
    benchmarks: Literal["all"] | tuple[Name, ...] = ()
    options: dict[str, MixtureOption] = field(default_factory=dict)

    def complaint(self) -> tuple[str, str] | None:
        """What the keys do not show one by one."""
        said = (self._wrong_option(name) for name in self.options)
        return self._wrong_lines() or self._wrong_benchmarks() or next(filter(None, said), None)

    def with_option(self, name: str) -> MixtureCard:
        """The card with one of its named alternatives in place, under a name that tells it from the card without."""
        option = self.options[name]
        lines = (replace(line, source=option.sources.get(line.source, line.source)) for line in self.sources)
        return replace(
            self,
            mixture=f"{self.mixture}+{name}",
            sources=tuple(lines),
            geometry=replace(self.geometry, **option.geometry),
            holdout=replace(self.holdout, **option.holdout),
            hours=replace(self.hours, **option.hours),
            speech=replace(self.speech, **option.speech),
            training={**self.training, **option.training},
            shard_megabytes=option.shard_megabytes or self.shard_megabytes,
        )

    def _wrong_lines(self) -> tuple[str, str] | None:
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

    def _wrong_benchmarks(self) -> tuple[str, str] | None:
        for n, name in enumerate(self.benchmarks if self.benchmarks != "all" else ()):
            if name in self.benchmarks[:n]:
                return f"benchmarks.{n}", f"benchmark {name} stands twice in the list; keep one"
        return None

    def _wrong_option(self, name: str) -> tuple[str, str] | None:
        """An option that fits no line, or makes of the card what no card may say."""
        option, place = self.options[name], f"options.{name}"
        for old, new in option.sources.items():
            if self.line(old) is None:
                near = closest(old, (line.source for line in self.sources))
                advice = f"write {near}" if near else "write the source of one"
                return f"{place}.sources.{old}", f"source {old} is in no line of the mixture; {advice}"
            if self.line(new) is not None:
                return f"{place}.sources.{old}", f"source {new} has a line already; name one that has none"
        changed = self.with_option(name)
        if replace(changed, mixture=self.mixture) == self:
            return place, f"option {name} changes nothing; add the keys that differ"
        for key in ("geometry", "speech"):
            said = getattr(changed, key).complaint()
            if said is not None:
                return f"{place}.{key}.{said[0]}", said[1]
        return None

    def line(self, source: str) -> MixtureSource | None:
        """The line of a source, or None when the mixture does not name it."""
        return next((line for line in self.sources if line.source == source), None)

    def settle(self, stage: StageCard) -> StageCard:
        """The stage as this mixture has it: its `training` in every schedule, and over that what `stages` sets."""
        return changed(with_training(stage, self.training), self.stages.get(stage.stage, {}))

"""What the corpus holds, kept while it is made: good samples, planted rejects, oddities, and work for curation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any


@dataclass(frozen=True)
class Plant:
    """Something put in on purpose: `rule` is the reason for refusal, None where the record is kept."""

    kind: str
    rule: str | None
    note: str
    expected: dict[str, Any] | None = None


@dataclass(frozen=True)
class Fate:
    """What curation is to do with a record that a reader keeps: `rule` is why it leaves, None where it stays.

    `stays` is (source, native id) of the sample that a duplicate leaves for. `benchmark` is the one that is leaked,
    and `found` what of it is found, the part of the rule behind `leak_`; it is said of those that stay too.
    """

    kind: str
    rule: str | None
    note: str
    stays: tuple[str, Any] | None = None
    benchmark: str | None = None
    found: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Its part of the answer key."""
        said: dict[str, Any] = {"kind": self.kind, "rule": self.rule, "why": self.note}
        if self.stays is not None:
            said["stays"] = dict(zip(("source", "native_id"), self.stays, strict=True))
        if self.benchmark is not None:
            said |= {"benchmark": self.benchmark, "found": self.found}
        return said


@dataclass(frozen=True)
class Entry:
    """One record of an annotation file; bytes stand for a raw line, empty bytes for a blank one.

    Where the record is heard, its sound has `count` samples at `rate` a second.
    """

    record: Any
    questions: int = 1
    native_id: Any = None
    plant: Plant | None = None
    count: int = 0
    rate: int = 1
    fate: Fate | None = None

    @property
    def is_blank(self) -> bool:
        """Whether this is a blank line, which is no record."""
        return bool(self.record == b"")

    @property
    def is_good(self) -> bool:
        """Whether a reader is to keep it."""
        return not self.is_blank and (self.plant is None or self.plant.rule is None)


@dataclass
class SourceFacts:
    """The answer key of one source; positions count from 0 in each file, blank lines included.

    `seconds` are those of the sounds of the good records, before any resampling. `curated` are planted for curation:
    they are among the samples that a reader keeps, and `rule` says why they leave a build after that.
    """

    samples: int = 0
    questions: int = 0
    seconds: float = 0.0
    rejects: list[dict[str, Any]] = field(default_factory=list)
    awkward: list[dict[str, Any]] = field(default_factory=list)
    curated: list[dict[str, Any]] = field(default_factory=list)

    def add(self, annotation: str, entries: Sequence[Entry]) -> None:
        """Count the entries of one annotation file, in file order."""
        for position, entry in enumerate(entries):
            if entry.is_good:
                self.samples += 1
                self.questions += entry.questions
                self.seconds = round(self.seconds + entry.count / entry.rate, 6)
            where = {"annotation": annotation, "position": position}
            if entry.native_id is not None:
                where["native_id"] = entry.native_id
            if entry.plant is not None:
                self._plant(where, entry.plant)
            if entry.fate is not None:
                self.curated.append(where | entry.fate.to_json())

    def _plant(self, where: dict[str, Any], plant: Plant) -> None:
        if plant.rule is not None:
            self.rejects.append(where | {"rule": plant.rule, "kind": plant.kind, "why": plant.note})
            return
        expected = {} if plant.expected is None else {"expected": plant.expected}
        self.awkward.append(where | {"kind": plant.kind, "expectation": plant.note} | expected)


@dataclass(frozen=True)
class SampleFacts:
    """The answer key of the corpus, as `answer-key.json` holds it."""

    version: int
    chinese: bool
    font: str | None
    speech: str | None  # the version of the engine that spoke
    sources: dict[str, SourceFacts]

    def totals(self) -> dict[str, int]:
        """Sums over the sources."""
        every = list(self.sources.values())
        return {
            "samples": sum(facts.samples for facts in every),
            "questions": sum(facts.questions for facts in every),
            "rejects": sum(len(facts.rejects) for facts in every),
            "curated": sum(len(facts.curated) for facts in every),
            "kinds": len({plant["kind"] for facts in every for plant in facts.rejects + facts.awkward}),
        }

    def to_json(self) -> dict[str, Any]:
        """The JSON value of the file."""
        sources = {name: vars(facts) for name, facts in self.sources.items()}
        return {
            "version": self.version,
            "chinese": self.chinese,
            "font": self.font,
            "speech": self.speech,
            "sources": sources,
            "totals": self.totals(),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> SampleFacts:
        """The facts that `to_json` wrote."""
        sources = {name: SourceFacts(**facts) for name, facts in value["sources"].items()}
        return cls(value["version"], value["chinese"], value["font"], value["speech"], sources)


def spread(entries: Sequence[Entry], plants: Sequence[Entry], random: Random) -> list[Entry]:
    """Put the planted entries between the others, far from each other, in their order."""
    mixed = list(entries)
    step = len(mixed) / (len(plants) + 1)
    for number, plant in reversed(list(enumerate(plants, start=1))):
        mixed.insert(round(number * step + random.uniform(-0.3, 0.3) * step), plant)
    return mixed

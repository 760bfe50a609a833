"""Records as the catalog would judge them, tallied; of their media some are chosen to be opened."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, cast

from vita_data.catalog import read as catalog_read
from vita_data.catalog.media import MediaReader
from vita_data.catalog.task import CatalogTask
from vita_data.curate.structure import Turns
from vita_data.errors import RecordError
from vita_data.records.key import keyed_hash
from vita_data.records.reject import Reject
from vita_data.sources.base import Fault, Medium, Native

EXAMPLES = 3


@dataclass(frozen=True)
class Chosen:
    """A medium that is to be opened, and the record that has it."""

    annotation: str
    position: int
    number: int  # among the media of its record
    medium: Medium

    @property
    def place(self) -> str:
        """Where a person finds the record."""
        return place_of(self.annotation, self.position)


@dataclass
class Rule:
    """How often a rule refused a record, at which step, and where for example."""

    step: str
    count: int = 0
    examples: list[dict[str, str]] = field(default_factory=list)

    def add(self, place: str, message: str) -> None:
        """Counts one more; the first few are kept as examples."""
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append({"at": place, "words": message})


class Tally:
    """What the first records of a source are; `media` of them, chosen by a keyed hash, are kept to be opened."""

    def __init__(self, task: CatalogTask, media: int) -> None:
        self._task = task
        self._most = media
        self._chosen: list[tuple[int, int, Chosen]] = []
        self._ids: Counter[tuple[str, str]] = Counter()
        self.read = self.kept = self.questions = self.unwanted = 0
        self.without_id = self.texts = self.chinese = self.media = 0
        self.segments: list[float] = []
        self.rules: dict[str, Rule] = {}
        self.kinds: Counter[str] = Counter()

    def add(self, annotation: str, record: Native | Fault) -> None:
        """One more record."""
        self.read += 1
        if record.native_id is None:
            self.without_id += 1
        else:
            self._ids[annotation, record.native_id] += 1
        asked = _Asked()
        if isinstance(record, Fault):
            step, error = catalog_read.step_of(record), record.error
            row: dict[str, Any] = {"step": step, "rule": error.rule, "message": str(error)}
        else:
            row = catalog_read.judged(self._task, record, cast(MediaReader, asked))
        if row.get("rule") is not None:
            self.unwanted += row["step"] == "wanted"
            rule = self.rules.setdefault(row["rule"], Rule(row["step"]))
            rule.add(place_of(annotation, record.position), row["message"])
            return
        self.kept += 1
        self._count(asked.turns)
        for number, medium in enumerate(asked.media):
            self._choose(Chosen(annotation, record.position, number, medium))

    def _count(self, turns: Turns) -> None:
        self.questions += sum(turn["from"] == "gpt" for turn in turns)
        speech = self._task.kind in catalog_read.SPEECH
        words = [turn["value"] for turn in turns if turn["from"] == "gpt" or not speech]
        self.texts += 1
        self.chinese += is_chinese(" ".join(words))

    def _choose(self, chosen: Chosen) -> None:
        """Keeps the media of the smallest hashes, so that no more are held than will be opened."""
        self.media += 1
        self.kinds[chosen.medium.kind] += 1
        start, end = chosen.medium.start, chosen.medium.end
        if chosen.medium.kind == "audio" and end is not None and math.isfinite(end - (start or 0.0)):
            self.segments.append(end - (start or 0.0))
        rank = keyed_hash(0, "check", chosen.annotation, str(chosen.position), str(chosen.number))
        item = (-rank, self.media, chosen)
        if len(self._chosen) < self._most:
            heapq.heappush(self._chosen, item)
        elif self._most:
            heapq.heappushpop(self._chosen, item)

    @property
    def chosen(self) -> list[Chosen]:
        """The media to open, in the order of their records."""
        found = [chosen for _, _, chosen in self._chosen]
        return sorted(found, key=lambda each: (each.annotation, each.position, each.number))

    @property
    def doubled(self) -> list[str]:
        """The ids that more than one record of an annotation has."""
        return sorted(native_id for (_, native_id), count in self._ids.items() if count > 1)

    def refused(self, *steps: str) -> int:
        """How many records were refused at any of the steps."""
        return sum(rule.count for rule in self.rules.values() if rule.step in steps)


class _Asked:
    """Stands where media are opened, and notes which would be."""

    def __init__(self) -> None:
        self.media: list[Medium] = []
        self.turns: Turns = []

    def rows_or_text(
        self, position: int, media: list[Medium], turns: Turns
    ) -> tuple[list[dict[str, Any]], Turns]:
        """Opens nothing."""
        self.media, self.turns = media, turns
        return [], turns


def place_of(annotation: str, position: int) -> str:
    """A record as a person looks for it; positions count from 0, people from 1."""
    return f"{annotation}, record {position + 1}"


def is_chinese(text: str) -> bool:
    """Whether a text has Chinese characters."""
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def refusal(error: Exception) -> Reject:
    """The reject that an error in a medium stands for, as the catalog has it."""
    if isinstance(error, RecordError):
        return Reject.of(error)
    return Reject("not_a_record", f"the record is not made as a record is ({type(error).__name__}: {error}).")

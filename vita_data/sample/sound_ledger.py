"""The answer key of a source whose records are heard: how long the good ones are, beside how many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vita_data.sample.ledger import Entry, SourceFacts


@dataclass(frozen=True)
class Heard(Entry):
    """One record with the length of its sound: `count` samples at `rate` a second."""

    count: int = 0
    rate: int = 1


@dataclass
class SoundFacts(SourceFacts):
    """The answer key of one source; `seconds` are those of the sounds of the good records, before any resampling."""

    seconds: float = 0.0

    def add(self, annotation: str, entries: Sequence[Entry]) -> None:
        """Count the entries of one annotation file, in file order."""
        super().add(annotation, entries)
        heard = [entry for entry in entries if isinstance(entry, Heard) and entry.is_good]
        self.seconds = round(self.seconds + sum(entry.count / entry.rate for entry in heard), 6)

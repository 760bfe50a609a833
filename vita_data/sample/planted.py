"""Records planted for curation, with the files that belong to them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vita_data.records.key import sample_key
from vita_data.sample.ledger import Entry


@dataclass(frozen=True)
class Planted:
    """A record with its fate, and the files (path below the source's folder, content) that it brings along."""

    entry: Entry
    files: tuple[tuple[str, bytes], ...] = ()


def place(root: Path, planted: Sequence[Planted]) -> list[Entry]:
    """Writes the files below the folder of a source and returns the records."""
    for name, data in (file for one in planted for file in one.files):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return [one.entry for one in planted]


def later_id(source: str, annotation: str, name: str, than: str) -> str:
    """An id whose sample leaves for that of the id `than` where the two are duplicates: the one with the larger key."""
    first = sample_key(source, annotation, _as_text(than), 0)
    tried = (f"{name}-{number}" for number in itertools.count(1))
    return next(one for one in tried if sample_key(source, annotation, _as_text(one), 0) > first)


def _as_text(native_id: str) -> str:
    """An id as catalogs have it."""
    return json.dumps(native_id, ensure_ascii=False)

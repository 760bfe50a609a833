"""A few samples of a build's catalogs, found by their keys read a batch at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from vita_data import files
from vita_data.catalog.merge import part_name
from vita_data.report.traces import SourceTraces, Traces

BATCH_ROWS = 16_384
COLUMNS = ["key", "annotation", "position", "language", "record", "media"]
_PLACEHOLDER = re.compile("<(?:image|video|audio)>\n?")


@dataclass(frozen=True)
class Catalogued:
    """A sample as its catalog holds it; `media` are rows of `records.schema.MEDIUM`."""

    key: str
    source: str
    where: str
    language: str | None
    record: dict[str, Any]
    media: list[dict[str, Any]]

    @property
    def words(self) -> str:
        """All that is said in it, a paragraph for each turn that says something."""
        turns = (_PLACEHOLDER.sub("", turn["value"]).strip() for turn in self.record["conversations"])
        return "\n".join(filter(None, turns))

    @property
    def lang(self) -> str | None:
        """What a browser chooses its characters by."""
        return "zh" if self.language == "zh" else None


def find_samples(traces: Traces, keys: Iterable[str]) -> dict[str, Catalogued]:
    """The samples of these keys that the catalogs know; each part is looked through once."""
    wanted: dict[str, list[str]] = {}
    for key in sorted(set(keys)):
        wanted.setdefault(key[:-17], []).append(key)
    found: dict[str, Catalogued] = {}
    for name, source in traces.sources.items():
        if name in wanted:
            found |= _of_source(name, source, pa.array(wanted[name], pa.string()))
    return found


def _of_source(name: str, source: SourceTraces, wanted: pa.Array) -> dict[str, Catalogued]:
    found: dict[str, Catalogued] = {}
    for part in source.parts:
        path = files.join(source.catalog, part_name(part))
        here = pc.is_in(files.read_table(path, ["key"]).column("key"), value_set=wanted)
        found |= {
            row["key"]: _catalogued(name, row) for row in _rows(path, wanted, pc.sum(here).as_py() or 0)
        }
        if len(found) == len(wanted):
            break
    return found


def _rows(path: str, wanted: pa.Array, here: int) -> Iterator[dict[str, Any]]:
    """The rows of these keys, of which `here` lie in this table, read a batch at a time up to the last of them."""
    import pyarrow.parquet as pq

    if not here:
        return
    with files.open_read(path) as stream:
        table = pq.ParquetFile(stream, pre_buffer=False)
        for batch in table.iter_batches(BATCH_ROWS, columns=COLUMNS, use_threads=False):
            rows = pc.indices_nonzero(pc.is_in(batch.column("key"), value_set=wanted))
            yield from batch.take(rows).to_pylist()
            here -= len(rows)
            if not here:
                return


def _catalogued(source: str, row: dict[str, Any]) -> Catalogued:
    where = f"{row['annotation']}:{row['position']}"
    return Catalogued(
        row["key"], source, where, row["language"], json.loads(row["record"]), row["media"] or []
    )

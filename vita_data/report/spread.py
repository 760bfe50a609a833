"""How samples spread over shapes, lengths and languages: as catalogued, after curation, and as drawn.

One pass over the catalogs a part at a time, only the columns that are counted, and nothing kept but counts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vita_data import files
from vita_data.catalog.merge import part_name
from vita_data.report.traces import SourceTraces, Traces
from vita_data.shards.write import index_name
from vita_data.verdicts.signals import signals_name

SERIES = 3  # as catalogued, after curation, as drawn
ASPECTS = (1 / 3, 1 / 2, 2 / 3, 0.95, 1.05, 3 / 2, 2, 3)  # width by height
SECONDS = (1, 2, 5, 10, 20, 30, 60, 120)
MOST_TILES = 32
LENGTHS = 10  # equal parts of the longest sample that is allowed
_MEDIUM = ["kind", "part_of", "width", "height", "time", "samples", "rate"]
_COLUMNS = ["language", *(f"media.list.element.{name}" for name in _MEDIUM)]


def _counts(bins: int) -> Any:
    return np.zeros((SERIES, bins), np.int64)


@dataclass
class Spread:
    """Counts of three series: rows are the series, columns the bins; `languages` has a counter for each series."""

    samples: Any = field(default_factory=lambda: _counts(1))
    aspects: Any = field(default_factory=lambda: _counts(len(ASPECTS) + 1))
    tiles: Any = field(default_factory=lambda: _counts(MOST_TILES + 1))
    lengths: Any = field(default_factory=lambda: _counts(LENGTHS))
    sounds: Any = field(default_factory=lambda: _counts(len(SECONDS) + 1))
    films: Any = field(default_factory=lambda: _counts(len(SECONDS) + 1))
    languages: list[Counter[str]] = field(default_factory=lambda: [Counter() for _ in range(SERIES)])


def spread_of(traces: Traces, folder: str, shards: int, geometry: dict[str, Any]) -> Spread:
    """Counts all sources of a stage whose plan says this `geometry`."""
    drawn = _drawn(folder, shards)
    spread = Spread()
    for name, source in traces.sources.items():
        for part in source.parts:
            _add_part(spread, source, part, drawn.get(name, np.zeros(0, np.uint64)), geometry)
    return spread


def hashes(keys: pa.Array | pa.ChunkedArray) -> Any:
    """The numbers in which keys end, uint64, in their order."""
    ends = pc.utf8_slice_codeunits(keys, -16).cast(pa.binary()).cast(pa.binary(16))
    ends = ends.combine_chunks() if isinstance(ends, pa.ChunkedArray) else ends
    digits = np.frombuffer(ends.buffers()[1], np.uint8)[16 * ends.offset :][: 16 * len(ends)].reshape(-1, 16)
    values = np.where(digits > ord("9"), digits - (ord("a") - 10), digits - ord("0")).astype(np.uint8)
    return ((values[:, ::2] << 4) | values[:, 1::2]).copy().view(">u8").astype(np.uint64).ravel()


def _drawn(folder: str, shards: int) -> dict[str, Any]:
    """For each source the hashes of its samples in the shards, sorted: 8 bytes a sample."""
    found: dict[str, list[Any]] = {}
    for number in range(shards):
        table = files.read_table(files.join(folder, "index", index_name(number)), ["key", "source"])
        for source in pc.unique(table.column("source")).to_pylist():
            own = table.filter(pc.equal(table.column("source"), source))
            found.setdefault(source, []).append(hashes(own.column("key")))
    return {source: np.sort(np.concatenate(some)) for source, some in found.items()}


def _add_part(spread: Spread, source: SourceTraces, part: int, drawn: Any, geometry: dict[str, Any]) -> None:
    catalog = files.read_table(files.join(source.catalog, part_name(part)), _COLUMNS)
    measured = files.read_table(
        files.join(source.measured, part_name(part)), ["key", "row", "length", "grids"]
    )
    kept = files.read_table(files.join(source.kept, part_name(part)), ["row"])
    rows = measured.column("row").to_numpy()
    inside = np.zeros((SERIES, len(catalog)), bool)
    inside[0, rows] = True
    inside[1, kept.column("row").to_numpy()] = True
    inside[2, rows[np.isin(hashes(measured.column("key")), drawn)]] = True
    spread.samples[:, 0] += inside.sum(axis=1)
    _add_measures(spread, measured, inside[:, rows], geometry)
    _add_media(spread, catalog.column("media").combine_chunks(), inside)
    _add_languages(spread, source, part, catalog.column("language").combine_chunks(), inside)


def _add_measures(spread: Spread, measured: pa.Table, inside: Any, geometry: dict[str, Any]) -> None:
    lengths = measured.column("length").to_numpy().astype(np.int64)
    _add(spread.lengths, np.minimum(lengths * LENGTHS // (geometry["max_length"] + 1), LENGTHS - 1), inside)
    grids = measured.column("grids").combine_chunks()
    flat = grids.flatten()
    cells = [flat.field(name).to_numpy(zero_copy_only=False).astype(np.int64) for name in ("cols", "rows")]
    tiles = cells[0] * cells[1]
    tiles += geometry["thumbnail"] & (tiles > 1)  # a picture of several cells has a thumbnail as well
    _add(spread.tiles, np.minimum(tiles, MOST_TILES), inside[:, pc.list_parent_indices(grids).to_numpy()])


def _add_media(spread: Spread, media: pa.Array, inside: Any) -> None:
    owners = pc.list_parent_indices(media).to_numpy()
    flat = media.flatten()
    column = {name: flat.field(name) for name in _MEDIUM}
    pictures, frames, sounds = (
        np.flatnonzero(np.asarray(pc.equal(column["kind"], kind)))
        for kind in ("image", "video-frame", "audio")
    )
    width, height, rate, samples, time, film = (
        column[name].to_numpy(zero_copy_only=False)
        for name in ("width", "height", "rate", "samples", "time", "part_of")
    )
    shapes = np.searchsorted(ASPECTS, width[pictures] / height[pictures], "right")
    _add(spread.aspects, shapes, inside[:, owners[pictures]])
    seconds = np.searchsorted(SECONDS, samples[sounds] / rate[sounds], "right")
    _add(spread.sounds, seconds, inside[:, owners[sounds]])
    if len(frames):
        # Frames of a film follow one another in time, so the last one before another film says how long it is.
        names = np.stack([owners[frames], film[frames].astype(np.int64)])
        last = frames[np.append((names[:, 1:] != names[:, :-1]).any(axis=0), True)]
        _add(spread.films, np.searchsorted(SECONDS, time[last], "right"), inside[:, owners[last]])


def _add_languages(spread: Spread, source: SourceTraces, part: int, said: pa.Array, inside: Any) -> None:
    """Counts the languages that were identified, and of words too few for that the catalog's."""
    if source.signals is not None:
        seen = files.read_table(files.join(source.signals, signals_name(part)), ["language"])
        said = pc.coalesce(seen.column("language").combine_chunks(), said)
    for counter, mask in zip(spread.languages, inside, strict=True):
        for row in pc.value_counts(said.filter(pa.array(mask))).to_pylist():
            counter[row["values"] or ""] += row["counts"]


def _add(counts: Any, bins: Any, inside: Any) -> None:
    for series, mask in zip(counts, inside, strict=True):
        series += np.bincount(bins[mask], minlength=len(series))

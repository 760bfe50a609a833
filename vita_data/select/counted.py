"""What a build has already counted of its sources: the figures that planning prefers to estimates."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa

from vita_data import files
from vita_data.catalog.merge import part_name
from vita_data.manifest.geometry import Geometry
from vita_data.manifest.mixture import MixtureCard
from vita_data.manifest.source import SourceCard
from vita_data.select.holdout import TRAIN, HoldOut, hold_out_of
from vita_data.select.stage import Source, unit_size

MEASURED = "measured.json"
FIGURES = ("samples", "questions", "hours", "bytes", "tokens")


def note_measured(source: Source, geometry: Geometry) -> None:
    """Writes beside what curation left of a source that it is all there, and of what.

    What other thresholds left of the same catalog is no longer what the next stage would be drawn from.
    """
    path = files.join(source.measures, MEASURED)
    facts = {"catalog": source.catalog_digest, "geometry": geometry.digest(), "parts": source.parts}
    out, _, name = source.measures.rsplit("/", 2)
    for other in files.matching(out, f"*/{name}/{MEASURED}"):
        other = files.join(out, other)
        if other != path and files.read_json(other) == facts:
            files.remove(other)
    if not files.exists(path):
        files.write_json(path, facts)


def counted_sources(
    out: str, mixture: MixtureCard, cards: dict[str, SourceCard], hears: bool
) -> dict[str, dict[str, Any]]:
    """Samples, questions, hours, bytes and tokens of each source that a build has catalogued.

    Where they were measured for this geometry these are the samples that a stage may draw which `hears` or does
    not, the held-out ones left out, and bytes as they stand in shards; else all that the catalog kept, and tokens
    are None.
    """
    found: dict[str, dict[str, Any]] = {}
    measured: dict[str, pa.Table] = {}
    sizes = {name: unit_size(card) for name, card in cards.items()}
    for name in sizes:
        path = files.join(out, "catalog", name, "source.json")
        if files.exists(path):
            summary = files.read_json(path)
            hours = Fraction(summary["sound_samples"], sizes[name])
            kept = [summary["kept"], summary["questions"], hours, summary["bytes"], None]
            found[name] = dict(zip(FIGURES, kept, strict=True))
            table = _measures(out, name, summary["content"], mixture.geometry.digest())
            if table is not None:
                measured[name] = table
    columns = ([table.column("hold").combine_chunks()] for table in measured.values())
    rule = replace(hold_out_of(columns, float(mixture.holdout.share), mixture.holdout.least), hears=hears)
    return found | {name: _drawable(table, rule, sizes[name]) for name, table in measured.items()}


def _measures(out: str, name: str, catalog: str, geometry: str) -> pa.Table | None:
    for path in files.matching(out, f"curate/*/{name}/{MEASURED}"):
        facts = files.read_json(files.join(out, path))
        if (facts["catalog"], facts["geometry"]) == (catalog, geometry):
            folder = files.join(out, path.removesuffix(f"/{MEASURED}"))
            columns = ["hold", "questions", "sound_samples", "bytes", "length"]
            tables = [files.read_table(files.join(folder, part_name(n)), columns) for n in facts["parts"]]
            return pa.concat_tables(tables) if tables else None
    return None


def _drawable(table: pa.Table, rule: HoldOut, size: int) -> dict[str, Any]:
    mask = rule.places(table) == TRAIN
    columns = ("questions", "sound_samples", "bytes", "length")
    questions, heard, *rest = (int(table.column(name).to_numpy()[mask].sum()) for name in columns)
    figures = [int(np.count_nonzero(mask)), questions, Fraction(heard, size), *rest]
    return dict(zip(FIGURES, figures, strict=True))

"""What a build has already counted of its sources: the figures that planning prefers to estimates."""

from __future__ import annotations

from typing import Any

from vita_data import files
from vita_data.manifest.geometry import Geometry

TOTALS = "totals.json"


def counted_sources(out: str, names: list[str], geometry: Geometry) -> dict[str, dict[str, Any]]:
    """Samples, questions and bytes of each catalogued source; tokens too when they were counted for this geometry."""
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        path = files.join(out, "catalog", name, "source.json")
        if files.exists(path):
            summary = files.read_json(path)
            figures = {
                "samples": summary["kept"],
                "questions": summary["questions"],
                "bytes": summary["bytes"],
            }
            found[name] = {**figures, "tokens": _tokens(out, name, summary["content"], geometry.digest())}
    return found


def _tokens(out: str, name: str, catalog: str, geometry: str) -> int | None:
    for path in files.matching(out, f"curate/*/{name}/{TOTALS}"):
        totals = files.read_json(files.join(out, path))
        if (totals["catalog"], totals["geometry"]) == (catalog, geometry):
            return int(totals["tokens"])
    return None

"""What was found of benchmarks in the sources of a stage: counted part by part, with a few of each kind kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from vita_data import files
from vita_data.report.traces import Traces, keyed
from vita_data.verdicts.finding import ORDER
from vita_data.verdicts.leaks import found_name

GROUP = ["benchmark", "how", "removes"]


@dataclass
class Line:
    """What was found of one benchmark in one way: how many samples may not stay for it, and how many only have it."""

    benchmark: str
    how: str
    removing: int = 0
    reported: int = 0


@dataclass
class Findings:
    """All lines, sorted by benchmark and kind, and rows of FOUND as examples.

    A sample is counted once with each benchmark, in the way that says most.
    """

    lines: list[Line] = field(default_factory=list)
    examples: list[dict[str, Any]] = field(default_factory=list)


def findings_of(traces: Traces, most: int) -> Findings:
    """The findings in all sources, with `most` examples of each kind in each benchmark: of the smallest hashes."""
    lines: dict[tuple[str, str], Line] = {}
    examples: dict[tuple[str, str, bool], list[dict[str, Any]]] = {}
    for source in traces.sources.values():
        for part in source.parts if source.leaks is not None else ():
            found = files.read_table(files.join(source.leaks or "", found_name(part)))
            _count(found, lines)
            _choose(found, examples, most)
    ordered = sorted(examples.items(), key=lambda item: (item[0][0], ORDER.index(item[0][1]), not item[0][2]))
    return Findings(
        sorted(lines.values(), key=lambda line: (line.benchmark, ORDER.index(line.how))),
        [row for _, rows in ordered for row in rows],
    )


def _count(found: pa.Table, lines: dict[tuple[str, str], Line]) -> None:
    for row in found.group_by(GROUP, use_threads=False).aggregate([("key", "count")]).to_pylist():
        line = lines.setdefault((row["benchmark"], row["how"]), Line(row["benchmark"], row["how"]))
        line.removing += row["key_count"] * row["removes"]
        line.reported += row["key_count"] * (not row["removes"])


def _choose(found: pa.Table, examples: dict[tuple[str, str, bool], list[dict[str, Any]]], most: int) -> None:
    found = found.append_column("hash", pc.utf8_slice_codeunits(found.column("key"), -16)).sort_by("hash")
    for group in found.group_by(GROUP, use_threads=False).aggregate([]).to_pylist():
        own = pc.field("benchmark") == group["benchmark"]
        own = own & (pc.field("how") == group["how"]) & (pc.field("removes") == group["removes"])
        rows = found.filter(own).slice(0, most).to_pylist()
        known = examples.setdefault((group["benchmark"], group["how"], group["removes"]), [])
        known[:] = sorted([*known, *rows], key=lambda row: keyed(row["key"]))[:most]

"""What was found of benchmarks, summed for people: how often, what it removed, and the evidence side by side."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from vita_data import files
from vita_data.verdicts.finding import FOUND, ORDER, RECORDING
from vita_data.verdicts.leaks import found_name

EXAMPLES = 3  # of each kind of finding in each benchmark


def found_in(folders: dict[str, str], parts: dict[str, list[int]], benchmarks: list[str]) -> dict[str, Any]:
    """{benchmarks: [{benchmark, <how>: count ..., removed, reported, examples}], removed}, from folders by source.

    There is a line for each of the benchmarks that were looked for. A sample is counted once with each benchmark,
    and once in the last `removed`, which has those too that leave by a rule or as a duplicate anyway.
    """
    tables = [
        files.read_table(files.join(folder, found_name(part)))
        for source, folder in folders.items()
        for part in parts[source]
    ]
    rows = pa.concat_tables([FOUND.empty_table(), *tables]).to_pylist()
    lines = {name: _line(name) for name in sorted(benchmarks)}
    for row in rows:
        line = lines[row.pop("benchmark")]
        line[row["how"]] += 1
        line["removed" if row["removes"] else "reported"] += 1
        if sum(other["how"] == row["how"] for other in line["examples"]) < EXAMPLES:
            line["examples"].append(row)
    for line in lines.values():
        line["examples"].sort(key=lambda row: ORDER.index(row["how"]))
    return {
        "benchmarks": list(lines.values()),
        "removed": len({row["key"] for row in rows if row["removes"]}),
    }


def _line(benchmark: str) -> dict[str, Any]:
    return {"benchmark": benchmark, **dict.fromkeys(ORDER, 0), "removed": 0, "reported": 0, "examples": []}


def measured_words(row: dict[str, Any]) -> list[str]:
    """What was measured of a finding, in words."""
    if row["how"] == RECORDING:
        return [
            f"{row['seconds']:.1f} s are one recording",
            f"from {row['at']:.1f} s on in ours and {row['begin']:.1f} s in theirs",
            f"{row['score']:.0%} of the bits equal",
        ]
    words = []
    if row["distance"] is not None:
        words.append(f"{row['distance']} of 64 bits of the {'mirrored ' * row['mirrored']}picture differ")
    if row["score"] is not None:
        words.append(f"{row['score']:.0%} of what the question says")
    return words

"""What was found of benchmarks, summed for people: how often, what it removed, and the evidence side by side."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from vita_data import files
from vita_data.verdicts.leaks import FOUND, ORDER, found_name

EXAMPLES = 3  # of each kind of finding in each benchmark


def found_in(folders: dict[str, str], parts: dict[str, list[int]]) -> dict[str, Any]:
    """{benchmarks: [{benchmark, <how>: count ..., removed, examples}], removed}, from folders by source.

    A sample that leaves for two benchmarks is counted with each, and once in `removed`; so is one that leaves anyway.
    """
    tables = [
        files.read_table(files.join(folder, found_name(part)))
        for source, folder in folders.items()
        for part in parts[source]
    ]
    rows = pa.concat_tables([FOUND.empty_table(), *tables]).to_pylist()
    lines: dict[str, dict[str, Any]] = {}
    for row in rows:
        name = row["benchmark"]
        empty = {"benchmark": name, **dict.fromkeys(ORDER, 0), "removed": set(), "examples": []}
        line = lines.setdefault(name, empty)
        line[row["how"]] += 1
        if row["removes"]:
            line["removed"].add(row["key"])
        if sum(other["how"] == row["how"] for other in line["examples"]) < EXAMPLES:
            line["examples"].append({name: value for name, value in row.items() if name != "benchmark"})
    removed = {row["key"] for row in rows if row["removes"]}
    said = [{**line, "removed": len(line["removed"])} for _, line in sorted(lines.items())]
    return {"benchmarks": said, "removed": len(removed)}

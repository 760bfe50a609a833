"""The rejects of a finished stage as a list, and having those read again whose cause can pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pyarrow.compute as pc

from vita_data import files
from vita_data.catalog.merge import rejects_name
from vita_data.errors import UsageError
from vita_data.shards.seal import read_stage

# What a full disk, a lost connection or a crowded machine can be to blame for, and a later build need not meet.
CAN_PASS = ("media_missing", "media_unreadable", "worker_died", "medium_changed")


def rejects_of(
    out: str, stage: str, rule: str | None = None, source: str | None = None
) -> Iterator[dict[str, Any]]:
    """The rows of a stage's rejects, source by source in the order of the mixture, each by key.

    `rule` is a rule or `step/rule`. Raises UsageError for a source or a rule that refused nothing there.
    """
    folder = files.join(out, "stages", stage)
    _, facts = read_stage(folder)
    lines = [line for line in facts["sources"] if source in (None, line["source"])]
    if not lines:
        named = ", ".join(line["source"] for line in facts["sources"])
        raise UsageError(f"stage {stage} has no source {source}; it has {named}.")
    rules = sorted({name for line in lines for name in line["rejected"]})
    wanted = [name for name in rules if rule in (None, name, name.rpartition("/")[2])]
    if rule is not None and not wanted:
        raise UsageError(
            f"no reject of stage {stage} broke {rule}; the rules that were broken: {', '.join(rules)}."
        )
    for line in lines:
        if any(name in line["rejected"] for name in wanted):
            yield from _rows(files.join(folder, "rejects", f"{line['source']}.parquet"), rule)


def causes(folders: list[str], parts: list[int]) -> dict[str, int]:
    """How many samples each `step/rule` took, by the rejects of these parts in all folders; the commonest first."""
    counts: Counter[str] = Counter()
    for path in (files.join(folder, rejects_name(part)) for folder in folders for part in parts):
        table = files.read_table(path, ["step", "rule"])
        names = pc.binary_join_element_wise(table.column("step"), table.column("rule"), "/")
        counts.update(names.to_pylist())
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _rows(path: str, rule: str | None) -> Iterator[dict[str, Any]]:
    for batch in files.read_table(path).to_batches(max_chunksize=4096):
        if rule is not None:
            full = pc.binary_join_element_wise(batch.column("step"), batch.column("rule"), "/")
            batch = batch.filter(pc.or_(pc.equal(full, rule), pc.equal(batch.column("rule"), rule)))
        yield from batch.to_pylist()


def read_again(out: str, rows: list[dict[str, Any]]) -> list[str]:
    """Has the next build read the sources of these rejects again; returns their names.

    Takes only rejects whose cause can pass; a source is read as a whole, and what was kept keeps its key.
    """
    sources = sorted({row["source"] for row in rows if row["rule"] in CAN_PASS})
    for source in sources:
        files.remove(files.join(out, "catalog", source, "source.json"))
    return sources

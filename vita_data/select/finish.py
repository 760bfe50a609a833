"""The end of a stage: rejects beside the shards, `stage.json` last, and nothing from an earlier build left.

`stage.json` sums what the shards' own facts and the plan say; `prove` recounts it all from the tar bytes.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from vita_data import files
from vita_data.catalog.merge import rejects_name
from vita_data.records.canon import canonical
from vita_data.records.schema import REJECTS, REJECTS_VERSION
from vita_data.select.stage import Source
from vita_data.shards.write import index_name, shard_name

# How often each (step, rule) cost a source a record.
Funnel = dict[str, int]


def write_rejects(folder: str, sources: list[Source], late: list[dict[str, Any]]) -> dict[str, Funnel]:
    """Writes `rejects/<source>.parquet` for each source; returns its rejects counted by step/rule."""
    funnels: dict[str, Funnel] = {}
    for source in sources:
        name = source.card.source
        tables = [
            files.read_table(files.join(place, rejects_name(part)))
            for place in (source.catalog, source.measures)
            for part in source.parts
        ]
        tables.append(pa.Table.from_pylist([row for row in late if row["source"] == name], REJECTS))
        table = pa.concat_tables([table.replace_schema_metadata(None) for table in tables]).sort_by("key")
        path = files.join(folder, "rejects", f"{name}.parquet")
        files.write_table(
            path, table.replace_schema_metadata({"vita": canonical({"version": REJECTS_VERSION})})
        )
        steps = pc.binary_join_element_wise(table.column("step"), table.column("rule"), "/")
        funnels[name] = {row["values"]: row["counts"] for row in pc.value_counts(steps).to_pylist()}
    return funnels


def count_index(folder: str, shards: int) -> dict[str, dict[str, Any]]:
    """What the index of a stage holds of each source: samples, questions and tokens."""
    counted: dict[str, dict[str, Any]] = {}
    columns = ["questions", "text_tokens", "visual_tokens", "audio_tokens"]
    for number in range(shards):
        table = files.read_table(
            files.join(folder, "index", index_name(number)), ["source", "key", *columns, "seconds"]
        )
        sums = table.group_by("source").aggregate(
            [("key", "count"), *((name, "sum") for name in (*columns, "seconds"))]
        )
        for row in sums.to_pylist():
            into = counted.setdefault(row["source"], dict.fromkeys(("samples", *columns), 0) | {"hours": 0.0})
            into["samples"] += row["key_count"]
            into["hours"] += row["seconds_sum"] / 3600
            for name in columns:
                into[name] += row[f"{name}_sum"]
    return counted


def remove_surplus(folder: str, shards: int, windows: int) -> None:
    """Removes shards, indexes and packs that an earlier build of this folder had more of."""
    kept = {
        "shards": {shard_name(number) for number in range(shards)},
        "index": {index_name(number) for number in range(shards)},
        "packs": {index_name(number) for number in range(windows)},
    }
    for part, names in kept.items():
        for name in files.matching(files.join(folder, part), "*"):
            if name not in names:
                files.remove(files.join(folder, part, name))


def looks_whole(folder: str, facts: dict[str, Any]) -> bool:
    """Whether every file that `stage.json` speaks of is there, shards at their size; bytes are for `prove`."""
    inner = files.join(folder, "eval")
    held = files.join(inner, "stage.json")
    shards = [(folder, shard) for shard in facts["shards"]]
    if files.exists(inner):
        if not files.exists(held):
            return False
        shards += [(inner, shard) for shard in files.read_json(held)["shards"]]
    wanted = [files.join(folder, "packs", index_name(n)) for n in range(facts["packs"]["windows"])]
    wanted += [files.join(place, "index", index_name(shard["number"])) for place, shard in shards]
    wanted.append(files.join(folder, "report.html"))
    tars = [(files.join(place, "shards", shard_name(s["number"])), s["bytes"]) for place, s in shards]
    return all(files.exists(path) for path in wanted) and all(
        files.exists(tar) and files.identity(tar)["size"] == size for tar, size in tars
    )


def summary(
    plan: dict[str, Any],
    shards: list[dict[str, Any]],
    sources: list[dict[str, Any]],
    packs: dict[str, Any],
    late: list[dict[str, Any]],
    versions: dict[str, str],
) -> dict[str, Any]:
    """What `stage.json` says."""
    totals = {
        name: sum(source["written"][name] for source in sources)
        for name in ("samples", "questions", "text_tokens", "visual_tokens", "audio_tokens", "hours")
    }
    return {
        "stage": plan["stage"],
        "mixture": plan["mixture"],
        "seed": plan["seed"],
        "digest": plan["digest"],
        "totals": {
            **totals,
            "bytes": sum(shard["bytes"] for shard in shards),
            "rejected": sum(sum(source["rejected"].values()) for source in sources),
        },
        "sources": sources,
        "shards": shards,
        "packs": packs,
        "late": late,
        "versions": versions,
    }


def source_summary(
    plan: dict[str, Any], read: int, rejected: Funnel, held: tuple[int, int], written: Any
) -> dict[str, Any]:
    """The funnel of one source: read = kept + rejected, kept = available + held out + between; and what was written."""
    empty = dict.fromkeys(("samples", "questions", "text_tokens", "visual_tokens", "audio_tokens"), 0) | {
        "hours": 0.0
    }
    return {
        **{
            name: plan[name]
            for name in ("source", "unit", "share", "asked", "available", "planned", "planned_samples")
        },
        "available_samples": plan["available_samples"],
        "read": read,
        "rejected": rejected,
        "kept": read - sum(rejected.values()),
        "held_out": held[0],
        "between": held[1],
        "written": written or empty,
    }

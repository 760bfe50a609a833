"""The two ends of writing a stage: `stage.json` is removed first and written last, and nothing earlier is left.

`stage.json` sums what the shards' own facts and the plan say; `prove` recounts it all from the tar bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from vita_data import files
from vita_data.catalog.merge import rejects_name
from vita_data.errors import VitaError
from vita_data.records.canon import canonical
from vita_data.records.schema import REJECTS, REJECTS_VERSION
from vita_data.select.stage import Source
from vita_data.shards import seal
from vita_data.shards.write import index_name, shard_name


@dataclass(frozen=True)
class Spoken:
    """Of one source: how many questions are spoken, and why those before the last of them in the order are not."""

    spoken: int = 0
    unspoken: dict[str, int] = field(default_factory=dict)


NOTHING_SPOKEN = Spoken()

# How often each (step, rule) cost a source a record.
Funnel = dict[str, int]


def finished(
    folder: str,
    plan: dict[str, Any],
    summaries: dict[str, dict[str, Any]],
    late: list[dict[str, Any]],
    ledger: dict[str, Any],
    benchmarks: dict[str, Any] | None = None,
) -> dict[str, Any] | None:
    """What stage.json says when this very stage lies there whole, else None.

    The plan holds all that shards and packs depend on; rejects and reports depend on the catalogs'
    `summaries`, on the late rejects, on the `ledger` of licences and on the `benchmarks` that were looked for too.
    """
    facts = seal.trusted(folder, seal.FACTS)
    if facts is None or facts["digest"] != plan["digest"]:
        return None
    if facts["late"] != late or facts["ledger"] != ledger or facts.get("benchmarks") != benchmarks:
        return None
    if any(_said_of(line) != _said_of(_inputs(summaries[line["source"]])) for line in facts["sources"]):
        return None
    return facts if looks_whole(folder, facts) else None


def _inputs(summary: dict[str, Any]) -> dict[str, Any]:
    """What a stage takes over from the summary of a catalog."""
    return {
        "read": summary["read"],
        "catalog": summary["content"],
        "rejects_digest": summary.get("rejects_digest"),
        "archives": summary.get("archives", []),
    }


def _said_of(line: dict[str, Any]) -> list[Any]:
    return [line.get(name) for name in ("read", "catalog", "rejects_digest", "archives")]


def looks_whole(folder: str, facts: dict[str, Any]) -> bool:
    """Whether plan.json is that of stage.json, every file is what it says (shards by their size), and none is over."""
    plan = seal.trusted(folder, seal.PLAN)
    if plan is None or plan["digest"] != facts["digest"]:
        return False
    return not seal.broken_files(folder, facts) and not seal.surplus_files(folder, facts)


def begin(folder: str, plan: dict[str, Any]) -> None:
    """Makes a folder one that is being written: no stage.json, none of the files that are broken, the new plan."""
    facts = seal.trusted(folder, seal.FACTS)
    broken = seal.broken_files(folder, facts) if facts is not None else []
    try:
        for name in (seal.FACTS, seal.EVAL_FACTS, *broken):
            files.remove(files.join(folder, name))
        files.remove_unfinished(folder)
    except OSError as error:
        raise VitaError(
            f"{folder} cannot be written ({error.strerror or error}); mend that or choose another --out."
        ) from error
    files.write_json(files.join(folder, seal.PLAN), plan)


def rejects_file(source: str) -> str:
    """The name of the table of a source's rejects."""
    return f"{source}.parquet"


def write_rejects(folder: str, sources: list[Source], late: list[dict[str, Any]]) -> dict[str, Funnel]:
    """Writes `rejects/<source>.parquet` for each source; returns its rejects counted by step/rule.

    A late reject that was refused for another reason, by cards that changed since, is counted once, for that.
    """
    funnels: dict[str, Funnel] = {}
    for source in sources:
        name = source.card.source
        tables = [
            files.read_table(files.join(place, rejects_name(part)))
            for place in (source.catalog, source.measures)
            for part in source.parts
        ]
        plain = [table.replace_schema_metadata(None) for table in tables]
        refused = pa.concat_tables([REJECTS.empty_table(), *plain])  # a source can have no parts at all
        lost = pa.Table.from_pylist([row for row in late if row["source"] == name], REJECTS)
        lost = lost.filter(pc.invert(pc.is_in(lost.column("key"), refused.column("key").combine_chunks())))
        table = pa.concat_tables([refused, lost]).sort_by("key")
        path = files.join(folder, "rejects", rejects_file(name))
        files.write_table(
            path, table.replace_schema_metadata({"vita": canonical({"version": REJECTS_VERSION})})
        )
        steps = pc.binary_join_element_wise(table.column("step"), table.column("rule"), "/")
        funnels[name] = {row["values"]: row["counts"] for row in pc.value_counts(steps).to_pylist()}
    return funnels


# What the index says of every sample beside its place, and can be summed.
COUNTED = ("questions", "sound_samples", "text_tokens", "visual_tokens", "audio_tokens")


def count_index(folder: str, shards: int) -> dict[str, dict[str, Any]]:
    """What the index of a stage holds of each source: samples, questions and tokens."""
    counted: dict[str, dict[str, Any]] = {}
    for number in range(shards):
        table = files.read_table(
            files.join(folder, "index", index_name(number)), ["source", "key", *COUNTED, "seconds"]
        )
        sums = table.group_by("source").aggregate(
            [("key", "count"), *((name, "sum") for name in (*COUNTED, "seconds"))]
        )
        for row in sums.to_pylist():
            into = counted.setdefault(row["source"], dict.fromkeys(("samples", *COUNTED), 0) | {"hours": 0.0})
            into["samples"] += row["key_count"]
            into["hours"] += row["seconds_sum"] / 3600
            for name in COUNTED:
                into[name] += row[f"{name}_sum"]
    return counted


def remove_surplus(folder: str, shards: int, windows: int, sources: list[str]) -> None:
    """Removes shards, indexes, packs and rejects that an earlier build of this folder had more of."""
    kept = {
        "shards": {shard_name(number) for number in range(shards)},
        "index": {index_name(number) for number in range(shards)},
        "packs": {index_name(number) for number in range(windows)},
        "rejects": {rejects_file(source) for source in sources},
    }
    for part, names in kept.items():
        for name in files.matching(files.join(folder, part), "*"):
            if name not in names:
                files.remove(files.join(folder, part, name))


def summary(
    plan: dict[str, Any],
    shards: list[dict[str, Any]],
    sources: list[dict[str, Any]],
    packs: dict[str, Any],
    late: list[dict[str, Any]],
    versions: dict[str, str],
    ledger: dict[str, Any],
    benchmarks: dict[str, Any] | None = None,
    characters: str | None = None,
) -> dict[str, Any]:
    """What `stage.json` says; of `benchmarks` their names and that of their index, None where none was looked for.

    `characters` is the digest of the vocabulary of a stage that learns transcripts.
    """
    summed = ("samples", "questions", "text_tokens", "visual_tokens", "audio_tokens", "hours", "spoken")
    totals = {name: sum(source["written"][name] for source in sources) for name in summed}
    clips = [source["written"] for source in sources if source["unit"] == "clips"]
    totals["questions"] -= sum(written["questions"] for written in clips)  # they are not Table 1's
    totals["clips"] = sum(written["samples"] for written in clips)
    return {
        "stage": plan["stage"],
        "mixture": plan["mixture"],
        "seed": plan["seed"],
        "digest": plan["digest"],
        "totals": {
            **totals,
            "bytes": sum(shard["bytes"] for shard in shards),
            "rejected": sum(sum(source["rejected"].values()) for source in sources),
            "held_out": sum(source["held_out"] for source in sources if source["asked"]),
        },
        "sources": sources,
        "shards": shards,
        "packs": packs,
        "late": late,
        "ledger": ledger,
        "benchmarks": benchmarks,
        "characters": characters,
        "versions": versions,
    }


def source_summary(
    plan: dict[str, Any],
    summary: dict[str, Any],
    rejected: Funnel,
    held: tuple[int, int],
    written: Any,
    spoken: Spoken = NOTHING_SPOKEN,
) -> dict[str, Any]:
    """The funnel of one source: read = kept + rejected, kept = available + held out + between; and what was written."""
    written = dict(written or dict.fromkeys(("samples", *COUNTED), 0) | {"hours": 0.0})
    written |= {"spoken": spoken.spoken, "clips": written["samples"] if plan["unit"] == "clips" else 0}
    if plan["unit"] == "hours":
        written["hours"] = written["sound_samples"] / plan["unit_size"]  # exactly as it was planned
    names = (
        "source",
        "unit",
        "share",
        "asked",
        "available",
        "available_samples",
        "planned",
        "planned_samples",
        "unit_size",
    )
    return {
        **{name: plan[name] for name in names},
        **_inputs(summary),
        "rejected": rejected,
        "kept": summary["read"] - sum(rejected.values()),
        "held_out": held[0],
        "between": held[1],
        "written": written,
        "unspoken": spoken.unspoken,
    }


def finish_eval(folder: str, plan: dict[str, Any], spoken: dict[str, Spoken]) -> None:
    """Makes the held-out part a stage folder of its own, which readers open like any other."""
    inner = files.join(folder, seal.EVAL)
    shards = shard_facts(inner)
    if not shards:
        files.remove_tree(inner)
        return
    remove_surplus(inner, len(shards), 0, [])
    facts = {
        "stage": plan["stage"],
        "digest": plan["digest"],
        "shards": shards,
        "written": {
            name: written | {"spoken": spoken.get(name, NOTHING_SPOKEN).spoken}
            for name, written in count_index(inner, len(shards)).items()
        },
        "unspoken": {name: said.unspoken for name, said in spoken.items()},
        "packs": {"windows": 0},
    }
    files.remove_tree(files.join(inner, "work"))
    files.write_json(files.join(inner, seal.PLAN), plan)
    files.write_json(files.join(inner, seal.FACTS), seal.sealed_facts(inner, facts))


def shard_facts(folder: str) -> list[dict[str, Any]]:
    """What the workers left of every shard they filled, in order."""
    work = files.join(folder, "work")
    return [files.read_json(files.join(work, name)) for name in files.matching(work, "shard-*.json")]

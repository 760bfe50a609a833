"""Proving a stage from its bytes: every tar is walked, every member digested, every question and token counted again.

Trusts nothing that was written: plan.json and stage.json must be what their digests say, and all else what
these two say. What is wrong is a list of sentences, each naming the file; an empty list is the proof.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import floor
from typing import Any

import pyarrow.compute as pc

from vita_data import files
from vita_data.errors import ShardError
from vita_data.shards.read import Stage
from vita_data.shards.recount import TOKENS, UNREADABLE, Recount, recount_shard
from vita_data.shards.seal import DamagedStage, broken_files, surplus_files
from vita_data.shards.versions import version_remarks

MOST_ERRORS = 50


def prove(folder: str, tell: Callable[[int, int], None] = lambda done, total: None) -> dict[str, Any]:
    """Recounts a stage; returns {ok, sources: [{source, unit, asked, planned, written}], errors: [...], remarks}.

    Remarks are no errors: libraries that are not those the stage was built with. Raises ShardError when no
    finished stage lies there.
    """
    try:
        stage = Stage(folder)
    except DamagedStage as error:
        return _verdict(None, [], [str(error)], [])
    if "sources" not in stage.facts:
        raise ShardError(
            f"{folder} is the held-out part of a stage; give the stage's folder, which proves both."
        )
    broken = [files.join(folder, name) for name in broken_files(folder, stage.facts)]
    found = Recount(stage.plan, frozenset(broken))
    for path in broken:
        found.wrong(f"{path} {'is not what was built' if files.exists(path) else 'is missing'}.")
    for name in surplus_files(folder, stage.facts):
        found.wrong(f"{files.join(folder, name)} is not of what stage.json names.")
    for number in range(stage.shard_count):
        tell(number, stage.shard_count)
        recount_shard(stage, number, found)
    if not found.errors:
        _prove_packs(stage, found)
    sources = [_source(line, found) for line in stage.plan["sources"]]
    for name in sorted(set(found.written) - {line["source"] for line in stage.plan["sources"]}):
        found.wrong(
            f"{found.of(name, 'samples')} samples are of source {name}, which the plan does not name."
        )
    to_be_spoken = {line["source"]: line["spoken"] for line in stage.plan["sources"]}
    for line in stage.facts["sources"]:
        _prove_funnel(stage, line, found)
        planned = to_be_spoken.get(line["source"], 0)
        _prove_spoken(f"source {line['source']}", line["source"], planned, line["unspoken"], found)
    _prove_held_out(stage, found)
    remarks = version_remarks(stage.facts["versions"])
    remarks += [found.measures.remark] if found.measures.remark else []
    return _verdict(stage, sources, found.errors, remarks, found)


def _verdict(
    stage: Stage | None,
    sources: list[dict[str, Any]],
    errors: list[str],
    remarks: list[str],
    found: Recount | None = None,
) -> dict[str, Any]:
    rest = len(errors) - MOST_ERRORS
    clips = [line for line in sources if line["unit"] == "clips"]
    of_clips = sum(found.of(line["source"], "questions") for line in clips) if found else 0
    return {
        "ok": not errors,
        "stage": stage.plan["stage"] if stage else None,
        "samples": found.total("samples") if found else 0,
        "questions": found.total("questions") - of_clips if found else 0,
        "hours": sum(line["written"] for line in sources if line["unit"] == "hours"),
        "clips": sum(line["written"] for line in clips),
        "spoken": found.total("spoken") if found else 0,
        "sources": sources,
        "errors": [*errors[:MOST_ERRORS], *([f"... and {rest} more."] if rest > 0 else [])],
        "remarks": remarks,
    }


def _source(line: dict[str, Any], found: Recount) -> dict[str, Any]:
    source, size = line["source"], line["unit_size"]
    counted = {"hours": "sound_samples", "clips": "samples"}.get(line["unit"], "questions")
    for name, amount in line["amounts"].items():
        if line[name] != (amount if size == 1 else amount / size):
            found.wrong(
                f"source {source}: the plan says {name} {line[name]} and counts {amount} of {counted}."
            )
    wanted = ((counted, line["amounts"]["planned"]), ("samples", line["planned_samples"]))
    for what, planned in wanted:
        if found.of(source, what) != planned:
            found.wrong(
                f"source {source}: {planned} {what} were planned and {found.of(source, what)} are written."
            )
    written = found.of(source, counted) if size == 1 else found.of(source, counted) / size
    said = {name: line[name] for name in ("source", "unit", "asked", "planned")}
    return said | {"written": written, "spoken": found.of(source, "spoken")}


def _prove_packs(stage: Stage, found: Recount) -> None:
    """Every sample is in exactly one pack, at its place, no pack is over the capacity, and the totals hold."""
    said, capacity = stage.facts["packs"], stage.plan["geometry"]["max_length"]
    seen: set[str] = set()
    there = {"count": 0, "tokens": 0, "capacity": capacity}
    for window in range(said["windows"]):
        path = stage.packs_path(window)
        try:
            packs = stage.window_packs(window)
            rows = files.read_table(path, ["pack", "window"]).to_pylist()
        except UNREADABLE as error:
            found.wrong(f"{path}: cannot be read as packs ({error}).")
            return
        if rows != [{"pack": number, "window": window} for number in range(len(packs))]:
            found.wrong(f"{path}: its packs are not numbered 0 to {len(packs) - 1} of window {window}.")
        for pack in packs:
            where = f"{path}: pack {pack.number}"
            if pack.tokens > capacity:
                found.wrong(f"{where} has {pack.tokens} tokens, over {capacity}.")
            tokens = sum(_placed(where, place, seen, found) for place in pack.samples)
            if tokens != pack.tokens:
                found.wrong(f"{where} says {pack.tokens} tokens, its samples have {tokens}.")
            there["count"] += 1
            there["tokens"] += tokens
    for key in sorted(set(found.keys) - seen)[:3]:
        found.wrong(f"{stage.folder}/packs: sample {key} is in no pack.")
    for name in [name for name in there if there[name] != said[name]]:
        found.wrong(f"{stage.folder}/packs: their {name} is {there[name]}, stage.json says {said[name]}.")


def _placed(where: str, place: Any, seen: set[str], found: Recount) -> int:
    """The tokens of a sample of a pack, after a look whether it is where the pack says, and only there."""
    shard, row, length = found.keys.get(place.key, (-1, -1, 0))
    if (shard, row) != (place.shard, place.row):
        found.wrong(f"{where} places {place.key} at shard {place.shard} row {place.row}, where it is not.")
    if place.key in seen:
        found.wrong(f"{where} holds sample {place.key}, which is in more than one pack.")
    seen.add(place.key)
    return length


def _prove_funnel(stage: Stage, line: dict[str, Any], found: Recount) -> None:
    """A source's line in stage.json: its rejects are those of the table, it adds up, and what it says is written is."""
    source, path = line["source"], files.join(stage.folder, "rejects", f"{line['source']}.parquet")
    if path in found.broken:
        return
    try:
        table = files.read_table(path, ["step", "rule"])
    except UNREADABLE as error:
        found.wrong(f"{path}: cannot be read as rejects ({error}).")
        return
    steps = pc.value_counts(pc.binary_join_element_wise(table.column("step"), table.column("rule"), "/"))
    if {row["values"]: row["counts"] for row in steps.to_pylist()} != line["rejected"]:
        found.wrong(f"{path}: its rejects are not those that stage.json counts.")
    beyond = line["available_samples"] + line["held_out"] + line["between"]
    if line["read"] - len(table) != line["kept"] or line["kept"] != beyond:
        found.wrong(
            f"{stage.folder}/stage.json: what was read of source {source} is not rejected and kept together."
        )
    for name in ("samples", "questions", "spoken", *TOKENS):
        if line["written"][name] != found.of(source, name):
            found.wrong(
                f"source {source}: {found.of(source, name)} {name} are written, "
                f"stage.json says {line['written'][name]}."
            )


def _prove_spoken(where: str, source: str, planned: int, unspoken: dict[str, int], found: Recount) -> None:
    """As many questions of a source are spoken as were planned; fewer only where each other one has a reason."""
    spoken, questions = found.of(source, "spoken"), found.of(source, "questions")
    if spoken > planned or (spoken < planned and spoken + sum(unspoken.values()) != questions):
        found.wrong(
            f"{where}: {planned} questions were to be spoken and {spoken} are, and stage.json gives a reason for "
            f"{sum(unspoken.values())} of the other {questions - spoken}."
        )


def _prove_held_out(stage: Stage, found: Recount) -> None:
    """The held-out shards are there and whole, and share no key with the stage."""
    inner = Recount(stage.plan, found.broken)
    try:
        held = stage.held_out
    except ShardError as error:
        inner.wrong(f"the samples held out cannot be read: {error}")
    else:
        if held is not None and held.plan != stage.plan:
            inner.wrong(f"{held.folder}/plan.json is not the plan of the stage.")
        for number in range(held.shard_count if held else 0):
            assert held is not None
            recount_shard(held, number, inner)
        _prove_spoken_held_out(stage, held, inner)
    expected = sum(line["held_out"] for line in stage.facts["sources"] if line["asked"])
    if len(inner.keys) != expected and not inner.errors:
        inner.wrong(
            f"{stage.folder}/eval holds {len(inner.keys)} samples, stage.json says {expected} are held out."
        )
    found.errors += inner.errors
    for key in sorted(set(inner.keys) & set(found.keys)):
        found.wrong(f"sample {key} is held out and trained on.")


def _prove_spoken_held_out(stage: Stage, held: Stage | None, inner: Recount) -> None:
    """Of each source's held-out questions the same share is spoken as of the others."""
    share = Fraction(stage.plan["speech"]["share"]) if "speech" in stage.plan else Fraction(0)
    for line in stage.plan["sources"] if held is not None else ():
        assert held is not None
        source = line["source"]
        said = held.facts["written"].get(source, {"spoken": 0})["spoken"]
        if said != inner.of(source, "spoken"):
            inner.wrong(
                f"source {source}: {inner.of(source, 'spoken')} held-out questions are spoken, not {said}."
            )
        planned = floor(share * inner.of(source, "questions")) if line["row"]["type"] == "QA" else 0
        unspoken = held.facts["unspoken"].get(source, {})
        _prove_spoken(f"source {source}, held out", source, planned, unspoken, inner)

"""Proving a stage from its bytes: every tar is walked, every member digested, every question counted again.

Trusts nothing but plan.json: not the index, not stage.json. What it finds wrong is a list of sentences,
each naming the file; an empty list is the proof.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from vita_data import files
from vita_data.errors import ShardError
from vita_data.records.canon import canonical_bytes
from vita_data.shards.read import Pack, Stage
from vita_data.shards.tar import walk
from vita_data.shards.write import content_digest, index_name, shard_name

MOST_ERRORS = 50


@dataclass
class Recount:
    """What the tars of a stage hold, counted from their bytes."""

    samples: Counter[str] = field(default_factory=Counter)
    questions: Counter[str] = field(default_factory=Counter)
    keys: dict[str, tuple[int, int, int]] = field(default_factory=dict)  # key -> (shard, row, tokens)
    errors: list[str] = field(default_factory=list)

    def wrong(self, sentence: str) -> None:
        """Notes what does not hold."""
        self.errors.append(sentence)


def prove(folder: str, tell: Callable[[int, int], None] = lambda done, total: None) -> dict[str, Any]:
    """Recounts a stage; returns {ok, sources: [{source, unit, asked, planned, written}], errors: [...]}.

    Raises ShardError when no finished stage lies there.
    """
    stage = Stage(folder)
    if "sources" not in stage.facts:
        raise ShardError(
            f"{folder} is the held-out part of a stage; give the stage's folder, which proves both."
        )
    found = Recount()
    for number in range(stage.shard_count):
        tell(number, stage.shard_count)
        _prove_shard(stage, number, found)
    _surplus_files(stage, found)
    if not found.errors:
        _prove_packs(stage, found)
    sources = [_source(line, found) for line in stage.plan["sources"]]
    for name in sorted(set(found.samples) - {line["source"] for line in stage.plan["sources"]}):
        found.wrong(f"{found.samples[name]} samples are of source {name}, which the plan does not name.")
    _prove_held_out(stage, found)
    errors = found.errors[:MOST_ERRORS]
    if len(found.errors) > MOST_ERRORS:
        errors.append(f"... and {len(found.errors) - MOST_ERRORS} more.")
    return {
        "ok": not found.errors,
        "stage": stage.plan["stage"],
        "samples": sum(found.samples.values()),
        "questions": sum(found.questions.values()),
        "sources": sources,
        "errors": errors,
    }


def _source(line: dict[str, Any], found: Recount) -> dict[str, Any]:
    written = found.questions[line["source"]]
    if written != line["planned"]:
        found.wrong(
            f"source {line['source']}: {line['planned']} questions were planned and {written} are written."
        )
    if found.samples[line["source"]] != line["planned_samples"]:
        found.wrong(
            f"source {line['source']}: {line['planned_samples']} samples were planned and "
            f"{found.samples[line['source']]} are written."
        )
    return {name: line[name] for name in ("source", "unit", "asked", "planned")} | {"written": written}


def _prove_shard(stage: Stage, number: int, found: Recount) -> None:
    path = files.join(stage.folder, "shards", shard_name(number))
    said = stage.facts["shards"][number]
    try:
        with files.open_read(path) as stream:
            digest = content_digest(_prove_members(stage, number, path, stream, found))
            if digest != said["digest"]:
                found.wrong(
                    f"{path}: the digest of its members is {digest}, stage.json says {said['digest']}."
                )
    except (OSError, ShardError, ValueError, KeyError, TypeError, AttributeError) as error:
        found.wrong(f"{path}: cannot be read as a shard ({error}).")


def _prove_members(
    stage: Stage, number: int, path: str, stream: IO[bytes], found: Recount
) -> list[tuple[str, bytes]]:
    """Holds every member against the index; returns what the tar really holds, as (name, sha256)."""
    held: list[tuple[str, bytes]] = []
    table = files.read_table(
        files.join(stage.folder, "index", index_name(number)), ["key", "members", "questions", "length"]
    )
    rows: Iterator[dict[str, Any]] = (
        row for batch in table.to_batches(max_chunksize=1024) for row in batch.to_pylist()
    )
    members = walk(stream)
    for row_number, row in enumerate(rows):
        record: dict[str, Any] = {}
        for place, member in enumerate(row["members"]):
            name, offset, size = next(members, ("(nothing)", 0, 0))
            if (name, offset, size) != (member["name"], member["offset"], member["length"]):
                found.wrong(
                    f"{path}: at byte {offset} lies {name} of {size} bytes, the index says {member['name']}."
                )
                return held
            stream.seek(offset)
            data = stream.read(size)
            held.append((name, hashlib.sha256(data).digest()))
            if held[-1][1] != member["sha256"]:
                found.wrong(f"{path}: member {name} has other bytes than its digest in the index.")
            elif place == 0:
                record = json.loads(data)
                if canonical_bytes(record) != data:
                    found.wrong(f"{path}: member {name} is not canonical JSON.")
        _count(path, number, row_number, row, record, found)
    if (extra := next(members, None)) is not None:
        found.wrong(f"{path}: member {extra[0]} is not in the index.")
    return held


def _count(
    path: str, shard: int, row_number: int, row: dict[str, Any], record: dict[str, Any], found: Recount
) -> None:
    key = row["key"]
    if record.get("id") != key:
        found.wrong(f"{path}: the record of {key} calls itself {record.get('id')}.")
        return
    if key in found.keys:
        found.wrong(f"{path}: key {key} was already in shard {found.keys[key][0]}.")
    found.keys[key] = (shard, row_number, row["length"])
    if record["image"] != [member["name"] for member in row["members"][1:]]:
        found.wrong(f"{path}: the record of {key} names other media than the tar holds.")
    questions = sum(turn["from"] == "gpt" for turn in record["conversations"])
    if questions != row["questions"]:
        found.wrong(f"{path}: {key} has {questions} questions, the index says {row['questions']}.")
    found.samples[record["source"]] += 1
    found.questions[record["source"]] += questions


def _surplus_files(stage: Stage, found: Recount) -> None:
    counts = {
        "shards": stage.shard_count,
        "index": stage.shard_count,
        "packs": stage.facts["packs"]["windows"],
    }
    for part, count in counts.items():
        expected = {shard_name(number) if part == "shards" else index_name(number) for number in range(count)}
        for name in sorted(set(files.matching(files.join(stage.folder, part), "*")) - expected):
            found.wrong(f"{stage.folder}/{part}/{name} is not of what stage.json names.")


def _prove_packs(stage: Stage, found: Recount) -> None:
    """Every sample is in exactly one pack, at its place, and no pack is over the capacity."""
    try:
        _prove_each_pack(stage, stage.packs(), found)
    except (OSError, ShardError, ValueError, KeyError, TypeError) as error:
        found.wrong(f"{stage.folder}/packs: cannot be read as packs ({error}).")


def _prove_each_pack(stage: Stage, packs: list[Pack], found: Recount) -> None:
    seen: set[str] = set()
    for pack in packs:
        if pack.tokens > stage.facts["packs"]["capacity"]:
            found.wrong(
                f"pack {pack.number} has {pack.tokens} tokens, over {stage.facts['packs']['capacity']}."
            )
        tokens = 0
        for place in pack.samples:
            shard, row, length = found.keys.get(place.key, (-1, -1, 0))
            tokens += length
            if (shard, row) != (place.shard, place.row):
                found.wrong(
                    f"pack {pack.number} places {place.key} at shard {place.shard} row {place.row}, where it is not."
                )
            if place.key in seen:
                found.wrong(f"sample {place.key} is in more than one pack.")
            seen.add(place.key)
        if tokens != pack.tokens:
            found.wrong(f"pack {pack.number} says {pack.tokens} tokens, its samples have {tokens}.")
    for key in sorted(set(found.keys) - seen)[:3]:
        found.wrong(f"sample {key} is in no pack.")


def _prove_held_out(stage: Stage, found: Recount) -> None:
    """The held-out shards are there and whole, and share no key with the stage."""
    inner = Recount()
    if (held := stage.held_out) is not None:
        for number in range(held.shard_count):
            _prove_shard(held, number, inner)
        _surplus_files(held, inner)
    expected = sum(line["held_out"] for line in stage.facts["sources"] if line["asked"])
    if len(inner.keys) != expected and not inner.errors:
        found.wrong(
            f"{stage.folder}/eval holds {len(inner.keys)} samples, stage.json says {expected} are held out."
        )
    found.errors += inner.errors
    for key in sorted(set(inner.keys) & set(found.keys)):
        found.wrong(f"sample {key} is held out and trained on.")

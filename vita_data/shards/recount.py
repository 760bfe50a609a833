"""One shard of a stage counted again: its tar walked, members digested, records measured as the build does."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from typing import IO, Any

from vita_data import files
from vita_data.errors import RecordError, ShardError
from vita_data.records.canon import canonical_bytes
from vita_data.records.schema import RECORD_VERSION
from vita_data.shards.read import Stage
from vita_data.shards.remeasure import Remeasure, is_spoken, members_of, questions_spoken
from vita_data.shards.tar import walk
from vita_data.shards.write import content_digest, index_name, shard_name

TOKENS = ("text_tokens", "visual_tokens", "audio_tokens")
# What a file that is not what it should be makes its readers raise.
UNREADABLE = (OSError, ShardError, ValueError, LookupError, TypeError, AttributeError)


class Recount:
    """What the tars of a stage hold, counted from their bytes, and what of it does not hold.

    `broken` are paths of files that are known not to be what was built: they are not read.
    """

    def __init__(self, plan: dict[str, Any], broken: frozenset[str] = frozenset()) -> None:
        self.broken = broken
        self.keys: dict[str, tuple[int, int, int]] = {}  # key -> (shard, row, tokens)
        self.written: dict[str, Counter[str]] = {}
        self.errors: list[str] = []
        self.measures = Remeasure(plan)
        self._licences = {line["source"]: line["licence"] for line in plan["sources"]}

    def wrong(self, sentence: str) -> None:
        """Notes what does not hold."""
        self.errors.append(sentence)

    def of(self, source: str, name: str) -> int:
        """How many samples, questions or tokens of a source are there."""
        return self.written.get(source, Counter())[name]

    def total(self, name: str) -> int:
        """The same of all sources."""
        return sum(counted[name] for counted in self.written.values())

    def add(
        self, path: str, place: tuple[int, int], row: dict[str, Any], record: Any, media: list[bytes]
    ) -> None:
        """Counts a sample of shard `path` at (shard, row), and holds its row of the index against it."""
        key = row["key"]
        if record.get("id") != key:
            self.wrong(f"{path}: the record of {key} calls itself {record.get('id')}.")
            return
        if record.get("version") != RECORD_VERSION:
            self.wrong(
                f"{path}: the record of {key} is of version {record.get('version')}, not {RECORD_VERSION}."
            )
        if key in self.keys:
            self.wrong(f"{path}: key {key} was already in shard {self.keys[key][0]}.")
        self.keys[key] = (*place, row["length"])
        if members_of(record) != [member["name"] for member in row["members"][1:]]:
            self.wrong(f"{path}: the record of {key} names other media than the tar holds.")
        if record["licence"] != self._licences.get(record["source"], record["licence"]):
            self.wrong(f"{path}: the record of {key} has another licence than its source.")
        expected = {"shard": place[0]}
        try:
            expected |= self.measures.row(record, media)
        except (RecordError, ShardError) as error:
            self.wrong(f"{path}: {key} cannot be measured again ({error}).")
        for name, value in expected.items():
            if row[name] != value:
                self.wrong(f"{path}: {name} of {key} is {value}, the index says {row[name]}.")
        counted = self.written.setdefault(record["source"], Counter())
        counted["samples"] += 1
        for name in ("questions", "sound_samples", *TOKENS):
            counted[name] += expected.get(name, row[name])
        counted["spoken"] += self._spoken(path, key, record)

    def _spoken(self, path: str, key: str, record: Any) -> int:
        """How many questions of a record are spoken, each of which must be a sound in the place of its words."""
        said = questions_spoken(record)
        for each in said:
            value = record["conversations"][each["turn"]]["value"]
            if each["audio"] not in record["audio"] or not is_spoken(value):
                self.wrong(f"{path}: turn {each['turn']} of {key} is said to be spoken and is written.")
        return len({each["turn"] for each in said})


def recount_shard(stage: Stage, number: int, found: Recount) -> None:
    """Counts a shard of a stage; what does not hold is noted in `found`."""
    path = files.join(stage.folder, "shards", shard_name(number))
    index = files.join(stage.folder, "index", index_name(number))
    if index in found.broken:
        return
    said = stage.facts["shards"][number]
    before = len(found.keys), found.total("questions")
    try:
        with files.open_read(path) as stream:
            digest = content_digest(_members(index, number, path, stream, found))
        there = {
            "number": number,
            "samples": len(found.keys) - before[0],
            "questions": found.total("questions") - before[1],
            "bytes": files.identity(path)["size"],
            "digest": digest,
        }
    except UNREADABLE as error:
        found.wrong(f"{path}: cannot be read as a shard ({error}).")
        return
    for name in [name for name in there if there[name] != said[name]]:
        what = "the digest of its members" if name == "digest" else f"its {name}"
        found.wrong(f"{path}: {what} is {there[name]}, stage.json says {said[name]}.")


def _members(
    index: str, number: int, path: str, stream: IO[bytes], found: Recount
) -> list[tuple[str, bytes]]:
    """Holds every member against the index; returns what the tar really holds, as (name, sha256)."""
    held: list[tuple[str, bytes]] = []
    members = walk(stream)
    for row_number, row in enumerate(_rows(index)):
        contents: list[bytes] = []
        for member in row["members"]:
            name, offset, size = next(members, ("(nothing)", 0, 0))
            if (name, offset, size) != (member["name"], member["offset"], member["length"]):
                found.wrong(
                    f"{path}: at byte {offset} lies {name} of {size} bytes, the index says {member['name']}."
                )
                return held
            stream.seek(offset)
            contents.append(stream.read(size))
            held.append((name, hashlib.sha256(contents[-1]).digest()))
            if held[-1][1] != member["sha256"]:
                found.wrong(f"{path}: member {name} has other bytes than its digest in the index.")
        record = json.loads(contents[0])
        if canonical_bytes(record) != contents[0]:
            found.wrong(f"{path}: member {row['members'][0]['name']} is not canonical JSON.")
        found.add(path, (number, row_number), row, record, contents[1:])
    if (extra := next(members, None)) is not None:
        found.wrong(f"{path}: member {extra[0]} is not in the index.")
    return held


def _rows(path: str) -> Iterator[dict[str, Any]]:
    """The rows of an index, a few at a time."""
    for batch in files.read_table(path).to_batches(max_chunksize=1024):
        yield from batch.to_pylist()

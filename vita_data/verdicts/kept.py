"""What curation leaves of a source: its measures without the samples that go, and a reject for each of those.

The folder has the shape of the measures it was made from, so that everything after it reads either alike.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vita_data import files
from vita_data.catalog.merge import part_name, rejects_name
from vita_data.records.canon import canonical, canonical_bytes
from vita_data.records.key import digest_of
from vita_data.records.reject import Reject
from vita_data.records.schema import REJECTS, REJECTS_VERSION
from vita_data.verdicts.finding import BOTH, CONTENT, ITSELF, PICTURE, QUESTION, RECORDING
from vita_data.verdicts.judge import judged_name, reject_row
from vita_data.verdicts.leaks import found_name
from vita_data.verdicts.meeting import MeetSource

# Raise when the same verdicts would leave other files.
VERSION = 3
# What goes besides what rules refuse: a REJECTS row to be, and the part of the catalog that holds the sample.
GOING = pa.schema([("part", pa.int32()), ("key", pa.string()), ("step", pa.string()), ("rule", pa.string()),
                   ("value", pa.string()), ("threshold", pa.string()), ("message", pa.string())])  # fmt: skip
BATCH = 4096


@dataclass(frozen=True)
class KeptTask:
    """A source: its catalog, measures and verdicts, and where what is left of them is written."""

    source: str
    catalog: str
    measures: str
    judged: str
    folder: str

    @property
    def work(self) -> str:
        """The folder of what is of no use when all parts are written."""
        return files.join(self.folder, "work")

    def save(self, going: pa.Table, parts: list[int]) -> str:
        """Writes the task and what else goes of these parts; returns the path of the task."""
        numbers = going.column("part").to_numpy()
        order = np.argsort(numbers, kind="stable")
        starts = np.searchsorted(numbers[order], [[part, part + 1] for part in parts])
        for part, (start, end) in zip(parts, starts.tolist(), strict=True):
            rows = going.take(pa.array(order[start:end]))
            files.write_table(files.join(self.work, going_name(part)), rows)
        path = files.join(self.work, "task.json")
        files.write_json(path, asdict(self))
        return path


@functools.lru_cache(maxsize=64)
def load_kept_task(path: str) -> KeptTask:
    """The task at a path."""
    return KeptTask(**files.read_json(path))


def going_name(part: int) -> str:
    """File name of what else goes of a part."""
    return f"going-{part:05d}.parquet"


def kept_digest(measures: str, judged: str, parts: list[int], going: pa.Table) -> str:
    """Names what is left, by the content of the verdicts: other thresholds with the same outcome change nothing."""
    digests = []
    for part in parts:
        with files.open_read(files.join(judged, judged_name(part))) as stream:
            digests.append(hashlib.file_digest(stream, "sha256").hexdigest())  # type: ignore[arg-type]
    hasher = hashlib.blake2b(digest_size=16)
    for batch in going.to_batches(max_chunksize=BATCH):
        hasher.update(canonical_bytes([list(row.values()) for row in batch.to_pylist()]))
    return digest_of("kept", VERSION, measures, digests, hasher.hexdigest())


def duplicate_rejects(duplicates: pa.Table, sources: dict[str, MeetSource]) -> pa.Table:
    """Rows of GOING for the samples that leave as duplicates, each with the threshold that held for the pair."""
    found = [GOING.empty_table()]
    for batch in duplicates.to_batches(max_chunksize=BATCH):
        rows = []
        for row in batch.to_pylist():
            ours, theirs = (sources[row[end].rpartition("-")[0]] for end in ("leaves", "stays"))
            reject = _duplicate(row, ours.threshold(theirs, row["kind"]))
            rows.append({"part": row["part"], "key": row["leaves"], "step": "duplicates", **vars(reject)})
        found.append(pa.Table.from_pylist(rows, GOING))
    return pa.concat_tables(found).combine_chunks()


def _duplicate(row: dict[str, Any], threshold: str | None) -> Reject:
    stays, kind = row["stays"], row["kind"]
    if kind == "exact":
        return Reject("duplicate", f"Its media and its turns are those of {stays}, which stays.", stays)
    if kind == "near_text":
        words = f"Its text is nearly that of {stays}, which stays (similarity {row['similarity']:.2f})."
        return Reject("near_text", words, stays, threshold)
    words = (
        f"Its pictures are nearly those of {stays}, which stays (at most {row['distance']} of 64 bits differ), "
        f"and so are its turns (similarity {row['similarity']:.2f})."
    )
    return Reject("near_picture", words, stays, threshold)


_LEAKS = {
    ITSELF: "It is of {benchmark} itself, by its split or its id.",
    CONTENT: "One of its media, {ours}, decodes to the same as one of {theirs} of {benchmark}.",
    BOTH: "Its picture is nearly that of {theirs} of {benchmark} ({distance} of 64 bits differ), and it asks the same.",
    RECORDING: "{seconds:.1f} seconds of it are those of the recording {theirs} of {benchmark} ({score:.0%} of the "
    "bits of their fingerprints are equal).",
    PICTURE: "Its picture is nearly that of {theirs} of {benchmark} ({distance} of 64 bits differ).",
    QUESTION: "The question {theirs} of {benchmark} stands in it ({score:.0%} of what it says).",
}


def with_leaks(going: pa.Table, folder: str, parts: list[int]) -> pa.Table:
    """Rows of GOING with one for each sample that leaves over a benchmark and has not left already."""
    gone = set(going.column("key").to_pylist())
    rows = []
    for part in parts:
        for row in files.read_table(files.join(folder, found_name(part))).to_pylist():
            if row["removes"] and row["key"] not in gone:
                gone.add(row["key"])
                message = _LEAKS[row["how"]].format(**row)
                reject = Reject(f"leak_{row['how']}", message, row["theirs"] or row["benchmark"])
                rows.append({"part": part, "key": row["key"], "step": "decontamination", **vars(reject)})
    return pa.concat_tables([going, pa.Table.from_pylist(rows, GOING)])


def kept_part(task_path: str, part: int) -> str:
    """Writes what is left of one part, with all its rejects since the catalog; returns the path of its table."""
    task = load_kept_task(task_path)
    path = files.join(task.folder, part_name(part))
    if files.exists(path):
        return path
    judged = files.read_table(files.join(task.judged, judged_name(part)))
    going = files.read_table(files.join(task.work, going_name(part)))
    measures = files.read_table(files.join(task.measures, part_name(part)))
    here = pc.is_in(going.column("key"), measures.column("key").combine_chunks())
    refused = pc.is_in(going.column("key"), judged.column("key").combine_chunks())  # before it could leave
    gone = pc.and_(here, pc.invert(refused))
    rejects = [*judged.to_pylist(), *_rejects(task, part, going.filter(gone), measures)]
    measured = files.read_table(files.join(task.measures, rejects_name(part)))
    schema = REJECTS.with_metadata({"vita": canonical({"version": REJECTS_VERSION})})
    table = pa.concat_tables(
        [measured.cast(REJECTS).replace_schema_metadata(None), pa.Table.from_pylist(rejects, REJECTS)]
    )
    files.write_table(files.join(task.folder, rejects_name(part)), table.cast(schema))
    lost = pa.array([row["key"] for row in rejects], pa.string())
    files.write_table(path, measures.filter(pc.invert(pc.is_in(measures.column("key"), lost))))
    return path


def _rejects(task: KeptTask, part: int, going: pa.Table, measures: pa.Table) -> list[dict[str, Any]]:
    if not len(going):
        return []
    rows = measures.filter(pc.is_in(measures.column("key"), going.column("key").combine_chunks())).column(
        "row"
    )
    columns = ["key", "annotation", "position", "native_id", "media"]
    catalog = files.read_table(files.join(task.catalog, part_name(part)), columns).take(rows).to_pylist()
    known = {row["key"]: row for row in catalog}
    return [
        reject_row(
            task.source,
            known[row["key"]],
            row["step"],
            Reject(row["rule"], row["message"], row["value"], row["threshold"]),
        )
        for row in going.to_pylist()
    ]

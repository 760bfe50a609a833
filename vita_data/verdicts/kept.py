"""What curation leaves of a source: its measures without the samples that go, and a reject for each of those.

The folder has the shape of the measures it was made from, so that everything after it reads either alike.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from vita_data import files
from vita_data.catalog.merge import part_name, rejects_name
from vita_data.records.canon import canonical
from vita_data.records.key import digest_of
from vita_data.records.reject import Reject
from vita_data.records.schema import REJECTS, REJECTS_VERSION
from vita_data.verdicts.judge import judged_name, reject_row
from vita_data.verdicts.leaks import BOTH, CONTENT, ITSELF, PICTURE, QUESTION, found_name

# Raise when the same verdicts would leave other files.
VERSION = 2
GOING = pa.schema([("key", pa.string()), ("step", pa.string()), ("rule", pa.string()), ("value", pa.string()),
                   ("threshold", pa.string()), ("message", pa.string())])  # fmt: skip


@dataclass(frozen=True)
class KeptTask:
    """A source: its catalog, measures and verdicts, the table of what else goes, and where the rest is written."""

    source: str
    catalog: str
    measures: str
    judged: str
    going: str
    folder: str

    def save(self) -> str:
        """Writes the task beside its results and returns its path."""
        path = files.join(self.folder, "task.json")
        files.write_json(path, asdict(self))
        return path


@functools.lru_cache(maxsize=64)
def load_kept_task(path: str) -> KeptTask:
    """The task at a path."""
    return KeptTask(**files.read_json(path))


def kept_digest(measures: str, judged: str, parts: list[int], going: pa.Table) -> str:
    """Names what is left, by the content of the verdicts: other thresholds with the same outcome change nothing."""
    digests = []
    for part in parts:
        with files.open_read(files.join(judged, judged_name(part))) as stream:
            digests.append(hashlib.file_digest(stream, "sha256").hexdigest())  # type: ignore[arg-type]
    rows = [list(row.values()) for row in going.to_pylist()]
    return digest_of("kept", VERSION, measures, digests, rows)


def duplicate_rejects(duplicates: pa.Table, thresholds: dict[str, str | None]) -> pa.Table:
    """Rows of GOING for the samples that leave as duplicates; `thresholds` by the kind of duplicate."""
    rows = []
    for row in duplicates.to_pylist():
        reject = _duplicate(row, thresholds[row["kind"]])
        rows.append({"key": row["leaves"], "step": "duplicates", **vars(reject)})
    return pa.Table.from_pylist(rows, GOING)


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
                rows.append({"key": row["key"], "step": "decontamination", **vars(reject)})
    return pa.concat_tables([going, pa.Table.from_pylist(rows, GOING)])


def kept_part(task_path: str, part: int) -> str:
    """Writes what is left of one part, with all its rejects since the catalog; returns the path of its table."""
    task = load_kept_task(task_path)
    path = files.join(task.folder, part_name(part))
    if files.exists(path):
        return path
    judged = files.read_table(files.join(task.judged, judged_name(part)))
    going = files.read_table(task.going)
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

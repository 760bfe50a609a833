"""Judging one part by the rules of its source's card: from signals and text to rejects, without a medium opened.

In: catalog part, its signals, its measures. Out: `judged-*.parquet`, the samples that a rule refuses.
"""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from vita_data import files
from vita_data.catalog.merge import part_name
from vita_data.curate.rules.base import Film, Heard, Sample
from vita_data.curate.rules.table import RULES, VERSION
from vita_data.manifest.rules import Rules
from vita_data.records.canon import canonical
from vita_data.records.key import digest_of
from vita_data.records.reject import Reject
from vita_data.records.schema import REJECTS, REJECTS_VERSION
from vita_data.verdicts.readings import texts_of
from vita_data.verdicts.signals import signals_name

BATCH = 1024


@dataclass(frozen=True)
class JudgeTask:
    """A source to judge: where its catalog, signals and measures lie, and the thresholds of its card."""

    source: str
    kind: str
    catalog: str
    signals: str
    measures: str
    folder: str
    rules: Rules
    readings: str | None = None  # where the rule `ocr` is on

    def save(self) -> str:
        """Writes the task beside its results and returns its path."""
        path = files.join(self.folder, "task.json")
        files.write_json(path, asdict(self))
        return path


@functools.lru_cache(maxsize=64)
def load_judge_task(path: str) -> JudgeTask:
    """The task at a path."""
    facts = files.read_json(path)
    return JudgeTask(**{**facts, "rules": Rules(**facts["rules"])})


def judged_name(part: int) -> str:
    """File name of what the rules refuse of a part."""
    return f"judged-{part:05d}.parquet"


def judge_digest(signals: str, measures: str, rules: Rules, readings: str | None) -> str:
    """Names the verdicts on a source."""
    return digest_of("judge", VERSION, signals, measures, asdict(rules), readings)


def judge_part(task_path: str, part: int) -> str:
    """Judges one part, unless that was done; returns the path of its rejects."""
    task = load_judge_task(task_path)
    path = files.join(task.folder, judged_name(part))
    if files.exists(path):
        return path
    rows = files.read_table(files.join(task.measures, part_name(part)), ["row"]).column("row")
    columns = ["key", "annotation", "position", "native_id", "language", "record", "media"]
    catalog = files.read_table(files.join(task.catalog, part_name(part)), columns).take(rows)
    wanted = ["hashes", "language", "certainty", "sounds"]
    signals = files.read_table(files.join(task.signals, signals_name(part)), wanted).take(rows)
    read = texts_of(task.readings, part)
    rejects: list[dict[str, Any]] = []
    for start in range(0, len(catalog), BATCH):
        some = zip(
            catalog.slice(start, BATCH).to_pylist(), signals.slice(start, BATCH).to_pylist(), strict=True
        )
        rejects += [reject for row, signal in some for reject in _judged(task, row, signal, read)]
    schema = REJECTS.with_metadata({"vita": canonical({"version": REJECTS_VERSION})})
    files.write_table(path, pa.Table.from_pylist(rejects, schema))
    return path


def _judged(
    task: JudgeTask, row: dict[str, Any], signal: dict[str, Any], read: dict[str, list[str]]
) -> list[dict[str, Any]]:
    """The reject of the first rule that a sample breaks, in the order of the rules; nothing for one that stays."""
    sample = sample_of(task.kind, row, signal, read.get(row["key"]))
    thresholds = vars(task.rules)
    for rule in RULES:
        if thresholds[rule.name] != "off":
            reject = rule.judge(sample, thresholds[rule.name])
            if reject is not None:
                return [reject_row(task.source, row, rule.step, reject)]
    return []


def sample_of(kind: str, row: dict[str, Any], signal: dict[str, Any], read: list[str] | None) -> Sample:
    """What rules see: a catalog row, its signals and what was read in its pictures as one sample."""
    seen = [medium for medium in row["media"] if medium["kind"] != "audio"]
    films: dict[int, Film] = {}
    for medium, hashed in zip(seen, signal["hashes"], strict=True):
        if medium["kind"] == "video-frame":
            film = films.setdefault(medium["part_of"], Film([], [], []))
            film.times.append(medium["time"])
            film.hashes.append(hashed)
            film.digests.append(medium["sha256"])
    return Sample(
        kind=kind,
        language=row["language"],
        turns=json.loads(row["record"])["conversations"],
        identified=(signal["language"], signal["certainty"]) if signal["language"] else None,
        sounds=[Heard(**heard) for heard in signal["sounds"]],
        films=[films[number] for number in sorted(films)],
        read=read,
    )


def reject_row(source: str, row: dict[str, Any], step: str, reject: Reject) -> dict[str, Any]:
    """A REJECTS row for a catalogued sample."""
    return {
        **{name: row[name] for name in ("key", "annotation", "position", "native_id")},
        "source": source,
        "step": step,
        "rule": reject.rule,
        "value": reject.value,
        "threshold": reject.threshold,
        "message": reject.message,
        "media": [medium["native"] for medium in row["media"]],
    }


def refused_digest(judged: str, parts: list[int]) -> str:
    """Names whom the rules refuse of a source, whatever for: other thresholds with that outcome have the same name."""
    hasher = hashlib.blake2b(digest_size=8)
    for part in parts:
        keys = files.read_table(files.join(judged, judged_name(part)), ["key"]).column("key")
        hasher.update("\n".join([str(part), *keys.to_pylist(), ""]).encode())
    return hasher.hexdigest()


def survivors(measures: str, judged: str, part: int) -> tuple[Any, Any]:
    """(keys, rows in the catalog) of the samples of a part that fit and that no rule refuses."""
    table = files.read_table(files.join(measures, part_name(part)), ["key", "row"])
    refused = files.read_table(files.join(judged, judged_name(part)), ["key"]).column("key")
    table = table.filter(pc.invert(pc.is_in(table.column("key"), refused.combine_chunks())))
    return table.column("key"), table.column("row")

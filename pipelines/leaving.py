"""Who leaves for whom in a mixture, and what is left of each source: what hold-out, quotas and order see.

Samples that lost a medium since they were catalogued are not there any more: nobody leaves for them, and of
their copies the next one stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from pipelines.catalogs import RunStep
from pipelines.curation import Judged, missing_parts, near_radius
from pipelines.readings import note_disagreement
from vita_data import files
from vita_data.catalog.merge import part_name
from vita_data.curate import near
from vita_data.manifest.geometry import Geometry
from vita_data.select.counted import note_measured
from vita_data.select.stage import Source
from vita_data.verdicts import duplicates
from vita_data.verdicts.gone import digest_in, digest_of_measured
from vita_data.verdicts.judge import refused_digest
from vita_data.verdicts.kept import KeptTask, duplicate_rejects, kept_digest, with_leaks
from vita_data.verdicts.meeting import MeetSource, MeetTask
from vita_data.verdicts.signals import signals_name

ROWS_PER_BUCKET = 1 << 19


@dataclass(frozen=True)
class Curation:
    """Sources with the measures of what is left of them, and the folders that say why; of leaks where any were sought.

    A mixture that is not curated has none of those folders.
    """

    sources: list[Source]
    signals: dict[str, str] = field(default_factory=dict)
    verdicts: dict[str, str] = field(default_factory=dict)
    duplicates: str | None = None
    leaks: dict[str, str] = field(default_factory=dict)

    @property
    def folders(self) -> set[str]:
        """All those folders."""
        found = {self.duplicates} if self.duplicates is not None else set()
        return found.union(self.signals.values(), self.verdicts.values(), self.leaks.values())

    def left_for(self, keys: frozenset[str]) -> list[dict[str, Any]]:
        """The rows of DUPLICATES by which samples left for these."""
        return [] if self.duplicates is None else duplicates.left_for(self.duplicates, keys)


def leave(
    out: str,
    geometry: Geometry,
    sources: list[Source],
    judged: Judged | None,
    late: frozenset[str],
    run: RunStep,
    say: Callable[[str], None],
) -> Curation:
    """The sources with the measures of what curation leaves of them in the place of their own.

    `judged` is None for a mixture that is not curated: its sources stay as they are. `late` are the keys of
    samples that are not there any more.
    """
    left = Curation(sources) if judged is None else _left_of(out, judged, late, run, say)
    for source in left.sources:
        note_measured(source, geometry)
    return left


def _left_of(
    out: str, judged: Judged, late: frozenset[str], run: RunStep, say: Callable[[str], None]
) -> Curation:
    meeting = {source.card.source: _meet_source(source, judged) for source in judged.sources}
    met = _duplicates(out, judged, meeting, late, run)
    left = _left(out, judged, met, meeting, run)
    note_disagreement(judged.sources, judged.readings, judged.verdicts, say)
    return Curation(left, judged.signals, judged.verdicts, met, judged.leaks)


def _meet_source(source: Source, judged: Judged) -> MeetSource:
    """How near the samples of a source may come to others, by its card."""
    name, rules = source.card.source, source.card.rules
    near_text = None if rules.near_text == "off" else rules.near_text
    return MeetSource(
        name,
        judged.signals[name],
        source.measures,
        judged.verdicts[name],
        near_text,
        near_radius(source.card),
        rules.near_turns,
    )


def _duplicates(
    out: str, judged: Judged, meeting: dict[str, MeetSource], late: frozenset[str], run: RunStep
) -> str:
    """Finds who leaves for whom over the whole mixture; returns the folder that says it."""
    there = [(meeting[source.card.source], _digests(source, judged)) for source in judged.sources]
    gone = sorted(key for key in late if key.rpartition("-")[0] in meeting)
    folder = files.join(out, "curate", duplicates.duplicates_digest(there, gone))
    buckets = -(-judged.samples * (3 + near.BANDS) // ROWS_PER_BUCKET) or 1
    task = MeetTask(folder, buckets, list(meeting.values()), gone)
    files.remove_tree(task.work)  # of a build that was stopped
    if duplicates.is_resolved(folder):
        return folder
    path = task.save()
    items = [(path, place, part) for place, source in enumerate(judged.sources) for part in source.parts]
    run("meet", "looking for duplicates", items, 0, [])
    duplicates.resolve(task)
    return folder


def _digests(source: Source, judged: Judged) -> list[str]:
    """What names the samples of a source that meet others, and what they are compared by."""
    name = source.card.source
    return [
        digest_of_measured(judged.signals[name], signals_name, source.parts),
        digest_in(source.measures),
        refused_digest(judged.verdicts[name], source.parts),
    ]


def _left(out: str, judged: Judged, met: str, meeting: dict[str, MeetSource], run: RunStep) -> list[Source]:
    """The sources with the folders of what is left of them."""
    items: list[Any] = []
    tasks: list[KeptTask] = []
    for source in judged.sources:
        name, verdicts = source.card.source, judged.verdicts[source.card.source]
        going = duplicate_rejects(duplicates.leavers(met, name), meeting)
        if name in judged.leaks:
            going = with_leaks(going, judged.leaks[name], source.parts)
        digest = kept_digest(digest_in(source.measures), verdicts, source.parts, going)
        folder = files.join(out, "curate", digest, name)
        task = KeptTask(name, source.catalog, source.measures, verdicts, folder)
        tasks.append(task)
        missing = missing_parts(folder, part_name, source.parts)
        if missing:
            path = task.save(going, missing)
            items += [(path, part) for part in missing]
    if items:
        run("keep", "parting what stays from what goes", items, 0, [])
    for task in tasks:
        files.remove_tree(task.work)
    return [replace(source, measures=task.folder) for source, task in zip(judged.sources, tasks, strict=True)]

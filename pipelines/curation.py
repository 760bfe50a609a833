"""Curation of a mixture between measures and quotas: signals, verdicts, duplicates, and what is left of each source.

Each step is skipped where its files are there; thresholds decide only over what was measured, so that changing
one decodes nothing, and a source that is added is the only one that is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pipelines.catalogs import RunStep
from pipelines.leaks import find_leaks
from pipelines.settings import BuildSettings
from vita_data import files
from vita_data.catalog.merge import part_name
from vita_data.curate import near, phash
from vita_data.errors import UsageError
from vita_data.manifest.mixture import MixtureCard
from vita_data.manifest.source import SourceCard
from vita_data.select.counted import note_measured
from vita_data.select.stage import Source
from vita_data.verdicts import duplicates
from vita_data.verdicts.judge import JudgeTask, judge_digest, judged_name
from vita_data.verdicts.kept import GOING, KeptTask, duplicate_rejects, kept_digest, with_leaks
from vita_data.verdicts.meeting import MeetSource, MeetTask
from vita_data.verdicts.signals import SignalsTask, signals_digest, signals_name

ROWS_PER_BUCKET = 1 << 19


def curate(
    settings: BuildSettings,
    mixture: MixtureCard,
    sources: list[Source],
    summaries: dict[str, dict[str, Any]],
    run: RunStep,
    say: Callable[[str], None],
) -> list[Source]:
    """The sources with the measures of what curation leaves of them in the place of their own.

    Where the mixture says `curate: false` they stay as they are.
    """
    if settings.against is not None and not mixture.curate:
        raise UsageError(
            f"mixture {mixture.mixture} says `curate: false`; remove that to look for benchmarks."
        )
    left = _curated(settings, mixture, sources, summaries, run, say) if mixture.curate else sources
    for source in left:
        note_measured(source, mixture.geometry)
    return left


def _curated(
    settings: BuildSettings,
    mixture: MixtureCard,
    sources: list[Source],
    summaries: dict[str, dict[str, Any]],
    run: RunStep,
    say: Callable[[str], None],
) -> list[Source]:
    out = settings.out
    kept = {source.card.source: summaries[source.card.source]["kept"] for source in sources}
    signals = measure_signals(out, sources, kept, run)
    judged = _judged(out, sources, signals, run)
    met = _duplicates(out, sources, signals, judged, sum(kept.values()), run)
    leaks: dict[str, str] = {}
    if settings.against is not None:
        leaks = find_leaks(settings, mixture, sources, signals, near_radius, measure_signals, run, say)
    elif mixture.benchmarks:
        say(
            f"mixture {mixture.mixture} names benchmarks and no --against DIR says where they lie: none is looked for"
        )
    return _left(out, sources, judged, met, leaks, run)


def measure_signals(out: str, sources: list[Source], kept: dict[str, int], run: RunStep) -> dict[str, str]:
    """Measures the signals of sources that have none yet; returns the folder of each."""
    folders: dict[str, str] = {}
    items: list[Any] = []
    progress: list[str] = []
    samples = 0
    for source in sources:
        name, speech = source.card.source, source.card.rules.speech != "off"
        folder = files.join(out, "curate", signals_digest(source.catalog_digest, speech), name)
        folders[name] = folder
        missing = _missing(folder, signals_name, source.parts)
        if missing:
            path = SignalsTask(name, source.root, source.catalog, folder, speech).save()
            items += [(path, part) for part in missing]
            progress.append(files.join(folder, "progress"))
            samples += kept[name]
    if items:
        run("signals", "measuring what duplicates and rules go by", items, samples, progress)
    for folder in progress:
        files.remove_tree(folder)
    return folders


def _missing(folder: str, name: Any, parts: list[int]) -> list[int]:
    """The parts of a source whose file is not there; unfinished files of an earlier run are removed."""
    missing = [part for part in parts if not files.exists(files.join(folder, name(part)))]
    if missing:
        files.remove_unfinished(folder)
    return missing


def _judged(out: str, sources: list[Source], signals: dict[str, str], run: RunStep) -> dict[str, str]:
    folders: dict[str, str] = {}
    items: list[Any] = []
    for source in sources:
        name, rules = source.card.source, source.card.rules
        digest = judge_digest(_digest(signals[name]), _digest(source.measures), rules)
        folder = folders[name] = files.join(out, "curate", digest, name)
        missing = _missing(folder, judged_name, source.parts)
        if missing:
            task = JudgeTask(
                name, source.card.kind, source.catalog, signals[name], source.measures, folder, rules
            )
            path = task.save()
            items += [(path, part) for part in missing]
    if items:
        run("judge", "judging by the rules of the cards", items, 0, [])
    return folders


def _digest(folder: str) -> str:
    return folder.split("/")[-2]


def near_radius(card: SourceCard) -> int | None:
    """The bits in which near pictures of a source may differ; None where they look alike by nature."""
    radius = card.rules.near_pictures
    if radius == "by-row":
        return None if card.row.scenario == "OCR & Diagram" else phash.RADIUS
    return None if radius == "off" else radius


def meet_source(card: SourceCard, signals: str, measures: str, judged: str) -> MeetSource:
    """How near the samples of a source may come to others, by its card."""
    near_text = None if card.rules.near_text == "off" else card.rules.near_text
    return MeetSource(
        card.source, signals, measures, judged, near_text, near_radius(card), card.rules.near_turns
    )


def _duplicates(
    out: str,
    sources: list[Source],
    signals: dict[str, str],
    judged: dict[str, str],
    samples: int,
    run: RunStep,
) -> str:
    """Finds who leaves for whom over the whole mixture; returns the folder that says it."""
    meeting = [
        meet_source(s.card, signals[s.card.source], s.measures, judged[s.card.source]) for s in sources
    ]
    verdicts = [(one, _digest(judged[one.source])) for one in meeting]
    folder = files.join(out, "curate", duplicates.duplicates_digest(verdicts))
    if duplicates.is_resolved(folder):
        return folder
    buckets = -(-samples * (3 + near.BANDS) // ROWS_PER_BUCKET) or 1
    task = MeetTask(folder, buckets, meeting)
    files.remove_tree(task.work)
    path = task.save()
    items = [(path, place, part) for place, source in enumerate(sources) for part in source.parts]
    run("meet", "looking for duplicates", items, 0, [])
    duplicates.resolve(task)
    return folder


def _left(
    out: str,
    sources: list[Source],
    judged: dict[str, str],
    met: str,
    leaks: dict[str, str],
    run: RunStep,
) -> list[Source]:
    left: list[Source] = []
    items: list[Any] = []
    for source in sources:
        name, rules = source.card.source, source.card.rules
        thresholds = {
            "exact": None,
            "near_text": str(rules.near_text),
            "near_picture": str(rules.near_pictures),
        }
        going = duplicate_rejects(duplicates.leavers(met, name), thresholds)
        if name in leaks:
            going = with_leaks(going, leaks[name], source.parts)
        digest = kept_digest(_digest(source.measures), judged[name], source.parts, going)
        folder = files.join(out, "curate", digest, name)
        left.append(replace(source, measures=folder))
        missing = _missing(folder, part_name, source.parts)
        if missing:
            table = files.join(folder, "going.parquet")
            files.write_table(table, going.cast(GOING))
            path = KeptTask(name, source.catalog, source.measures, judged[name], table, folder).save()
            items += [(path, part) for part in missing]
    if items:
        run("keep", "parting what stays from what goes", items, 0, [])
    return left

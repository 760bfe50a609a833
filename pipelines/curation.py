"""Curation of a mixture up to what each sample says for itself: signals, readings, verdicts, and benchmarks found.

Each step is skipped where its files are there; thresholds decide only over what was measured, so that changing
one decodes nothing, and a source that is added is the only one that is measured. Who leaves for whom is
`pipelines/leaving.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipelines.catalogs import RunStep
from pipelines.leaks import find_leaks
from pipelines.readings import read_pictures
from pipelines.settings import BuildSettings
from vita_data import files
from vita_data.curate import phash
from vita_data.errors import UsageError
from vita_data.manifest.mixture import MixtureCard
from vita_data.manifest.source import SourceCard
from vita_data.select.stage import Source
from vita_data.verdicts.gone import digest_in, digest_of_measured, incomplete
from vita_data.verdicts.judge import JudgeTask, judge_digest, judged_name
from vita_data.verdicts.readings import readings_name
from vita_data.verdicts.signals import SignalsTask, signals_digest, signals_name


@dataclass(frozen=True)
class Judged:
    """The sources of a mixture with the measures of all that fits, and by source the folders that say more of them.

    `readings` and `leaks` are of those sources alone for which they were asked.
    """

    sources: list[Source]
    samples: int  # that the catalogs hold
    signals: dict[str, str]
    readings: dict[str, str]
    verdicts: dict[str, str]
    leaks: dict[str, str]


def judge(
    settings: BuildSettings,
    mixture: MixtureCard,
    sources: list[Source],
    summaries: dict[str, dict[str, Any]],
    run: RunStep,
    say: Callable[[str], None],
) -> Judged | None:
    """Measures and judges what is new of a mixture; None where it says `curate: false`."""
    if not mixture.curate:
        if settings.against is None:
            return None
        raise UsageError(
            f"mixture {mixture.mixture} says `curate: false`; remove that to look for benchmarks."
        )
    out = settings.out
    kept = {source.card.source: summaries[source.card.source]["kept"] for source in sources}
    signals = measure_signals(out, sources, kept, run)
    readings = read_pictures(out, sources, kept, run)
    verdicts = _verdicts(out, sources, signals, readings, run)
    leaks: dict[str, str] = {}
    if settings.against is not None:
        leaks = find_leaks(settings, mixture, sources, signals, near_radius, measure_signals, run, say)
    elif mixture.benchmarks:
        say(
            f"mixture {mixture.mixture} names benchmarks and no --against DIR says where they lie: none is looked for"
        )
    return Judged(sources, sum(kept.values()), signals, readings, verdicts, leaks)


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
        missing = incomplete(folder, signals_name, source.parts)
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


def missing_parts(folder: str, name: Any, parts: list[int]) -> list[int]:
    """The parts of a source whose file is not there; unfinished files of an earlier run are removed."""
    missing = [part for part in parts if not files.exists(files.join(folder, name(part)))]
    if missing:
        files.remove_unfinished(folder)
    return missing


def _verdicts(
    out: str, sources: list[Source], signals: dict[str, str], readings: dict[str, str], run: RunStep
) -> dict[str, str]:
    folders: dict[str, str] = {}
    items: list[Any] = []
    for source in sources:
        name, rules = source.card.source, source.card.rules
        read = readings.get(name)
        measured = digest_of_measured(signals[name], signals_name, source.parts)
        seen = read and digest_of_measured(read, readings_name, source.parts)
        digest = judge_digest(measured, digest_in(source.measures), rules, seen)
        folder = folders[name] = files.join(out, "curate", digest, name)
        missing = missing_parts(folder, judged_name, source.parts)
        if missing:
            task = JudgeTask(
                name, source.card.kind, source.catalog, signals[name], source.measures, folder, rules, read
            )
            path = task.save()
            items += [(path, part) for part in missing]
    if items:
        run("judge", "judging by the rules of the cards", items, 0, [])
    return folders


def near_radius(card: SourceCard) -> int | None:
    """The bits in which near pictures of a source may differ; None where they look alike by nature."""
    radius = card.rules.near_pictures
    if radius == "by-row":
        return None if card.row.scenario == "OCR & Diagram" else phash.RADIUS
    return None if radius == "off" else radius

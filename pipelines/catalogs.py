"""The catalogs and measures of a mixture: what is there and current is kept, the rest is read in two graphs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from pipelines.settings import BuildSettings
from vita_data import files
from vita_data.catalog import finish
from vita_data.catalog.merge import part_name
from vita_data.catalog.splits import load_splits, split_batch, split_items
from vita_data.catalog.task import progress_folder, work_folder
from vita_data.errors import SourceError, UsageError
from vita_data.manifest.geometry import Geometry
from vita_data.manifest.mixture import MixtureCard, MixtureSource
from vita_data.manifest.source import SourceCard, source_root
from vita_data.manifest.stage import StageCard
from vita_data.media.containers.walk import container_items
from vita_data.media.members import gather_members
from vita_data.select.measure import MeasureTask, measure_digest
from vita_data.select.stage import Source
from vita_data.sources.registry import checked_options

# Runs a named graph: (graph, what it does in words, items, units in total, folders of progress counts).
RunStep = Callable[[str, str, list[Any], int, list[str]], None]


@dataclass(frozen=True)
class _Catalog:
    """A source whose catalog is wanted."""

    card: SourceCard
    line: MixtureSource
    root: str
    folder: str
    annotations: dict[str, files.Identity]
    options: dict[str, Any]
    frames: dict[str, int]
    digest: str

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "source": self.card.source,
            "row": self.card.row.name,
            "kind": self.card.kind,
            "language": self.card.language,
            "licence": self.card.licence,
            "adapter": self.card.adapter,
            "options": self.options,
            "media": asdict(self.card.media),
            "seconds": asdict(self.card.seconds),
            "frames": self.frames,
            "case": self.card.case,
        }

    def split_items(self) -> list[Any]:
        work = work_folder(self.folder)
        return split_items(self.card.adapter, self.options, self.root, self.annotations, work)


def read_catalogs(
    settings: BuildSettings,
    mixture: MixtureCard,
    cards: dict[str, SourceCard],
    data_root: str | None,
    run: RunStep,
    say: Callable[[str], None],
) -> tuple[list[_Catalog], dict[str, dict[str, Any]]]:
    """Reads what is not catalogued yet; returns the catalogs with their summaries, each within its tolerance."""
    catalogs = _wanted(settings, mixture, cards, data_root, say)
    summaries = {c.card.source: finish.current_summary(c.folder, c.digest, c.root) for c in catalogs}
    stale = [c for c in catalogs if summaries[c.card.source] is None]
    if stale:
        summaries |= _read(stale, f"reading {len(stale)} of {len(catalogs)} sources", run)
    done = {name: summary for name, summary in summaries.items() if summary is not None}
    for catalog in catalogs:
        finish.check_tolerance(done[catalog.card.source], float(catalog.card.tolerance))
    return catalogs, done


def _read(stale: list[_Catalog], words: str, run: RunStep) -> dict[str, dict[str, Any]]:
    """Reads sources from their annotation files to `source.json`; returns their summaries."""
    for catalog in stale:
        finish.start(catalog.folder, catalog.digest)
        files.remove_unfinished(catalog.folder)
    to_split = {c.card.source: c.split_items() for c in stale}
    run(
        "split",
        "looking through the annotation files",
        [item for items in to_split.values() for item in items],
        0,
        [],
    )
    splits = {
        name: [found for item in items for found in load_splits(split_batch(*item))]
        for name, items in to_split.items()
    }
    archives = _listed(stale, run)
    tasks = {
        name: finish.make_task(c.facts, c.root, c.folder, c.annotations, splits[name], archives[name])
        for name, c in ((c.card.source, c) for c in stale)
    }
    items = [
        (path, n) for path, task in ((t.save(), t) for t in tasks.values()) for n in range(len(task.batches))
    ]
    records = sum(split.records for found in splits.values() for _, split in found)
    run("catalog", words, items, records, [progress_folder(task.work) for task in tasks.values()])
    return {
        c.card.source: finish.finish(tasks[c.card.source], c.digest, splits[c.card.source]) for c in stale
    }


def _listed(stale: list[_Catalog], run: RunStep) -> dict[str, str | None]:
    """Lists the archives that hold the media of the sources; returns what workers open, None without archives."""
    items = [item for c in stale for item in container_items(c.card.media, c.root, c.folder)]
    run("list", "listing the archives", items, 0, [])
    return {
        c.card.source: gather_members(c.card.media, c.root, c.folder) if c.card.media.places else None
        for c in stale
    }


def frames_of(card: SourceCard, geometry: Geometry) -> dict[str, int]:
    """How films are read, where a mixture's geometry may say so: for the rows of films; others keep the defaults."""
    if card.row.scenario != "General Video":
        return {}
    frames = {"min_frames": geometry.min_frames, "max_frames": geometry.max_frames}
    return {**frames, "short_side": geometry.tile_pixels}


def _wanted(
    settings: BuildSettings,
    mixture: MixtureCard,
    cards: dict[str, SourceCard],
    data_root: str | None,
    say: Callable[[str], None],
) -> list[_Catalog]:
    _refuse_missing(mixture, cards, data_root)
    wanted: list[_Catalog] = []
    for line in mixture.sources:
        card = cards[line.source]
        root = source_root(card, data_root)
        if line.optional and not files.exists(root):
            say(
                f"source {line.source} is left out: its folder {root} is not there, and the mixture calls it optional"
            )
            continue
        options = checked_options(card)
        annotations = finish.annotations_of(root, list(card.annotations), line.source)
        folder = files.join(settings.out, "catalog", line.source)
        plain = _Catalog(
            card, line, root, folder, annotations, options, frames_of(card, mixture.geometry), ""
        )
        digest = finish.catalog_digest(plain.facts, root, annotations)
        wanted.append(replace(plain, digest=digest))
    if not wanted:
        raise UsageError(
            f"mixture {mixture.mixture} has no source whose folder is there; see `vita-data sources`."
        )
    return wanted


def _refuse_missing(mixture: MixtureCard, cards: dict[str, SourceCard], data_root: str | None) -> None:
    """Names every folder that is not there at once, so that nobody learns of them one build at a time."""
    lines = [line.source for line in mixture.sources if not line.optional]
    missing = [name for name in lines if not files.exists(source_root(cards[name], data_root))]
    if len(missing) > 1:
        first = source_root(cards[missing[0]], data_root)
        raise SourceError(
            f"{len(missing)} of {len(lines)} sources of mixture {mixture.mixture} are not there: "
            f"{', '.join(missing)} (the first was looked for in {first}); `vita-data sources NAME` says how to get "
            "each, and what can stand in for those never released; fetch them, point --data-root at their folder, "
            "or write a mixture without them."
        )


def measure_catalogs(
    settings: BuildSettings,
    mixture: MixtureCard,
    catalogs: list[_Catalog],
    summaries: dict[str, dict[str, Any]],
    stage: StageCard,
    run: RunStep,
) -> list[Source]:
    """Measures what is not measured yet for this geometry, template and seed; returns the sources of the stage."""
    sources: list[Source] = []
    items: list[Any] = []
    folders: list[str] = []
    samples = 0
    for catalog in catalogs:
        summary = summaries[catalog.card.source]
        digest = measure_digest(
            summary["content"], mixture.geometry, stage.state_tokens, settings.seed, stage.noise_ends
        )
        folder = files.join(settings.out, "curate", digest, catalog.card.source)
        sources.append(
            Source(
                catalog.card,
                catalog.line,
                catalog.root,
                catalog.folder,
                folder,
                summary["parts"],
                summary["content"],
            )
        )
        missing = [part for part in summary["parts"] if not files.exists(files.join(folder, part_name(part)))]
        if missing:
            files.remove_unfinished(folder)
            task = MeasureTask(
                catalog.card.source,
                catalog.folder,
                folder,
                summary["parts"],
                summary["common_speakers"],
                mixture.geometry,
                stage.state_tokens,
                settings.seed,
                stage.noise_ends,
            )
            path = task.save()
            items += [(path, part) for part in missing]
            folders.append(files.join(folder, "progress"))
            samples += summary["kept"]
    if items:
        run("measure", "counting tokens and tiles", items, samples, folders)
    for folder in folders:
        files.remove_tree(folder)
    return sources

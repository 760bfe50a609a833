"""Decontamination: benchmarks are read as sources are, indexed once, and looked for in every source of a mixture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pipelines.catalogs import RunStep, read_catalogs
from pipelines.prints import hear_sounds
from pipelines.settings import BuildSettings
from vita_data import files
from vita_data.errors import UsageError
from vita_data.manifest.benchmark import BenchmarkCard
from vita_data.manifest.find import load_benchmarks
from vita_data.manifest.mixture import MixtureCard, MixtureSource
from vita_data.manifest.source import SourceCard, source_root
from vita_data.select.stage import Source
from vita_data.verdicts.benchmarks import ReadBenchmark, build_index, index_digest
from vita_data.verdicts.found import found_in
from vita_data.verdicts.gone import digest_of_measured
from vita_data.verdicts.leaks import LeaksTask, found_name, leaks_digest
from vita_data.verdicts.prints import prints_name
from vita_data.verdicts.signals import signals_name

Say = Callable[[str], None]
# Measures signals of sources: (folder of the build, sources, samples of each, run) -> folders by source.
Measure = Callable[[str, list[Source], dict[str, int], RunStep], dict[str, str]]
FOLDER = "benchmarks"


def find_leaks(
    settings: BuildSettings,
    mixture: MixtureCard,
    sources: list[Source],
    signals: dict[str, str],
    radius: Callable[[SourceCard], int | None],
    measure: Measure,
    run: RunStep,
    say: Say,
) -> dict[str, str]:
    """Looks for the benchmarks below `settings.against` in each source; returns the folders of what was found."""
    cards = _present(settings, mixture, say)
    benchmarks = _read(settings, mixture, cards, measure, run, say)
    index = files.join(settings.out, FOLDER, "index", index_digest(benchmarks))
    build_index(benchmarks, index)
    heard = any(one.prints for one in benchmarks)
    prints = hear_sounds(settings.out, sources, run) if heard else {}
    folders: dict[str, str] = {}
    items: list[Any] = []
    for source in sources:
        name = source.card.source
        guards = {
            card.benchmark: [asdict(guard) for guard in card.guards_of(name)] for card in cards.values()
        }
        facts: dict[str, Any] = {
            "pure_text": source.card.pure_text,
            "speech": source.card.unit == "hours",
            "radius": radius(source.card),
            "guards": {benchmark: some for benchmark, some in guards.items() if some},
            "alone": [card.benchmark for card in cards.values() if card.picture_alone],
            "heard": [card.benchmark for card in cards.values() if card.kind == "speech"],
        }
        digest = leaks_digest(index.rpartition("/")[2], _measured(source, signals, prints), [name, facts])
        folder = folders[name] = files.join(settings.out, "curate", digest, name)
        missing = [part for part in source.parts if not files.exists(files.join(folder, found_name(part)))]
        if missing:
            files.remove_unfinished(folder)
            task = LeaksTask(
                name, source.catalog, signals[name], index, folder, prints=prints.get(name), **facts
            )
            path = task.save()
            items += [(path, part) for part in missing]
    if items:
        run("leaks", "looking for benchmarks", items, 0, [])
    parts = {source.card.source: source.parts for source in sources}
    files.write_json(found_path(settings.out), found_in(folders, parts, list(cards)))
    return folders


def _measured(source: Source, signals: dict[str, str], prints: dict[str, str]) -> list[str | None]:
    name = source.card.source
    heard = prints.get(name)
    return [
        digest_of_measured(signals[name], signals_name, source.parts),
        heard and digest_of_measured(heard, prints_name, source.parts),
    ]


def found_path(out: str) -> str:
    """Where the sum of what was found last lies."""
    return files.join(out, FOLDER, "found.json")


def _present(settings: BuildSettings, mixture: MixtureCard, say: Say) -> dict[str, BenchmarkCard]:
    """The benchmarks whose files lie below the folder that the call names; the others are named aloud."""
    manifests = Path(settings.manifests) if settings.manifests else None
    cards = load_benchmarks(mixture.benchmarks or "all", mixture.path, manifests)
    present: dict[str, BenchmarkCard] = {}
    for name, card in cards.items():
        root = source_root(card.as_source(), settings.against)
        if files.exists(root) and all(files.matching(root, pattern) for pattern in card.annotations):
            present[name] = card
    absent = [name for name in cards if name not in present]
    if not present:
        raise UsageError(
            f"none of the benchmarks {', '.join(absent)} lies below {settings.against}; fetch them as their cards in "
            "manifests/benchmarks say, or leave --against out."
        )
    if absent:
        say(f"not looked for, since their files are not below {settings.against}: {', '.join(absent)}")
    return present


def _read(
    settings: BuildSettings,
    mixture: MixtureCard,
    cards: dict[str, BenchmarkCard],
    measure: Measure,
    run: RunStep,
    say: Say,
) -> list[ReadBenchmark]:
    """Catalogs and signals of the benchmarks, in a folder of their own: names of sources may be theirs too."""
    out = files.join(settings.out, FOLDER)
    plain = {name: card.as_source() for name, card in cards.items()}
    as_sources = {
        name: cards[name].as_source(source_root(card, settings.against)) for name, card in plain.items()
    }
    lines = tuple(
        MixtureSource(name, **{card.unit: "all"})  # type: ignore[arg-type]
        for name, card in as_sources.items()
    )
    asked = replace(mixture, sources=lines)
    catalogs, summaries = read_catalogs(
        replace(settings, out=out), asked, as_sources, settings.against, run, say
    )
    sources = [
        Source(
            one.card,
            one.line,
            one.root,
            one.folder,
            "",
            summaries[one.card.source]["parts"],
            summaries[one.card.source]["content"],
        )
        for one in catalogs
    ]
    _say_what_is_lost(summaries, say)
    kept = {name: summary["kept"] for name, summary in summaries.items()}
    signals = measure(out, sources, kept, run)
    prints = hear_sounds(out, sources, run)
    return [
        ReadBenchmark(
            s.card.source,
            s.catalog,
            s.catalog_digest,
            signals[s.card.source],
            prints.get(s.card.source),
            s.parts,
            s.card.unit == "hours",
        )
        for s in sources
    ]


def _say_what_is_lost(summaries: dict[str, dict[str, Any]], say: Say) -> None:
    """Names the benchmarks that are not looked for as a whole: of them 'nothing was found' says less than it seems."""
    for name, summary in sorted(summaries.items()):
        if not summary["read"]:
            say(f"benchmark {name} holds no record, so nothing is looked for; fetch its files again")
        elif lost := summary["read"] - summary["kept"]:
            reasons = ", ".join(f"{count} {rule}" for rule, count in sorted(summary["rejected"].items()))
            say(f"benchmark {name}: {lost} of {summary['read']} records are not looked for ({reasons})")

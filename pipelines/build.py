"""`vita-data build`: from cards to a finished stage folder, each step skipped when its files are there.

catalogs -> measures -> hold-out and quotas -> plan.json -> rows in order -> shards -> packs -> report ->
stage.json. Runs in one process with Beam below it; `pipelines.supervise` starts it in a child of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelines.catalogs import RunStep, measure_catalogs, read_catalogs
from pipelines.curation import Judged, judge
from pipelines.leaks import found_path
from pipelines.leaving import Curation, leave
from pipelines.readings import check_engine
from pipelines.settings import BuildSettings
from pipelines.speech import speak, speech_facts
from vita_data import files
from vita_data.catalog.finish import check_tolerance
from vita_data.errors import UsageError, VitaError
from vita_data.ledger.attribution import write_attribution
from vita_data.ledger.croissant import write_croissant
from vita_data.manifest.find import load_mixture, load_sources, load_stage
from vita_data.manifest.licence import ledger, left_out_words, licensed
from vita_data.manifest.mixture import MixtureCard
from vita_data.manifest.options import with_options
from vita_data.manifest.source import SourceCard
from vita_data.manifest.stage import StageCard
from vita_data.packs import window
from vita_data.packs.stage import pack_stage
from vita_data.report.formats import counted
from vita_data.report.page import write_report
from vita_data.report.traces import SourceTraces, Traces
from vita_data.sample.make import make_sample
from vita_data.select import fill, finish
from vita_data.select.characters import write_characters
from vita_data.select.draw import Drawn
from vita_data.select.finish import Spoken
from vita_data.select.gather import StageTask
from vita_data.select.holdout import HoldOut
from vita_data.select.late import Reject, by_key, copies_of, keys_of, known_late
from vita_data.select.needs import note_needs
from vita_data.select.rows import filled, held_counts, shard_pieces, stage_task
from vita_data.select.stage import Source, draw_all, hold_out_rule, make_plan, sources_of
from vita_data.shards import seal
from vita_data.shards.versions import versions

Say = Callable[[str], None]
STEPS = {"fill": fill.VERSION, "pack": window.VERSION}
MOST_REDRAWS = (
    5  # late rejects are rare; media that vanish faster than they are drawn again are a fault elsewhere
)


@dataclass(frozen=True)
class _Judged:
    """A mixture whose sources were read, measured and judged, for a stage that was not drawn yet."""

    stage: StageCard
    mixture: MixtureCard
    sources: list[Source]
    summaries: dict[str, dict[str, Any]]
    left_out: list[SourceCard]
    judged: Judged | None


def decontaminate(settings: BuildSettings, run: RunStep, say: Say) -> dict[str, Any]:
    """Reads and judges a mixture as for a stage and builds none; returns what was found of the benchmarks."""
    ready = _judged(settings, run, say)
    if ready.judged is None:
        raise UsageError(
            f"mixture {settings.mixture} says `curate: false`, so nothing is looked for; remove that."
        )
    late = known_late(settings.out, ready.stage.stage, ready.sources)
    _left(settings, ready, late, run, say)
    found: dict[str, Any] = files.read_json(found_path(settings.out))
    return found


def build(settings: BuildSettings, run: RunStep, say: Say) -> dict[str, Any]:
    """Builds a stage, or finds it built; returns its summary. Raises VitaError for what a person must mend."""
    ready = _judged(settings, run, say)
    stage, mixture, summaries = ready.stage, ready.mixture, ready.summaries
    speech = speech_facts(mixture, stage.spoken_share, settings.out) if stage.spoken_share else None
    folder = files.join(settings.out, "stages", stage.stage)
    pure_text = stage.pure_text if settings.pure_text is None else settings.pure_text
    origins = ledger((source.card for source in ready.sources), settings.licence, ready.left_out)

    late = known_late(settings.out, stage.stage, ready.sources)
    for _ in range(MOST_REDRAWS):
        _check_late(ready.sources, summaries, late)
        left = _left(settings, ready, late, run, say)
        sources = left.sources
        hold_out = hold_out_rule(stage, sources, mixture.holdout, keys_of(late))
        drawn = draw_all(stage, sources, hold_out, pure_text, keys_of(late), settings.allow_short)
        plan = make_plan(
            stage,
            mixture,
            sources,
            drawn,
            hold_out,
            settings.seed,
            pure_text,
            STEPS,
            speech,
            settings.licence,
        )
        traces = _traces(settings.out, ready.sources, left)
        built = finish.finished(folder, plan, summaries, late, origins, traces.benchmarks())
        measures = {source.measures for source in (*ready.sources, *sources)}
        note_needs(settings.out, stage.stage, measures | left.folders)
        if built is not None:
            say(f"{folder} was built before, and nothing has changed since")
            return built
        _say_what_is_held(plan, say)
        finish.begin(folder, plan)
        tasks = _ordered(folder, sources, drawn, hold_out, late, run)
        spoken: list[dict[str, Spoken]] = [{}, {}]
        if stage.spoken_share:
            asking = [source.card.source for source in sources if source.card.kind == "qa"]
            tasks, spoken = speak(tasks, asking, plan, mixture, stage.spoken_share, settings.out, run)
        lost = _write_shards(tasks, plan["shard_bytes"], run)
        if not lost:
            return _finish(folder, plan, sources, summaries, hold_out, late, origins, spoken, traces, run)
        late = by_key(late + lost + copies_of(lost, left.left_for(keys_of(lost)), sources))
        words = f"{counted(len(lost), 'sample')} lost a medium since the sources were catalogued"
        say(f"{words}; drawing again without {'it' if len(lost) == 1 else 'them'}")
    raise VitaError(
        f"{len(late)} media changed or vanished while {folder} was written; let the corpus rest and run again."
    )


def _judged(settings: BuildSettings, run: RunStep, say: Say) -> _Judged:
    manifests = Path(settings.manifests) if settings.manifests else None
    mixture = load_mixture(settings.mixture, manifests)
    stage = load_stage(settings.stage, mixture.path, manifests)
    stage, mixture = with_options(stage, mixture, settings.options)
    mixture = replace(mixture, speech=mixture.speech.below(settings.data_root))
    cards = load_sources(mixture, manifests)
    mixture, left_out = licensed(stage, mixture, cards, settings.licence, settings.pure_text)
    if stage.spoken_share:
        speech_facts(mixture, stage.spoken_share, settings.out)  # a missing engine is told before all is read
    if mixture.curate:
        check_engine(cards[line.source] for line in mixture.sources)
    _refuse_other_build(settings, mixture)
    files.make_folder(settings.out)
    data_root = _data_root(settings, mixture, say)
    if settings.licence is not None:
        say(left_out_words(settings.licence, left_out))
    mixture = sources_of(stage, mixture, cards)
    if stage.negatives and not any(cards[line.source].kind == "negative" for line in mixture.sources):
        say(f"mixture {mixture.mixture} names no source of negatives, so the stage has no clips of that kind")
    catalogs, summaries = read_catalogs(settings, mixture, cards, data_root, run, say)
    sources = measure_catalogs(settings, mixture, catalogs, summaries, stage, run)
    judged = judge(settings, mixture, sources, summaries, run, say)
    return _Judged(stage, mixture, sources, summaries, left_out, judged)


def _left(settings: BuildSettings, ready: _Judged, late: list[Reject], run: RunStep, say: Say) -> Curation:
    """What curation leaves of the sources when those samples are not there any more."""
    where = settings.out, ready.mixture.geometry
    return leave(*where, ready.sources, ready.judged, keys_of(late), run, say)


def _traces(out: str, measured: list[Source], left: Curation) -> Traces:
    """What the report looks at: of each source its measures before and after curation, and what judged it."""
    traces = {
        before.card.source: SourceTraces(
            before.root,
            before.catalog,
            before.parts,
            before.measures,
            after.measures,
            left.signals.get(before.card.source),
            left.leaks.get(before.card.source),
        )
        for before, after in zip(measured, left.sources, strict=True)
    }
    return Traces(out, traces, left.duplicates)


def _say_what_is_held(plan: dict[str, Any], say: Say) -> None:
    for line in plan["sources"]:
        if line["asked"] > line["planned"]:
            say(
                f"source {line['source']} gives {line['planned']:g} of {line['asked']:g} {line['unit']} asked: "
                f"it has {line['available'] + line['held']:g}, of which {line['held']:g} are held out from training"
            )


def _refuse_other_build(settings: BuildSettings, mixture: MixtureCard) -> None:
    """Stages of two seeds do not nest, and those of two mixtures have nothing to do with each other."""
    names = [
        name for kind in (seal.PLAN, seal.FACTS) for name in files.matching(settings.out, f"stages/*/{kind}")
    ]
    for place, _, kind in (name.rpartition("/") for name in names):
        folder = files.join(settings.out, place)
        said = seal.trusted(folder, kind)  # what is damaged says nothing, and its own build will mend it
        if said is None:
            continue
        if said["mixture"] != mixture.mixture:
            raise UsageError(
                f"{folder} was built from mixture {said['mixture']}, not {mixture.mixture}; "
                "choose another --out, or remove that folder."
            )
        if said["seed"] != settings.seed:
            raise UsageError(
                f"{folder} was built with seed {said['seed']}, not {settings.seed}; "
                "choose another --out, or remove that folder."
            )


def _data_root(settings: BuildSettings, mixture: MixtureCard, say: Say) -> str | None:
    """Where relative roots begin; a mixture whose corpus the project makes gets it made when it is missing."""
    if mixture.generator is None:
        return settings.data_root
    root = settings.data_root or files.join(settings.out, "sample")
    if files.exists(files.join(root, "answer-key.json")):
        return root
    if files.is_url(root):
        raise UsageError(
            f"the sample corpus is not in {root} and cannot be made there; make it on a local disk with "
            "`vita-data sample DIR`, and give that folder with --data-root DIR."
        )
    say(f"making the sample corpus in {root}")
    make_sample(Path(root), say)
    return root


def _check_late(sources: list[Source], summaries: dict[str, dict[str, Any]], late: list[Reject]) -> None:
    """Media that vanish after the catalog pass count towards the tolerance like those that were never there."""
    for source in sources:
        name = source.card.source
        lost = sum(reject["source"] == name for reject in late)
        check_tolerance(summaries[name], float(source.card.tolerance), lost)


def _ordered(
    folder: str,
    sources: list[Source],
    drawn: dict[str, Drawn],
    hold_out: HoldOut,
    late: list[Reject],
    run: RunStep,
) -> list[StageTask]:
    """Selects the stage's samples and its held-out ones and puts each in order; returns the task of the two."""
    keys = sorted(keys_of(late))
    held_out = held_counts(sources, hold_out, keys_of(late))
    counts = sum(part.samples for part in drawn.values()), sum(held for held, _ in held_out.values())
    tasks = [
        stage_task(folder, sources, drawn, hold_out, keys, count, held)
        for held, count in zip((False, True), counts, strict=True)
    ]
    items: list[Any] = []
    for task in tasks:
        files.remove_tree(task.work)
        path = task.save()
        items += [(path, s.card.source, n) for s in sources if s.card.source in task.sources for n in s.parts]
    run("select", "putting the drawn samples in order", items, 0, [])
    return tasks


def _write_shards(tasks: list[StageTask], shard_bytes: int, run: RunStep) -> list[Reject]:
    """Fills the shards of ordered samples; returns late rejects."""
    pieces = [shard_pieces(task, shard_bytes) for task in tasks]
    items = [
        (path, n, rows)
        for path, some in zip([task.save() for task in tasks], pieces, strict=True)
        for n, rows in enumerate(some)
    ]
    samples = sum(end - first for some in pieces for rows in some for _, first, end in rows)
    folders = [files.join(task.work, "progress") for task in tasks]
    run("fill", "writing shards", items, samples, folders)
    return [reject for task, some in zip(tasks, pieces, strict=True) for reject in filled(task, len(some))[1]]


def _finish(
    folder: str,
    plan: dict[str, Any],
    sources: list[Source],
    summaries: dict[str, dict[str, Any]],
    hold_out: HoldOut,
    late: list[Reject],
    origins: dict[str, Any],
    spoken: list[dict[str, Spoken]],
    traces: Traces,
    run: RunStep,
) -> dict[str, Any]:
    """Packs, rejects, report, attributions, and then the file that says the stage is whole."""
    shards = finish.shard_facts(folder)
    packs = pack_stage(
        folder, len(shards), plan, lambda items: run("pack", "packing training sequences", items, 0, [])
    )
    finish.remove_surplus(folder, len(shards), packs["windows"], [source.card.source for source in sources])
    rejected = finish.write_rejects(folder, sources, late)
    held = held_counts(sources, hold_out, keys_of(late))
    written = finish.count_index(folder, len(shards))
    drawn, held_out = spoken
    lines = [
        finish.source_summary(
            line, summaries[name], rejected[name], held[name], written.get(name), drawn.get(name, Spoken())
        )
        for line, name in ((line, line["source"]) for line in plan["sources"])
    ]
    characters = write_characters(folder, plan, len(shards))
    facts = finish.summary(
        plan, shards, lines, packs, late, versions(), origins, traces.benchmarks(), characters
    )
    finish.finish_eval(folder, plan, held_out)
    write_report(folder, plan, facts, traces)
    write_attribution(folder, facts)
    write_croissant(folder, plan, facts)
    files.remove_tree(files.join(folder, "work"))
    facts = seal.sealed_facts(folder, facts)
    files.write_json(files.join(folder, seal.FACTS), facts)
    return facts

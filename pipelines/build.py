"""`vita-data build`: from cards to a finished stage folder, each step skipped when its files are there.

catalogs -> measures -> hold-out and quotas -> plan.json -> rows in order -> shards -> packs -> report ->
stage.json. Runs in one process with Beam below it; `pipelines.supervise` starts it in a child of its own.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.catalogs import RunStep, measure_catalogs, read_catalogs
from pipelines.settings import BuildSettings
from vita_data import files
from vita_data.catalog.finish import check_tolerance
from vita_data.errors import SourceError, UsageError, VitaError
from vita_data.manifest.find import load_mixture, load_sources, load_stage
from vita_data.manifest.mixture import MixtureCard
from vita_data.packs import window
from vita_data.packs.stage import pack_stage
from vita_data.report.page import write_report
from vita_data.sample.make import make_sample
from vita_data.select import fill, finish
from vita_data.select.draw import Drawn
from vita_data.select.holdout import HoldOut
from vita_data.select.rows import filled, held_counts, shard_pieces, stage_task
from vita_data.select.stage import Source, draw_all, hold_out_rule, make_plan, refuse_unbuildable

Say = Callable[[str], None]
STEPS = {"fill": fill.VERSION, "pack": window.VERSION}
MOST_REDRAWS = (
    5  # late rejects are rare; media that vanish faster than they are drawn again are a fault elsewhere
)


def build(settings: BuildSettings, run: RunStep, say: Say) -> dict[str, Any]:
    """Builds a stage, or finds it built; returns its summary. Raises VitaError for what a person must mend."""
    manifests = Path(settings.manifests) if settings.manifests else None
    mixture = load_mixture(settings.mixture, manifests)
    stage = load_stage(settings.stage, mixture.path, manifests)
    refuse_unbuildable(stage)
    folder = files.join(settings.out, "stages", stage.stage)
    _refuse_other_build(settings, mixture)
    files.make_folder(settings.out)
    data_root = _data_root(settings, mixture, say)
    cards = load_sources(mixture, manifests)
    catalogs, summaries = read_catalogs(settings, mixture, cards, data_root, run, say)
    sources = measure_catalogs(settings, mixture, catalogs, summaries, stage.state_tokens, run)
    hold_out = hold_out_rule(sources, mixture.holdout)
    pure_text = stage.pure_text if settings.pure_text is None else settings.pure_text

    late = _late_of(folder, sources)
    for _ in range(MOST_REDRAWS):
        gone = frozenset(reject["key"] for reject in late)
        drawn = draw_all(stage, sources, hold_out, pure_text, gone, settings.allow_short)
        plan = make_plan(stage, mixture, sources, drawn, hold_out, settings.seed, pure_text, STEPS)
        ready = _finished(folder, plan, late)
        if ready is not None:
            say(f"{folder} was built before, and nothing has changed since")
            return ready
        _say_what_is_held(drawn, say)
        files.write_json(files.join(folder, "plan.json"), plan)
        lost = _write_shards(folder, plan, sources, drawn, hold_out, late, run)
        if not lost:
            return _finish(folder, plan, sources, summaries, hold_out, late, run)
        late += lost
        _check_late(sources, summaries, late)
        say(f"{len(lost)} samples lost a medium since they were catalogued; drawing again without them")
    raise VitaError(
        f"{len(late)} media changed or vanished while {folder} was written; let the corpus rest and run again."
    )


def _say_what_is_held(drawn: dict[str, Drawn], say: Say) -> None:
    for part in drawn.values():
        if part.asked > part.questions:
            say(
                f"source {part.source} gives {part.questions} of {part.asked} questions asked: "
                f"it has {part.available + part.held}, of which {part.held} are held out from training"
            )


def _refuse_other_build(settings: BuildSettings, mixture: MixtureCard) -> None:
    """Stages of two seeds do not nest, and those of two mixtures have nothing to do with each other."""
    for name in files.matching(settings.out, "stages/*/plan.json"):
        plan = files.read_json(files.join(settings.out, name))
        seed = plan["seed"]
        if plan["mixture"] != mixture.mixture:
            raise UsageError(
                f"{files.join(settings.out, name.rpartition('/')[0])} was built from mixture {plan['mixture']}, "
                f"not {mixture.mixture}; choose another --out, or remove that folder."
            )
        if seed != settings.seed:
            raise UsageError(
                f"{files.join(settings.out, name.rpartition('/')[0])} was built with seed {seed}, not {settings.seed}; "
                "choose another --out, or remove that folder."
            )


def _data_root(settings: BuildSettings, mixture: MixtureCard, say: Say) -> str | None:
    """Where relative roots begin; a mixture whose corpus the project makes gets it made when it is missing."""
    if mixture.generator is None:
        return settings.data_root
    root = settings.data_root or files.join(settings.out, "sample")
    if not files.exists(files.join(root, "answer-key.json")):
        say(f"making the sample corpus in {root}")
        make_sample(Path(root), say)
    return root


def _late_of(folder: str, sources: list[Source]) -> list[dict[str, Any]]:
    """Late rejects of the finished build here whose media are still lost; those that came back are drawn again.

    Those of a source that was read again since are forgotten: its new catalog knows better.
    """
    path = files.join(folder, "stage.json")
    if not files.exists(path):
        return []
    known = files.read_json(files.join(folder, "plan.json"))["catalogs"]
    unchanged = {s.card.source for s in sources if known.get(s.card.source) == s.catalog_digest}
    late: list[dict[str, Any]] = files.read_json(path)["late"]
    return [reject for reject in late if reject["source"] in unchanged and not _is_back(reject)]


def _is_back(reject: dict[str, Any]) -> bool:
    import hashlib

    reader = files.RangeReader()
    try:
        data = reader.read(reject["path"], reject["offset"], reject["length"])
    except (OSError, SourceError):
        return False
    finally:
        reader.close()
    return bool(hashlib.sha256(data).hexdigest() == reject["sha256"])


def _check_late(
    sources: list[Source], summaries: dict[str, dict[str, Any]], late: list[dict[str, Any]]
) -> None:
    """Media that vanish after the catalog pass count towards the tolerance like those that were never there."""
    for source in sources:
        name = source.card.source
        lost = sum(reject["source"] == name for reject in late)
        check_tolerance(summaries[name], float(source.card.tolerance), lost)


def _finished(folder: str, plan: dict[str, Any], late: list[dict[str, Any]]) -> dict[str, Any] | None:
    path = files.join(folder, "stage.json")
    if not files.exists(path):
        return None
    said: dict[str, Any] = files.read_json(path)
    current = said["digest"] == plan["digest"] and said["late"] == late
    return said if current and finish.looks_whole(folder, said) else None


def _write_shards(
    folder: str,
    plan: dict[str, Any],
    sources: list[Source],
    drawn: dict[str, Drawn],
    hold_out: HoldOut,
    late: list[dict[str, Any]],
    run: RunStep,
) -> list[dict[str, Any]]:
    """Selects, orders and fills the stage's shards and those of its held-out samples; returns late rejects."""
    if files.exists(files.join(folder, "stage.json")):
        files.remove(files.join(folder, "stage.json"))  # from here on the folder is not whole
    files.remove_unfinished(folder)
    keys = sorted(reject["key"] for reject in late)
    held_out = held_counts(sources, hold_out, frozenset(keys))
    counts = {
        False: sum(part.samples for part in drawn.values()),
        True: sum(held for held, _ in held_out.values()),
    }
    tasks = {
        held: stage_task(folder, sources, drawn, hold_out, keys, counts[held], held) for held in (False, True)
    }
    items: list[Any] = []
    paths: dict[bool, str] = {}
    for held, task in tasks.items():
        files.remove_tree(task.work)
        paths[held] = task.save()
        items += [
            (paths[held], s.card.source, n) for s in sources if s.card.source in task.sources for n in s.parts
        ]
    run("select", "putting the drawn samples in order", items, 0, [])
    pieces = {held: shard_pieces(task, plan["shard_bytes"]) for held, task in tasks.items()}
    items = [(paths[held], n, rows) for held in tasks for n, rows in enumerate(pieces[held])]
    run(
        "fill",
        "writing shards",
        items,
        sum(counts.values()),
        [files.join(task.work, "progress") for task in tasks.values()],
    )
    return [reject for held, task in tasks.items() for reject in filled(task, len(pieces[held]))[1]]


def _finish(
    folder: str,
    plan: dict[str, Any],
    sources: list[Source],
    summaries: dict[str, dict[str, Any]],
    hold_out: HoldOut,
    late: list[dict[str, Any]],
    run: RunStep,
) -> dict[str, Any]:
    """Packs, rejects, report, and then the file that says the stage is whole."""
    shards = _shard_facts(folder)
    packs = pack_stage(
        folder, len(shards), plan, lambda items: run("pack", "packing training sequences", items, 0, [])
    )
    finish.remove_surplus(folder, len(shards), packs["windows"])
    rejected = finish.write_rejects(folder, sources, late)
    held = held_counts(sources, hold_out, frozenset(reject["key"] for reject in late))
    written = finish.count_index(folder, len(shards))
    lines = [
        finish.source_summary(
            line,
            summaries[line["source"]]["read"],
            rejected[line["source"]],
            held[line["source"]],
            written.get(line["source"]),
        )
        for line in plan["sources"]
    ]
    facts = finish.summary(plan, shards, lines, packs, late, versions())
    _finish_eval(folder, plan)
    write_report(folder, plan, facts, {source.card.source: source.root for source in sources})
    files.remove_tree(files.join(folder, "work"))
    files.write_json(files.join(folder, "stage.json"), facts)
    return facts


def _shard_facts(folder: str) -> list[dict[str, Any]]:
    work = files.join(folder, "work")
    return [files.read_json(files.join(work, name)) for name in files.matching(work, "shard-*.json")]


def _finish_eval(folder: str, plan: dict[str, Any]) -> None:
    """Makes the held-out part a stage folder of its own, which readers open like any other."""
    inner = files.join(folder, "eval")
    shards = _shard_facts(inner)
    if not shards:
        files.remove_tree(inner)
        return
    finish.remove_surplus(inner, len(shards), 0)
    written = finish.count_index(inner, len(shards))
    files.write_json(files.join(inner, "plan.json"), plan)
    files.remove_tree(files.join(inner, "work"))
    facts = {
        "stage": plan["stage"],
        "digest": plan["digest"],
        "shards": shards,
        "written": written,
        "packs": {"windows": 0},
    }
    files.write_json(files.join(inner, "stage.json"), facts)


def versions() -> dict[str, str]:
    """The libraries whose bytes end up in a stage, and the machine's kind."""
    import PIL
    import pyarrow

    return {
        "python": platform.python_version(),
        "pillow": PIL.__version__,
        "pyarrow": pyarrow.__version__,
        "machine": platform.machine(),
    }

"""The spoken questions of a stage: the drawn rows and the held-out ones are tried together, each with its own count.

Questions that cannot be spoken make room for the next in order. Each attempt goes as much further into a
source's order as is missing by the share that was good so far; the last one tries all there are. Which
questions are spoken in the end does not depend on how far the attempts went.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.catalogs import RunStep
from vita_data import files
from vita_data.errors import VitaError
from vita_data.manifest.mixture import MixtureCard
from vita_data.prompt.template import noise_ends_in
from vita_data.select.finish import Spoken
from vita_data.select.gather import StageTask
from vita_data.select.rows import ordered_buckets
from vita_data.speech.choose import PLACE, cutoff, further, up_to, wanted
from vita_data.speech.fit import VERSION
from vita_data.speech.function import end_functions
from vita_data.speech.known import cache_folder, known_engine, note_engine
from vita_data.speech.task import EVERY_QUESTION, SpeechTask, clip_buckets, read_columns

MOST_ATTEMPTS = 8
MANY = 10  # questions that an engine must not all fail at


@dataclass
class _Set:
    """The questions of one task: all of them by source, those that can be tried, and how many are wanted."""

    task: SpeechTask
    all: dict[str, pa.Table]
    there: dict[str, pa.Table]
    count: dict[str, int]
    tried: dict[str, pa.Table]


def speech_facts(mixture: MixtureCard, share: Fraction, out: str) -> dict[str, Any]:
    """What a plan says of the engine, with the digest that names its cache.

    UsageError when the engine is not there and has never spoken for this build.
    """
    identity, digest = known_engine(mixture.speech, out)
    return {
        "share": str(share),
        "card": asdict(mixture.speech),
        "engine": identity,
        "digest": digest,
        "steps": {"voice": VERSION},
    }


def speak(
    tasks: list[StageTask],
    sources: list[str],
    plan: dict[str, Any],
    mixture: MixtureCard,
    share: Fraction,
    out: str,
    run: RunStep,
) -> tuple[list[StageTask], list[dict[str, Spoken]]]:
    """Speaks the share of each source's questions in every task's rows; returns the tasks with their new rows,
    and what was spoken of the sources of each.

    VitaError when not one question could be spoken.
    """
    engine = plan["speech"]
    cache = cache_folder(out, engine["digest"])
    files.make_folder(cache)
    files.remove_unfinished(cache)
    made = [_task(task, sources, plan, mixture, cache) for task in tasks]
    run("questions", "looking for questions to speak", [(t.save(), b) for t in made for b in t.rows], 0, [])
    sets = [_set(task, share) for task in made]
    try:
        _try_all(sets, run)
    finally:
        end_functions()
    note_engine(mixture.speech, out, engine["engine"], engine["digest"])
    for each in sets:
        final = {name: cutoff(_good(table), each.count[name]) for name, table in each.tried.items()}
        each.task = replace(each.task, cutoffs=final)
    items = [(each.task.save(), bucket) for each in sets for bucket in each.task.rows]
    run("voice", "putting sounds in the place of words", items, 0, [])
    new = [
        replace(task, voiced=each.task.voiced, speech=cache) for task, each in zip(tasks, sets, strict=True)
    ]
    return new, [_said(each) for each in sets]


def _task(
    task: StageTask, sources: list[str], plan: dict[str, Any], mixture: MixtureCard, cache: str
) -> SpeechTask:
    rows = ordered_buckets(task)
    samples = sum(len(read_columns(files.join(task.work, f"ordered-{n:05d}.arrow"), ["key"])) for n in rows)
    return SpeechTask(
        work=task.work,
        cache=cache,
        sources=[name for name in sources if name in task.sources],
        rows=rows,
        clips=clip_buckets(samples),
        card=mixture.speech,
        geometry=mixture.geometry,
        state_tokens=plan["state_tokens"],
        noise_ends=noise_ends_in(plan),
        seed=plan["seed"],
        cutoffs={},
    )


def _set(task: SpeechTask, share: Fraction) -> _Set:
    tables = [read_columns(task.questions_path(bucket), ["source", *PLACE, "reason"]) for bucket in task.rows]
    every = _by_source(tables, task.sources)
    there = {name: _good(table) for name, table in every.items()}
    count = {name: wanted(share, len(table)) for name, table in every.items()}
    task = replace(task, cutoffs={name: cutoff(there[name], count[name]) for name in every})
    return _Set(task, every, there, count, {})


def _by_source(tables: list[pa.Table], sources: list[str]) -> dict[str, pa.Table]:
    if not tables:
        return {}
    table = pa.concat_tables(tables)
    return {name: table.filter(pc.equal(table.column("source"), name)) for name in sources}


def _good(table: pa.Table) -> pa.Table:
    return table.filter(pc.is_null(table.column("reason")))


def _try_all(sets: list[_Set], run: RunStep) -> None:
    """Tries questions until enough of every source are good, or there are no more."""
    for attempt in range(MOST_ATTEMPTS):
        tasks = [each.task for each in sets]
        items = [(task.save(), number) for task in tasks for number in range(task.clips)]
        amount = sum(
            int(up_to(each.there[name], rank).sum())
            for each in sets
            for name, rank in each.task.cutoffs.items()
        )
        progress = [files.join(task.work, "progress") for task in tasks]
        words = "speaking questions" if not attempt else "speaking others for those that failed"
        run("speak", words, items, amount, progress)
        for folder in progress:
            files.remove_tree(folder)
        items = [(task.save(), bucket) for task in tasks for bucket in task.rows]
        run("fit", "seeing whether they fit", items, 0, [])
        for each in sets:
            tables = [
                read_columns(each.task.path("fitted", bucket), ["source", *PLACE, "reason", "path"])
                for bucket in each.task.rows
            ]
            each.tried = _by_source(tables, each.task.sources)
        _refuse_silence(sets)
        cutoffs = [_next(each, attempt + 2 >= MOST_ATTEMPTS) for each in sets]
        if all(new == each.task.cutoffs for new, each in zip(cutoffs, sets, strict=True)):
            return
        for new, each in zip(cutoffs, sets, strict=True):
            each.task = each.task.again(new)


def _next(each: _Set, last: bool) -> dict[str, Any]:
    """The cut-offs of the next attempt: the same where enough is good or nothing is left."""
    cutoffs = dict(each.task.cutoffs)
    for name, table in each.tried.items():
        tried, good, there = len(table), len(_good(table)), len(each.there[name])
        if good < each.count[name] and tried < there:
            more = there if last else further(tried, good, each.count[name], there)
            cutoffs[name] = cutoff(each.there[name], more)
    return cutoffs


def _refuse_silence(sets: list[_Set]) -> None:
    """Raises VitaError when the engine speaks nothing of many questions: that is no matter of single ones."""
    reasons: Counter[str] = Counter()
    for table in (table for each in sets for table in each.tried.values()):
        if table.column("path").null_count < len(table):
            return
        reasons.update(table.column("reason").to_pylist())
    if sum(reasons.values()) >= MANY:
        rule, count = min(reasons.items(), key=lambda item: (-item[1], item[0]))
        raise VitaError(
            f"not one of {sum(reasons.values())} questions could be spoken ({count} of them: {rule}); the tables in "
            f"{sets[0].task.cache} hold each reason; mend the engine and remove that folder, or choose another engine."
        )


def _said(each: _Set) -> dict[str, Spoken]:
    """What became of the questions of each source, up to the last that is spoken (of all, where they are too few)."""
    found: dict[str, Spoken] = {}
    for name, table in each.all.items():
        tried = each.tried[name]
        spoken = min(len(_good(tried)), each.count[name])
        last = each.task.cutoffs[name] if spoken == each.count[name] else EVERY_QUESTION
        reasons: Counter[str] = Counter()
        for part in (table, tried):
            passed = part.filter(pa.array(up_to(part, last))).column("reason")
            reasons.update(reason for reason in passed.to_pylist() if reason is not None)
        found[name] = Spoken(spoken, dict(sorted(reasons.items())))
    return found

"""A stage as numbers: who is held out, what every source gives, and the plan that names it all.

Works on cards and on measured parts, never on media. `plan.json` is written before the first shard, so
that a build that was stopped knows what it was building.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from math import floor
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from vita_data import files
from vita_data.catalog.merge import part_name
from vita_data.catalog.task import HEARD_RATE, SPOKEN_RATE
from vita_data.errors import QuotaError, UsageError
from vita_data.manifest.mixture import Holdout, MixtureCard, MixtureSource
from vita_data.manifest.plan import share_of
from vita_data.manifest.source import SourceCard
from vita_data.manifest.spoken import spoken_of
from vita_data.manifest.stage import StageCard, Training
from vita_data.prompt.template import NOISE_ANSWER, template_digest
from vita_data.select.draw import Drawn, column_of, draw
from vita_data.select.holdout import HoldOut, hold_out_of
from vita_data.select.negatives import draw_negatives
from vita_data.select.rejected import causes
from vita_data.shards.seal import sealed_plan

# Raise when a plan of equal inputs would name other shards or packs.
VERSION = 1
SECONDS_AN_HOUR = 3600
MOST_CAUSES = 3  # that are named where nothing is left of a source


@dataclass(frozen=True)
class Source:
    """A source of a mixture with its card, its line, and where its catalog and its measures lie."""

    card: SourceCard
    line: MixtureSource
    root: str
    catalog: str
    measures: str
    parts: list[int]
    catalog_digest: str

    @property
    def paths(self) -> list[str]:
        """The measured parts of the source."""
        return [files.join(self.measures, part_name(part)) for part in self.parts]


def sources_of(stage: StageCard, mixture: MixtureCard, cards: dict[str, SourceCard]) -> MixtureCard:
    """The part of a mixture whose catalogs a stage needs: all that is counted in its unit, drawn from or not.

    Negatives are needed by a stage that takes some. Who is held out, and later what is a duplicate, is a question
    to the whole of it. Raises UsageError where nothing is left.
    """
    units = {stage.unit, "clips"} if stage.negatives else {stage.unit}
    lines = tuple(line for line in mixture.sources if cards[line.source].unit in units)
    if not any(cards[line.source].unit == stage.unit for line in lines):
        raise UsageError(
            f"stage {stage.stage} takes {stage.unit} and mixture {mixture.mixture} names no source that is counted "
            f"in {stage.unit}; add one whose row has type {'ASR or TTS' if stage.unit == 'hours' else 'QA'}."
        )
    return replace(mixture, sources=lines)


def hold_out_rule(
    stage: StageCard, sources: list[Source], rule: Holdout, late: frozenset[str] = frozenset()
) -> HoldOut:
    """The hold-out of a whole mixture: a limit for all, and what its small sources change of it.

    Samples that were lost late have no say: the rule is the one of a catalog that never had them.
    """
    columns = ([_hold_column(path, late) for path in source.paths] for source in sources)
    return replace(hold_out_of(columns, float(rule.share), rule.least), hears=stage.hears)


def _hold_column(path: str, late: frozenset[str]) -> pa.ListArray:
    table = files.read_table(path, ["key", "hold"] if late else ["hold"])
    if late:
        table = table.filter(pc.invert(pc.is_in(table.column("key"), pa.array(sorted(late), pa.string()))))
    return table.column("hold").combine_chunks()


def draw_all(
    stage: StageCard,
    sources: list[Source],
    hold_out: HoldOut,
    pure_text: bool,
    late: frozenset[str],
    allow_short: bool,
) -> dict[str, Drawn]:
    """Draws every source's quota; raises QuotaError with all that fall short, unless that is allowed."""
    drawn: dict[str, Drawn] = {}
    for source in sources:
        if source.card.kind == "negative":
            continue
        stated = source.line.amount
        drawn[source.card.source] = draw(
            source.card.source,
            source.paths,
            column_of(stage.unit),
            share_of(stage, source.card, pure_text),
            None if stated is None else stated * unit_size(source.card),
            hold_out,
            late,
        )
    if not any(part.asked for part in drawn.values()):
        raise _nothing_left(stage, [source for source in sources if share_of(stage, source.card, pure_text)])
    spoken = sum(
        spoken_of(stage, s.card, drawn[s.card.source].amount) for s in sources if s.card.source in drawn
    )
    giving = [(s.card.source, s.paths, s.line.amount) for s in sources if s.card.kind == "negative"]
    drawn |= draw_negatives(floor(stage.negatives * spoken), giving, hold_out, late)
    short = [part for part in drawn.values() if part.short]
    if short and not allow_short:
        cards = {source.card.source: source.card for source in sources}
        lines = "; ".join(_shortage(part, cards[part.source]) for part in short)
        units = listed_units(cards[part.source] for part in short)
        raise QuotaError(
            f"stage {stage.stage} asks for more than there is: {lines}; "
            f"add data, lower {units} in the mixture, or take what there is with --allow-short."
        )
    return {source.card.source: drawn[source.card.source] for source in sources}


def _nothing_left(stage: StageCard, sources: list[Source]) -> QuotaError:
    """What is said where a stage draws nothing: there is no such source, or its samples are all gone, and for what."""
    kinds = " and ".join(kind for kind, share in vars(stage.shares).items() if share)
    if not sources:
        return QuotaError(
            f"stage {stage.stage} takes {kinds} data, of which the mixture has none; "
            "add such a source, or change `type` in the row of a card that is taken for the other kind."
        )
    lines = "; ".join(f"{source.card.source} ({_gone_for(source)})" for source in sources)
    return QuotaError(
        f"stage {stage.stage} takes {kinds} data, of which nothing is left: {lines}; "
        "change the `rules` of these cards or `max_length`, or add another source."
    )


def _gone_for(source: Source) -> str:
    found = causes([source.catalog, source.measures], source.parts)
    named = ", ".join(f"{count} {name}" for name, count in list(found.items())[:MOST_CAUSES])
    return named or "held out from training"


def listed_units(cards: Iterable[SourceCard]) -> str:
    """The keys of a mixture's lines that say how much of these sources is meant."""
    return " and ".join(f"`{unit}`" for unit in dict.fromkeys(card.unit for card in cards))


def unit_size(card: SourceCard) -> int:
    """How much of what is counted makes one unit of a source: an hour is many samples of sound, the others are one."""
    if card.unit != "hours":
        return 1
    return SECONDS_AN_HOUR * (SPOKEN_RATE if card.kind == "tts" else HEARD_RATE)


def in_units(amount: int, size: int) -> int | float:
    """An amount in units: whole questions, or hours."""
    return amount if size == 1 else amount / size


def _shortage(part: Drawn, card: SourceCard) -> str:
    unit, size = card.unit, unit_size(card)
    asked, there, held = (
        f"{in_units(n, size):,.6g}" if size > 1 else str(n)
        for n in (part.asked, part.available + part.held, part.held)
    )
    return f"{part.source} is asked for {asked} {unit} and has {there} available, {held} of them held out"


def make_plan(
    stage: StageCard,
    mixture: MixtureCard,
    sources: list[Source],
    drawn: dict[str, Drawn],
    hold_out: HoldOut,
    seed: int,
    pure_text: bool,
    steps: dict[str, int],
    speech: dict[str, Any] | None = None,
    licence: str | None = None,
) -> dict[str, Any]:
    """The plan of a stage: everything its bytes depend on, the versions of the steps that write them included.

    `speech` says how its questions are spoken, where some are, and `licence` which use all sources must allow.
    """
    plan: dict[str, Any] = {
        "stage": stage.stage,
        "mixture": mixture.mixture,
        "seed": seed,
        "steps": {**steps, "stage": VERSION},
        "pure_text": pure_text,
        "geometry": asdict(mixture.geometry),
        "geometry_digest": mixture.geometry.digest(),
        "template_digest": template_digest(stage.state_tokens, stage.noise_ends),
        "state_tokens": stage.state_tokens,
        "forgetting": stage.forgetting,
        **_runs(stage),
        "shard_bytes": mixture.shard_megabytes << 20,
        "hold_out": {"share": str(mixture.holdout.share), "least": mixture.holdout.least, **asdict(hold_out)},
        "sources": [_source_plan(stage, source, drawn[source.card.source], pure_text) for source in sources],
    }
    if speech is not None:
        plan["speech"] = speech
    if licence is not None:
        plan["licence"] = licence
    if stage.noise_ends:
        plan[NOISE_ANSWER] = stage.noise_answer
    plan["catalogs"] = {source.card.source: source.catalog_digest for source in sources}
    plan["measures"] = {source.card.source: source.measures.split("/")[-2] for source in sources}
    return sealed_plan(plan)


def _runs(stage: StageCard) -> dict[str, Any]:
    """What a stage trains and how, or the same for each of its halves."""
    if stage.halves:
        return {"halves": {half: _run(stage.training(half)) for half in stage.halves}}
    return _run(stage.training())


def _run(training: Training) -> dict[str, Any]:
    return {
        "trains": list(training.trains),
        "loss": training.loss,
        "needs": list(training.needs),
        "schedule": asdict(training.schedule),
        **({"loss_weights": training.loss_weights} if training.loss_weights else {}),
    }


def _share(stage: StageCard, card: SourceCard, pure_text: bool) -> Fraction:
    """The part of a source that a stage draws; for negatives their part of the spoken questions."""
    return stage.negatives if card.kind == "negative" else share_of(stage, card, pure_text)


def _source_plan(stage: StageCard, source: Source, drawn: Drawn, pure_text: bool) -> dict[str, Any]:
    amounts = {
        "asked": drawn.asked,
        "available": drawn.available,
        "held": drawn.held,
        "planned": drawn.amount,
    }
    size = unit_size(source.card)
    return {
        **{name: in_units(amount, size) for name, amount in amounts.items()},
        "amounts": amounts,
        "unit_size": size,
        "source": drawn.source,
        "row": asdict(source.card.row),
        "language": source.card.language,
        "licence": source.card.licence,
        "unit": source.card.unit,
        "share": str(_share(stage, source.card, pure_text)),
        "spoken": spoken_of(stage, source.card, drawn.amount),
        "available_samples": drawn.available_samples,
        "planned_samples": drawn.samples,
        "short": drawn.short,
    }

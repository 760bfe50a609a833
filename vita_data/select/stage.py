"""A stage as numbers: who is held out, what every source gives, and the plan that names it all.

Works on cards and on measured parts, never on media. `plan.json` is written before the first shard, so
that a build that was stopped knows what it was building.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from vita_data import files
from vita_data.catalog.merge import part_name
from vita_data.errors import QuotaError, UsageError
from vita_data.manifest.mixture import Holdout, MixtureCard, MixtureSource
from vita_data.manifest.plan import share_of
from vita_data.manifest.source import SourceCard
from vita_data.manifest.stage import StageCard
from vita_data.prompt.template import template_digest
from vita_data.records.key import digest_of
from vita_data.select.draw import Drawn, draw
from vita_data.select.holdout import HoldOut, extra_media, hold_limit

# Raise when a plan of equal inputs would name other shards or packs.
VERSION = 1
READABLE = ("image", "text", "video")  # video rows read what their adapter can, and reject the rest


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


def refuse_unbuildable(stage: StageCard) -> None:
    """Raises UsageError for stages that need what this version does not make yet."""
    if stage.unit != "questions" or stage.spoken_share or not set(stage.reads) <= set(READABLE):
        raise UsageError(
            f"stage {stage.stage} needs speech, which `build` does not make yet; stages 1.1, 1.2 and 1.3 can be built, "
            f"and `vita-data plan --stage {stage.stage}` says what this one will ask for."
        )


def hold_out_rule(sources: list[Source], rule: Holdout) -> HoldOut:
    """The hold-out of a whole mixture: a limit for all, and the media that small sources add."""
    limit = hold_limit(float(rule.share))
    extra: set[int] = set()
    for source in sources:
        holds = [files.read_table(path, ["hold"]).column("hold").combine_chunks() for path in source.paths]
        holds = [column for column in holds if len(column)]
        if holds:
            extra |= extra_media(holds, limit, rule.least)
    return HoldOut(limit, tuple(sorted(extra)))


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
        asked = source.line.questions
        number = None if asked in ("all", None) else int(asked)  # type: ignore[arg-type]
        share = share_of(stage, source.card, pure_text)
        drawn[source.card.source] = draw(source.card.source, source.paths, share, number, hold_out, late)
    if not any(part.asked for part in drawn.values()):
        kinds = " and ".join(kind for kind in ("caption", "qa") if getattr(stage.shares, kind))
        raise QuotaError(
            f"stage {stage.stage} takes {kinds} data, of which the mixture has none that fits `max_length`; "
            "add such a source, or change `type` in the row of a card that is taken for the other kind."
        )
    short = [part for part in drawn.values() if part.short]
    if short and not allow_short:
        lines = "; ".join(
            f"{part.source} is asked for {part.asked} questions and has {part.available + part.held} available, "
            f"{part.held} of them held out"
            for part in short
        )
        raise QuotaError(
            f"stage {stage.stage} asks for more than there is: {lines}; "
            "add data, lower `questions` in the mixture, or take what there is with --allow-short."
        )
    return drawn


def make_plan(
    stage: StageCard,
    mixture: MixtureCard,
    sources: list[Source],
    drawn: dict[str, Drawn],
    hold_out: HoldOut,
    seed: int,
    pure_text: bool,
    steps: dict[str, int],
) -> dict[str, Any]:
    """The plan of a stage: everything its bytes depend on, the versions of the steps that write them included."""
    training = stage.training()
    plan: dict[str, Any] = {
        "stage": stage.stage,
        "mixture": mixture.mixture,
        "seed": seed,
        "steps": steps,
        "pure_text": pure_text,
        "geometry": asdict(mixture.geometry),
        "geometry_digest": mixture.geometry.digest(),
        "template_digest": template_digest(stage.state_tokens),
        "state_tokens": stage.state_tokens,
        "trains": list(training.trains),
        "loss": training.loss,
        "needs": list(training.needs),
        "schedule": asdict(mixture.schedule(training.schedule)),
        "shard_bytes": mixture.shard_megabytes << 20,
        "hold_out": {"share": str(mixture.holdout.share), "least": mixture.holdout.least, **asdict(hold_out)},
        "sources": [_source_plan(stage, source, drawn[source.card.source], pure_text) for source in sources],
    }
    plan["catalogs"] = {source.card.source: source.catalog_digest for source in sources}
    plan["measures"] = {source.card.source: source.measures.split("/")[-2] for source in sources}
    plan["digest"] = digest_of("stage", VERSION, plan)
    return plan


def _source_plan(stage: StageCard, source: Source, drawn: Drawn, pure_text: bool) -> dict[str, Any]:
    return {
        "source": drawn.source,
        "row": asdict(source.card.row),
        "language": source.card.language,
        "licence": source.card.licence,
        "unit": stage.unit,
        "share": str(share_of(stage, source.card, pure_text)),
        "asked": drawn.asked,
        "available": drawn.available,
        "held": drawn.held,
        "available_samples": drawn.available_samples,
        "planned": drawn.questions,
        "planned_samples": drawn.samples,
        "short": drawn.short,
    }

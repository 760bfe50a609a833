"""The cards as rows of plain values, for tables on a terminal and for `--json`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vita_data.manifest.mixture import MixtureCard
from vita_data.manifest.source import SourceCard
from vita_data.manifest.stage import StageCard
from vita_data.manifest.values import number


def stage_rows(stages: Iterable[StageCard]) -> list[dict[str, Any]]:
    """One row a training run, so two for a stage in halves (2.1a and 2.1b), in the order given."""
    rows = []
    for card in stages:
        halves: list[str | None] = [*card.halves] or [None]
        for half in halves:
            run = card.training(half)
            rows.append(
                {
                    "stage": card.stage + (half or ""),
                    "title": run.title or card.title,
                    "unit": card.unit,
                    "reads": list(card.reads),
                    "shares": {kind: number(share) for kind, share in vars(card.shares).items() if share},
                    "pure_text": card.pure_text,
                    "spoken_share": None if card.spoken_share is None else number(card.spoken_share),
                    "negatives": number(card.negatives),
                    "trains": list(run.trains),
                    "loss": run.loss,
                    "needs": list(run.needs),
                    "learning_rate": run.schedule.learning_rate,
                    "global_batch": run.schedule.global_batch,
                    "options": {
                        name: option.reason
                        for name, option in card.options.items()
                        if option.half in (None, half)
                    },
                }
            )
    return rows


def source_rows(cards: Iterable[SourceCard], mixture: MixtureCard | None = None) -> list[dict[str, Any]]:
    """One row a source card, with its questions in the mixture (None: the mixture does not name it)."""
    rows = []
    for card in cards:
        line = mixture.line(card.source) if mixture is not None else None
        rows.append(
            {
                "source": card.source,
                "title": card.title,
                "row": card.row.name,
                "scenario": card.row.scenario,
                "type": card.row.type,
                "questions": line.questions if line is not None else None,
                "language": card.language,
                "licence": card.licence,
                "commercial": card.commercial,
                "released": card.released,
                "substitute": card.substitute,
                "adapter": card.adapter,
                "annotations": list(card.annotations),
                "revision": card.revision,
                "get": card.get,
                "known": list(card.known),
            }
        )
    return rows

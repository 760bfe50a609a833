"""Licences of a mixture's sources: those whose card allows a kind of use, and what is written down of each.

What a card says of its licence is its author's reading; no card, no word and no guess of a program is an allowance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from vita_data.errors import UsageError
from vita_data.manifest.mixture import MixtureCard
from vita_data.manifest.plan import share_of
from vita_data.manifest.source import SourceCard
from vita_data.manifest.stage import StageCard

COMMERCIAL = "commercial"
# What a stage says of a source beside what it counts.
SAID = ("title", "licence", "media_licence", "commercial", "url", "get", "revision", "cite")


def licensed(
    stage: StageCard,
    mixture: MixtureCard,
    cards: Mapping[str, SourceCard],
    licence: str | None,
    pure_text: bool | None = None,
) -> tuple[MixtureCard, list[SourceCard]]:
    """The mixture with the sources alone that a licence allows, and those left out that the stage would look at.

    `commercial` takes sources whose card says `commercial: allowed`; None takes all. The mixture gets a name that
    no card can have, so that its stages never lie beside those that were built without. Raises UsageError where the
    stage would have nothing to draw from, with the reason for each source.
    """
    if licence is None:
        return mixture, []
    rest = tuple(line for line in mixture.sources if cards[line.source].commercial == "allowed")
    units = {stage.unit, "clips"} if stage.negatives else {stage.unit}
    names = [line.source for line in mixture.sources if line not in rest]
    left_out = [cards[name] for name in names if cards[name].unit in units]
    if not any(share_of(stage, cards[line.source], pure_text) for line in rest):
        reasons = "; ".join(f"{card.source} is {card.commercial} ({card.licence})" for card in left_out)
        raise UsageError(
            f"with --licence {licence} nothing is left of mixture {mixture.mixture} for stage {stage.stage}: "
            f"{reasons or 'it names no source for it'}; add a source whose card says `commercial: allowed`, or leave "
            "--licence out."
        )
    return replace(mixture, mixture=f"{mixture.mixture}+licence={licence}", sources=rest), left_out


def left_out_words(licence: str, left_out: Iterable[SourceCard]) -> str:
    """The sentence that names what a licence left out."""
    names = ", ".join(f"{card.source} ({card.commercial})" for card in left_out)
    what = f"the sources whose cards do not say `commercial: allowed`: {names}" if names else "no source"
    return f"--licence {licence} leaves out {what}"


def ledger(
    taken: Iterable[SourceCard], licence: str | None = None, left_out: Iterable[SourceCard] = ()
) -> dict[str, Any]:
    """What a stage says of its sources' licences and origins.

    `sources` and `left_out` are by name, and `licence` is the use that all had to allow, if one was asked for.
    """
    return {
        "licence": licence,
        "sources": {card.source: _said(card) for card in taken},
        "left_out": {card.source: _said(card) for card in left_out},
    }


def _said(card: SourceCard) -> dict[str, Any]:
    return {name: getattr(card, name) for name in SAID}

"""The licences: how much of the stage is under each, and whether their cards allow it to be used commercially."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vita_data.report.formats import counted, listed
from vita_data.report.markup import Html, tag
from vita_data.report.measured import Written
from vita_data.report.tables import Cell, table

HEADS = ("Licence", "Commercial use", "Sources", "Samples", "Questions", "Tokens")
NOTE = (
    "Licences as the source cards state them; ATTRIBUTION.md beside this page says whose work each source is. "
    "Unclear is not allowed."
)


def licences_section(
    ledger: dict[str, Any], sources: list[dict[str, Any]], licences: dict[str, Written]
) -> Html:
    """What was written under each licence, most samples first, and what a licence that was asked for left out."""
    ordered = sorted(licences.items(), key=lambda item: (-item[1].samples, item[0]))
    giving = [source["source"] for source in sources if source["written"]["samples"]]
    cards = {name: ledger["sources"][name] for name in giving}
    rows = (_row(words, written, cards) for words, written in ordered)
    return tag(
        "section",
        tag("h2", "Licences"),
        *_asked(ledger),
        table("Written by licence", HEADS, rows, words=3),
        tag("p", NOTE, class_="note"),
        id="licences",
    )


def _row(licence: str, written: Written, cards: dict[str, dict[str, Any]]) -> list[Cell]:
    under = {name: card["commercial"] for name, card in cards.items() if card["licence"] == licence}
    uses = listed(sorted(set(under.values()))) or "not said"
    names = ", ".join(under)
    return [licence or "not said", uses, names, written.samples, written.questions, written.tokens]


def _asked(ledger: dict[str, Any]) -> Iterator[Html]:
    if ledger["licence"] is not None:
        left_out = ledger["left_out"]
        words = f"Only sources were taken that their cards allow for {ledger['licence']} use; "
        names = ", ".join(f"{name} ({card['commercial']})" for name, card in left_out.items())
        yield tag("p", f"{words}{counted(len(left_out), 'source')} left out{names and ': ' + names}.")

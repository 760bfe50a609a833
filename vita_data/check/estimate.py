"""How much of a source is there, counted or extrapolated, against what its table row says."""

from __future__ import annotations

from typing import Any

from vita_data.check.opened import Opened
from vita_data.check.records import Tally
from vita_data.manifest.mixture import MixtureSource
from vita_data.manifest.source import SourceCard
from vita_data.sources.head import Reading


def estimate(
    card: SourceCard, tally: Tally, opened: Opened, reading: Reading, size: int, line: MixtureSource | None
) -> dict[str, Any]:
    """{unit, records, there, exact, row, of}: records and amount (in the card's unit) that are there, and the row's.

    A source that was read whole is counted. Of another the records are those of its files by bytes, and what is
    kept of them, and how much each holds, is as in those that were read. None stands for what nothing is known of.
    """
    records = _records(tally, reading, size)
    kept = records * tally.kept / tally.read if tally.read else 0.0
    each = _amount_of_one(card, tally, opened)
    there = None if each is None else kept * each
    exact = reading.whole and (card.unit != "hours" or tally.media in (len(tally.segments), opened.opened))
    row, of = _row(card, line)
    return {
        "unit": card.unit,
        "records": round(records),
        "there": None if there is None else round(there, 3) if card.unit == "hours" else round(there),
        "exact": exact,
        "row": row,
        "of": of,
    }


def _records(tally: Tally, reading: Reading, size: int) -> float:
    if reading.whole:
        return tally.read
    seen = sum(each.length for each in reading.looked)
    return sum(each.records for each in reading.looked) * size / seen if seen else 0.0


def _amount_of_one(card: SourceCard, tally: Tally, opened: Opened) -> float | None:
    """Questions, or hours, of one kept record; a negative is one clip."""
    if card.unit != "hours":
        return (tally.questions if card.unit == "questions" else tally.kept) / max(tally.kept, 1)
    seconds = (
        tally.segments if len(tally.segments) == tally.media else opened.sizes.get("sounds, seconds", [])
    )
    return sum(seconds) / len(seconds) / 3600 if seconds else None


def _row(card: SourceCard, line: MixtureSource | None) -> tuple[float | None, str]:
    amount = line.amount if line is not None else None
    if amount is not None:
        return float(amount), "mixture"
    if card.estimate is not None and (card.estimate.hours is not None) == (card.unit == "hours"):
        return float(card.estimate.amount), "card"
    return None, ""

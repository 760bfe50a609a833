"""What a mixture sets of single stages: some keys of a stage's card, at any depth, each with its reason beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Annotated, Any, TypeVar

from vita_data.manifest.bind import REASON, PartOf
from vita_data.manifest.schedule import Schedule
from vita_data.manifest.stage import StageCard, Training
from vita_data.manifest.words import closest

C = TypeVar("C")
# What makes a stage that stage: another value of these is another stage, with a card of its own.
KEPT = frozenset(["stage", "title", "unit", "reads", "needs", "options", "why"])
StageChange = Annotated[dict[str, Any], PartOf(StageCard, KEPT)]


def changed(card: C, change: Mapping[str, Any]) -> C:
    """A card, or a part of one, with the values of a change in place; what the change leaves out stays."""
    values = {key: _merged(getattr(card, key), value) for key, value in change.items() if key != REASON}
    return replace(card, **values)  # type: ignore[type-var]


def _merged(before: Any, value: Any) -> Any:
    """A value in place of another: cards in part, whatever else whole."""
    if isinstance(value, dict) and is_dataclass(before):
        return changed(before, value)
    if isinstance(value, dict) and any(map(is_dataclass, (before or {}).values())):
        return {**before, **{key: _merged(before.get(key), item) for key, item in value.items()}}
    return value


def with_training(stage: StageCard, training: Mapping[str, Any]) -> StageCard:
    """The stage with these values in its schedule, or in that of each of its halves."""
    if not training:
        return stage
    halves = {
        name: replace(half, schedule=replace(half.schedule, **training))
        for name, half in stage.halves.items()
    }
    schedule = None if stage.schedule is None else replace(stage.schedule, **training)
    return replace(stage, halves=halves, schedule=schedule)


def complaint_about(stage: StageCard, change: Mapping[str, Any]) -> tuple[str, str] | None:
    """What does not fit the stage's card: its dotted key and a sentence, as `complaint` of a card gives them."""
    for name in change.get("halves", {}):
        if name not in stage.halves:
            near = closest(name, stage.halves) or " or ".join(stage.halves)
            advice = f"write {near}" if near else "it trains in one run, so leave `halves` out"
            return f"halves.{name}", f"it has no half {name}; {advice}"
    if stage.halves and "schedule" in change:
        return (
            "schedule",
            f"it trains in halves; write `halves: {{{next(iter(stage.halves))}: {{schedule: ...}}}}`",
        )
    settled = changed(stage, change)
    cards: dict[str, Schedule | Training | None] = {"schedule.": settled.schedule}
    for name, half in settled.halves.items():
        cards |= {f"halves.{name}.": half, f"halves.{name}.schedule.": half.schedule}
    for place, card in cards.items():
        if card is not None and (said := card.complaint()) is not None:
            return f"{place}{said[0]}", said[1]
    return None


def reasons(change: Mapping[str, Any]) -> dict[str, str]:
    """The reasons in a change by the dotted key of the part they stand in; the whole of it is the empty key."""
    found: dict[str, str] = {}
    _gather(change, "", found)
    return found


def _gather(change: Mapping[str, Any], place: str, found: dict[str, str]) -> None:
    for key, value in change.items():
        if key == REASON:
            found[place.rstrip(".")] = str(value)
        elif isinstance(value, dict):
            _gather(value, f"{place}{key}.", found)


def flat(card: Any, place: str = "") -> dict[str, Any]:
    """The values of a card, or a part of one, by their dotted keys; what names the stage is left out."""
    found: dict[str, Any] = {}
    pairs = (
        card.items()
        if isinstance(card, dict)
        else ((each.name, getattr(card, each.name)) for each in fields(card))
    )
    for key, value in pairs:
        if key in KEPT - {"needs"}:
            continue
        if is_dataclass(value) or (isinstance(value, dict) and value):
            found |= flat(value, f"{place}{key}.")
        elif value != {}:
            found[f"{place}{key}"] = value
    return found

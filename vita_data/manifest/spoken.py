"""What a stage makes spoken, in numbers: how many questions of each source, and how many clips of negatives."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import floor
from typing import Any

from vita_data.manifest.mixture import MixtureCard, MixtureSource
from vita_data.manifest.source import SourceCard
from vita_data.manifest.stage import StageCard


def spoken_of(stage: StageCard, card: SourceCard, questions: int) -> int:
    """How many of so many selected questions of a source are to be spoken: of QA sources, and rounded down."""
    return floor(stage.spoken_share * questions) if stage.spoken_share and card.kind == "qa" else 0


def in_proportion(count: int, there: list[int]) -> list[int]:
    """A number parted in proportion to what each has: rounded down, the rest to the largest remainders in order."""
    total = sum(there)
    if not total:
        return [count if n == 0 else 0 for n in range(len(there))]
    parts = [count * have // total for have in there]
    by_rest = sorted(range(len(there)), key=lambda n: (-(count * there[n] % total), n))
    for n in by_rest[: count - sum(parts)]:
        parts[n] += 1
    return parts


def with_spoken(
    rows: list[dict[str, Any]], stage: StageCard, sources: Mapping[str, SourceCard], made: Mapping[str, int]
) -> list[dict[str, Any]]:
    """The rows of a plan with how many questions are spoken, where that is known.

    Their tokens are estimates, since nobody knows how long a question is before it is spoken; `made` has the
    tokens of sources whose questions are.
    """
    told = []
    for row in rows:
        card, questions = sources[row["source"]], row["questions"]
        known = questions is not None or card.kind != "qa"
        spoken = spoken_of(stage, card, questions or 0) if known else None
        is_made = bool(spoken) and row["source"] in made
        tokens = made[row["source"]] if is_made else row["tokens"]
        estimated = ["tokens"] if card.kind == "qa" and not is_made else []
        told.append({**row, "spoken": spoken, "tokens": tokens, "estimated": estimated})
    return told


def clips_asked(
    rows: list[dict[str, Any]],
    stage: StageCard,
    mixture: MixtureCard,
    sources: Mapping[str, SourceCard],
    counted: Mapping[str, Mapping[str, Any]],
) -> dict[str, int | None]:
    """The clips that each of a mixture's negatives is asked for; None while nobody knows how many there are."""
    lines = [line for line in mixture.sources if stage.negatives and sources[line.source].kind == "negative"]
    there = [_there(line, counted) for line in lines]
    spoken = [row["spoken"] for row in rows]
    known = [number for number in there if number is not None]
    if len(known) < len(lines) or None in spoken:
        return {line.source: None for line in lines}
    parts = in_proportion(floor(stage.negatives * sum(spoken)), known)
    return {line.source: part for line, part in zip(lines, parts, strict=True)}


def _there(line: MixtureSource, counted: Mapping[str, Mapping[str, Any]]) -> int | None:
    stated: Fraction | None = line.amount
    if line.source in counted:
        samples = int(counted[line.source]["samples"])
        return samples if stated is None else min(samples, int(stated))
    return None if stated is None else int(stated)

"""What a stage asks of a mixture, by its cards alone or by what a build has counted.

A share of a source is exact: the quota is the share times the questions in the mixture, rounded up, in
fractions and never in floats. Samples, tokens and bytes are the estimates of the source cards, scaled by
what is asked; tokens are text and visual tokens, for hours those of the audio. What no card says is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import ceil
from typing import Any, Literal

from vita_data.errors import ManifestError
from vita_data.manifest.geometry import Geometry
from vita_data.manifest.mixture import MixtureCard, MixtureSource
from vita_data.manifest.source import Estimate, SourceCard
from vita_data.manifest.spoken import clips_asked, with_spoken
from vita_data.manifest.stage import StageCard
from vita_data.manifest.values import number

FIGURES = ("questions", "hours", "samples", "tokens", "bytes")
_SECONDS = 3600
Unit = Literal["questions", "hours"]


def share_of(stage: StageCard, card: SourceCard, pure_text: bool | None = None) -> Fraction:
    """The part of a source that a stage draws; `pure_text` overrides the card's switch."""
    wanted = stage.pure_text if pure_text is None else pure_text
    if stage.unit != card.unit or card.kind == "negative" or (card.pure_text and not wanted):
        return Fraction(0)
    share: Fraction = getattr(stage.shares, card.kind)
    return share


def quota(share: Fraction, amount: int | Fraction) -> int:
    """How many questions (or samples of sound) a share of a source is: rounded up, so never nothing above 0."""
    return ceil(share * amount)


def plan_from_cards(
    stage: StageCard,
    mixture: MixtureCard,
    sources: Mapping[str, SourceCard],
    pure_text: bool | None = None,
    counted: Mapping[str, Mapping[str, Any]] | None = None,
    made: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """The plan of a stage, as `vita-data plan --json` prints it.

    `basis` is catalog for the sources in `counted` (samples, questions, bytes and tokens of all that was
    kept), else card.
    Only sources that the stage draws from have a row, in the mixture's order. A total sums what is known,
    is None when no row knows it, and `total.unknown` names the rows that are not in it, by figure. Where
    questions are spoken, `estimated` names the figures that are not certain before they are; `made` has the
    tokens of sources where they are. Clips of negatives have rows of their own and are in no total but theirs.
    """
    shares = [(line, share_of(stage, sources[line.source], pure_text)) for line in mixture.sources]
    rows = [
        _counted_row(line, share, stage.unit, counted[line.source])
        if counted and line.source in counted
        else _row(line, share, stage.unit, sources[line.source], mixture.geometry)
        for line, share in shares
        if share > 0
    ]
    if stage.unit == "hours" and not rows:
        rows = _speech_rows(stage, mixture)
    total = _total(rows, stage.unit)
    if stage.spoken_share:
        rows = with_spoken(rows, stage, sources, made or {})
        clips = clips_asked(rows, stage, mixture, sources, counted or {})
        spoken = [row["spoken"] for row in rows]
        total = _total(rows, stage.unit) | {"spoken": None if None in spoken else sum(spoken)}
        total |= {"clips": None if None in clips.values() else sum(filter(None, clips.values()))}
        total["estimated"] = ["tokens"] if any(row["estimated"] for row in rows) else []
        rows += [_clips_row(name, asked, bool(counted and name in counted)) for name, asked in clips.items()]
    return {"stage": stage.stage, "mixture": mixture.mixture, "sources": rows, "total": total}


def _clips_row(source: str, asked: int | None, is_counted: bool) -> dict[str, Any]:
    row = _blank(source, "clips", asked) | {"samples": asked, "spoken": 0, "estimated": []}
    return row | {"basis": "catalog" if is_counted else "card"}


def _row(
    line: MixtureSource, share: Fraction, unit: Unit, card: SourceCard, geometry: Geometry
) -> dict[str, Any]:
    """One source; `all` has no quota before the catalog, but its card may estimate one."""
    known = line.amount
    estimate = card.estimate
    base = known if known is not None else (estimate.amount if estimate else None)
    expected = None if base is None else _of(share, base, unit)
    stated = None if expected is None else number(expected)
    row = _blank(line.source, unit, None if known is None else stated) | {unit: stated}
    if estimate is not None and expected is not None:
        scale = expected / estimate.amount
        row["samples"] = ceil(scale * estimate.samples)
        row["tokens"] = ceil(scale * _tokens(card, estimate, geometry))
        row["bytes"] = ceil(scale * estimate.bytes)
    return row


def _of(share: Fraction, amount: Fraction, unit: Unit) -> Fraction:
    """A share of an amount, exactly: whole questions, or hours."""
    return Fraction(quota(share, amount)) if unit == "questions" else share * amount


def _counted_row(
    line: MixtureSource, share: Fraction, unit: Unit, counted: Mapping[str, Any]
) -> dict[str, Any]:
    """One source that a build has catalogued; the other figures follow its questions or hours."""
    there = Fraction(counted[unit])
    known = line.amount
    asked = _of(share, there if known is None else known, unit)
    row = _blank(line.source, unit, number(asked)) | {"basis": "catalog", unit: number(asked)}
    for figure in ("samples", "tokens", "bytes"):
        if counted[figure] is not None:
            row[figure] = ceil(asked / there * counted[figure]) if there else 0
    return row


def _tokens(card: SourceCard, estimate: Estimate, geometry: Geometry) -> Fraction:
    rate = {"asr": geometry.audio_rate, "tts": geometry.codec_rate}.get(card.kind, 0)
    heard = (estimate.hours or 0) * _SECONDS * Fraction(str(rate))
    return estimate.text_tokens + heard + _visual_tokens(card, estimate, geometry)


def _visual_tokens(card: SourceCard, estimate: Estimate, geometry: Geometry) -> Fraction:
    """Visual tokens of a whole corpus: its tiles or frames a sample, as far as the geometry allows them."""
    most = geometry.max_tiles + int(geometry.thumbnail)
    if card.row.scenario == "General Video":
        most = geometry.max_frames
    tiles = min(Fraction(str(estimate.tiles)), Fraction(most))
    return estimate.samples * tiles * geometry.tile_tokens


def _speech_rows(stage: StageCard, mixture: MixtureCard) -> list[dict[str, Any]]:
    """The hours of speech that a stage asks for, as a mixture states them that names no speech corpora."""
    rows = []
    for kind, rate in (("asr", mixture.geometry.audio_rate), ("tts", mixture.geometry.codec_rate)):
        share = getattr(stage.shares, kind)
        if not share:
            continue
        stated = getattr(mixture.hours, kind)
        if stated is None:
            raise ManifestError(
                f"mixture {mixture.mixture} states no {kind} hours, which stage {stage.stage} asks for; "
                f"add `hours: {{{kind}: 3000}}` to {mixture.path.name}"
            )
        hours = share * stated
        tokens = ceil(hours * _SECONDS * Fraction(str(rate)))
        rows.append(_blank(kind, "hours", number(hours)) | {"hours": number(hours), "tokens": tokens})
    return rows


def _blank(source: str, unit: str, asked: float | None) -> dict[str, Any]:
    row: dict[str, Any] = {"source": source, "unit": unit, "basis": "card", "asked": asked}
    return row | dict.fromkeys(("samples", "questions", "tokens", "bytes", "hours"))


def _total(rows: list[dict[str, Any]], unit: str) -> dict[str, Any]:
    total: dict[str, Any] = {}
    unknown: dict[str, list[str]] = {}
    for figure in FIGURES:
        known = [row[figure] for row in rows if row[figure] is not None]
        nothing_drawn = not rows and figure == unit
        total[figure] = sum(known) if known or nothing_drawn else None
        if figure not in ("questions", "hours") or figure == unit:
            missing = [row["source"] for row in rows if row[figure] is None]
            if missing:
                unknown[figure] = missing
    return total | {"unknown": unknown}

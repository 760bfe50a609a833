"""What a stage trains and on what, by its cards: the shape of its average sample, and how many there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vita_data.errors import UsageError
from vita_data.manifest.find import load_mixture, load_sources, load_stage
from vita_data.manifest.loss import TERMS
from vita_data.manifest.options import with_options
from vita_data.manifest.plan import plan_from_cards
from vita_data.manifest.source import SourceCard
from vita_data.manifest.stage import StageCard, split_stage
from vita_model.cost.flops import Shape

LEARNED = 0.5  # of the text of a sample; the rest is asked. Cards do not say, so this is ours.
SPOKEN_SECONDS = 4.0  # of a question that is spoken; ours as well
LETTERS_A_SECOND = 12.0
VIDEO = "General Video"


@dataclass(frozen=True)
class Asked:
    """A stage, or one half of it: what it trains, and on how many samples of which average shape."""

    stage: str
    trains: tuple[str, ...]
    terms: tuple[str, ...]
    samples: float
    epochs: float
    shape: Shape


def asked(
    stage: str, mixture: str = "paper", options: Iterable[str] = (), manifests: Path | None = None
) -> Asked:
    """The stage by its cards; UsageError where they do not say how much there is.

    A stage in halves is named with its half, 2.1a or 2.1b.
    """
    mixture_card = load_mixture(mixture, manifests)
    name, half = split_stage(stage)
    card = load_stage(name, mixture_card.path, manifests)
    card, mixture_card = with_options(card, mixture_card, tuple(options))
    sources = load_sources(mixture_card, manifests)
    training = card.training(half)
    plan = plan_from_cards(card, mixture_card, sources)
    geometry = mixture_card.geometry
    if card.unit == "hours":
        if plan["total"]["hours"] is None:
            raise UsageError(_unsaid(card))
        samples, shape = _of_hours(card, plan["total"])
    else:
        most = geometry.max_tiles + int(geometry.thumbnail)
        rows = [
            (row, sources[row["source"]])
            for row in plan["sources"]
            if row["unit"] == "questions" and row["samples"]
        ]
        samples, shape = _of_questions(card, rows, most, geometry.max_frames)
    return Asked(stage, training.trains, TERMS[training.loss], samples, training.schedule.epochs, shape)


def _of_questions(
    card: StageCard, rows: list[tuple[dict[str, float], SourceCard]], tiles: int, frames: int
) -> tuple[float, Shape]:
    samples = sum(row["samples"] for row, _ in rows)
    if not samples:
        raise UsageError(_unsaid(card))
    text = seen = 0.0
    for row, source in rows:
        estimate = source.estimate
        assert estimate is not None  # a row with samples has one
        most = frames if source.row.scenario == VIDEO else tiles
        text += row["samples"] * float(estimate.text_tokens / estimate.samples)
        seen += row["samples"] * min(float(estimate.tiles), most)
    spoken = sum(row.get("spoken") or 0 for row, _ in rows)
    mean = text / samples
    shape = Shape(
        text=round(mean),
        labelled=round(mean * LEARNED),
        tiles=round(seen / samples),
        heard=SPOKEN_SECONDS * spoken / samples,
    )
    return samples, shape


def _unsaid(card: StageCard) -> str:
    return f"the cards of stage {card.stage} do not estimate its samples; name another mixture."


def _of_hours(card: StageCard, total: dict[str, float]) -> tuple[float, Shape]:
    """Speech is counted in clips of ten seconds, which is near what corpora hold."""
    seconds = 10.0
    samples = float(total["hours"]) * 3600 / seconds
    letters = round(seconds * LETTERS_A_SECOND)
    words = round(letters / 4)
    if card.shares.tts:
        return samples, Shape(text=words, said=seconds)
    return samples, Shape(text=60 + words, labelled=words, heard=seconds, symbols=letters)

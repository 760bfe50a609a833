"""The rules of curation as a source's card switches and tunes them: a threshold each, or off.

What each rule looks at, why, and when it is wrong stands with its function in `vita_data/curate/rules`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from vita_data.manifest.values import Part, Positive, at_least


def _radius(value: int) -> str | None:
    return None if 0 <= value <= 12 else "is not between 0 and 12; write how many of 64 bits may differ"


def _similarity(instead: str) -> Callable[[float], str | None]:
    return lambda value: None if 0 < value <= 1 else f"is not above 0 and at most 1; write {instead}"


Radius = Annotated[int, _radius]
Similarity = Annotated[float, _similarity("how similar, such as 0.8")]
NearText = Annotated[float, _similarity("how similar, such as 0.65, or `off` to keep what is near")]
Switch = Literal["on", "off"]
Decibels = Annotated[
    float, lambda value: None if value <= 0 else "is above 0; decibels of full scale are negative"
]


@dataclass(frozen=True)
class Rules:
    """Thresholds of one source; `manifests/README.md` explains them."""

    language: Part | Literal["off"] = (
        0.9  # the certainty from which another language than the card's is believed
    )
    repetition: Part | Literal["off"] = 0.6  # the most of an answer that phrases said before may make up
    refusal: Switch = "on"
    markup: Switch = "on"
    longest_answer: Annotated[int, at_least(1)] | Literal["off"] = 50_000  # characters
    fast_speech: Positive | Literal["off"] = 40.0  # characters a second, a Chinese one counted as three
    slow_speech: Positive | Literal["off"] = 0.5
    ctc: Switch = "on"
    silence: Part | Literal["off"] = 0.95  # the most of a sound that may be silent
    clipping: Part | Literal["off"] = 0.1  # the most of its samples at full scale
    level: Decibels | Literal["off"] = -65.0  # the least, as root mean square
    speech: Part | Literal["off"] = "off"  # the least of a sound in which somebody speaks
    band: Positive | Literal["off"] = "off"  # hertz up to which something must be heard
    frozen_film: Switch = "off"
    film_hole: Positive | Literal["off"] = "off"  # seconds, from which on no new frame comes
    ocr: Part | Literal["off"] = (
        "off"  # the least of the text that answers give which is read in their pictures
    )
    ocr_share: Part = 0.02  # of the samples that give any: those that are read
    near_text: NearText | Literal["off"] = (
        0.65  # Jaccard similarity of pure texts, from which the later one leaves
    )
    near_pictures: Radius | Literal["off", "by-row"] = "by-row"  # bits; off for OCR & Diagram, 10 elsewhere
    near_turns: Similarity = (
        0.8  # Jaccard similarity that the questions and the answers of near pictures must have
    )

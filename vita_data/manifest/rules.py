"""The rules of curation as a source's card switches and tunes them: a threshold each, or off.

What each rule looks at, why, and when it is wrong stands with its function in `vita_data/curate/rules`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from vita_data.manifest.values import Part, Positive, at_least


def _radius(value: int) -> str | None:
    return None if 0 <= value <= 12 else "is not between 0 and 12; write how many of 64 bits may differ"


Radius = Annotated[int, _radius]
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
    silence: Part | Literal["off"] = 0.95  # the most of a sound that may be silent
    clipping: Part | Literal["off"] = 0.1  # the most of its samples at full scale
    level: Decibels | Literal["off"] = -65.0  # the least, as root mean square
    speech: Part | Literal["off"] = "off"  # the least of a sound in which somebody speaks
    frozen_film: Switch = "off"
    near_text: Part | Literal["off"] = (
        0.8  # Jaccard similarity of pure texts, from which the later one leaves
    )
    near_pictures: Radius | Literal["off", "by-row"] = "by-row"  # bits; off for OCR & Diagram, 10 elsewhere
    near_turns: Part = 0.8  # Jaccard similarity of turns that near pictures must have as well

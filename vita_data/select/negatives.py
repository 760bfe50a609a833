"""The clips that a stage mixes in which are not meant for the model."""

from __future__ import annotations

from fractions import Fraction

from vita_data.manifest.spoken import in_proportion
from vita_data.select.draw import Drawn, draw
from vita_data.select.holdout import HoldOut

# A source of negatives: its name, its measured parts, how many clips the mixture states (None: all).
Giving = tuple[str, list[str], Fraction | None]


def draw_negatives(
    clips: int, giving: list[Giving], hold_out: HoldOut, late: frozenset[str]
) -> dict[str, Drawn]:
    """Draws so many clips from all sources of them, each in the order of its selection hashes.

    They give in proportion to what they have, or to what the mixture states where that is less.
    """
    there: list[int] = []
    for name, paths, stated in giving:
        nothing = draw(name, paths, "key", Fraction(0), None, hold_out, late)
        there.append(nothing.available if stated is None else min(nothing.available, int(stated)))
    parts = in_proportion(clips, there)
    return {
        name: draw(name, paths, "key", Fraction(1), Fraction(part), hold_out, late)
        for (name, paths, _), part in zip(giving, parts, strict=True)
    }

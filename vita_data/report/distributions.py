"""Distributions before and after: shapes, tiles, tokens, seconds and languages, as catalogued, curated and drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vita_data.report.formats import count, counted, listed, percent
from vita_data.report.markup import Html, tag
from vita_data.report.mixture import LANGUAGES
from vita_data.report.plots import Part, grouped, legend
from vita_data.report.spread import LENGTHS, SECONDS, Spread
from vita_data.report.tables import numbers

SERIES = (("as catalogued", "before"), ("after curation", "after"), ("drawn", "taken"))
MOST_LANGUAGES = 6

Bin = tuple[str, str]  # its name, and what stands of that below the plot

SHAPES: list[Bin] = [
    ("narrower than 1:3", "‹1:3"),
    ("1:3 to 1:2", "1:3"),
    ("1:2 to 2:3", "1:2"),
    ("2:3 to nearly square", "2:3"),
    ("square", "1:1"),
    ("nearly square to 3:2", "4:3"),
    ("3:2 to 2:1", "3:2"),
    ("2:1 to 3:1", "2:1"),
    ("3:1 and wider", "3:1›"),
]


def distributions_section(spread: Spread, geometry: dict[str, Any], curated: bool) -> Html:
    """A plot of each quantity that the stage's sources have, the series side by side as shares of their own total."""
    series = [n for n in range(len(SERIES)) if curated or n != 1]
    bins = _seconds()
    plots = (
        ("Pictures by shape", "width to height", SHAPES, spread.aspects),
        ("Pictures and frames by tiles", "tiles", _tiles(spread.tiles), spread.tiles),
        ("Samples by tokens", "tokens (at most)", _lengths(geometry["max_length"]), spread.lengths),
        ("Sounds by seconds", "seconds (from)", bins, spread.sounds),
        ("Films by seconds", "seconds to the last frame (from)", bins, spread.films),
        ("Samples by language", "language", *_languages(spread)),
    )
    shown = [_plot(*plot, series) for plot in plots if plot[3].sum()]
    return tag(
        "section",
        tag("h2", "Before and after"),
        tag("p", _sentence(spread, curated)),
        legend([Part(*SERIES[n], 0) for n in series]) if shown else None,
        tag("div", *shown, class_="plots wide"),
        id="distributions",
    )


def _sentence(spread: Spread, curated: bool) -> str:
    before, after, drawn = spread.samples[:, 0].tolist()
    first = f"Of {counted(before, 'sample')} as catalogued, "
    left = f"curation left {count(after)} ({percent(after, before)}), and " if curated else ""
    words = f"{first}{left}{count(drawn)} ({percent(drawn, before)}) were drawn. "
    return (
        words
        + "Columns are shares of their own series, so that a shape that changes is seen whatever its size."
    )


def _plot(title: str, unit: str, bins: Sequence[Bin], counts: Any, series: Sequence[int]) -> Html:
    """One plot, from its first bin that has anything to its last, with its numbers folded away."""
    used = np.flatnonzero(counts.sum(axis=0))
    span = range(used[0], used[-1] + 1)
    names = [bins[n][0] for n in span]
    values = [counts[row, span.start : span.stop].tolist() for row in series]
    parts = [Part(*SERIES[row], sum(some)) for row, some in zip(series, values, strict=True)]
    most = max(max(some) / (part.value or 1) for part, some in zip(parts, values, strict=True))
    heads = (unit.partition(" (")[0].capitalize(), *(part.name.capitalize() for part in parts))
    totals = listed([f"{count(part.value)} {part.name}" for part in parts])
    axis = (tag("span", bins[n][1]) for n in span)
    return tag(
        "figure",
        tag("figcaption", title),
        tag("span", percent(most, 1), class_="most", aria_hidden="true"),
        grouped(f"{title}: {totals}", names, list(zip(parts, values, strict=True))),
        tag("div", *axis, class_="axis each", aria_hidden="true"),
        tag("p", f"By {unit}: {totals}.", class_="note"),
        numbers("Numbers", heads, ([name, *row] for name, *row in zip(names, *values, strict=True))),
    )


def _tiles(counts: Any) -> list[Bin]:
    return [(counted(number, "tile"), str(number)) for number in range(counts.shape[1])]


def _lengths(longest: int) -> list[Bin]:
    edges = [-(-number * (longest + 1) // LENGTHS) for number in range(LENGTHS + 1)]
    return [
        (f"{count(low)} to {count(high - 1)} tokens", _thousands(high - 1))
        for low, high in zip(edges, edges[1:], strict=False)
    ]


def _thousands(number: int) -> str:
    return f"{number / 1000:.1f}k".replace(".0k", "k") if number >= 1000 else str(number)


def _seconds() -> list[Bin]:
    between = zip(SECONDS, SECONDS[1:], strict=False)
    middle = [(f"{low} to {high} s", str(low)) for low, high in between]
    return [
        (f"less than {SECONDS[0]} s", f"‹{SECONDS[0]}"),
        *middle,
        (f"{SECONDS[-1]} s and more", f"{SECONDS[-1]}›"),
    ]


def _languages(spread: Spread) -> tuple[list[Bin], Any]:
    """The languages that most samples are in as bins, and all others in one."""
    total = sum(spread.languages, type(spread.languages[0])())
    ordered = sorted(total, key=lambda name: (-total[name], name))
    named, others = ordered[:MOST_LANGUAGES], ordered[MOST_LANGUAGES:]
    rows = [
        [*(own[name] for name in named), *([sum(own[name] for name in others)] if others else [])]
        for own in spread.languages
    ]
    bins = [(LANGUAGES.get(name, name), name or "–") for name in named]
    return [*bins, *([("others", "others")] if others else [])], np.array(rows, np.int64)

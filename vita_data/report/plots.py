"""Plots as inline SVG that stretch to the width they get; their words are HTML and keep their size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from vita_data.report.formats import count
from vita_data.report.markup import Html, tag

WIDTH, HEIGHT = 1000, 300
WIDEST = 110  # a column of a plot with few of them
LEAST = 4  # units of width or height that anything above zero gets, so that it is seen


class Part(NamedTuple):
    """A part of a stacked bar: its name, its CSS class, and its value."""

    name: str
    kind: str
    value: float


class Column(NamedTuple):
    """A column of a histogram: what it counts, in words, and how many there are."""

    name: str
    value: int


def stacked_bar(label: str, parts: Sequence[Part]) -> Html:
    """One horizontal bar whose parts share its width; `label` begins its description for screen readers."""
    seen = [part for part in parts if part.value > 0]
    total = sum(part.value for part in seen)
    widths = [max(LEAST, WIDTH * part.value / total) for part in seen]
    scale = WIDTH / sum(widths) if widths else 1.0
    rects, x = [], 0.0
    for part, width in zip(seen, widths, strict=True):
        rects.append(_rect(x, 0, width * scale, 10, part.kind, f"{part.name}: {count(part.value)}"))
        x += width * scale
    words = ", ".join(f"{part.name} {count(part.value)}" for part in seen)
    return _svg("bar", 10, f"{label}: {words or 'nothing'}", rects)


def measured_bar(label: str, value: float, asked: float, most: float) -> Html:
    """One horizontal bar of `value` on a track of `asked`, both on a scale that ends at `most`."""
    rects = []
    for name, kind, number, inset in (("asked", "track", asked, 0), ("written", "drawn", value, 3)):
        if number > 0:
            width = max(LEAST, WIDTH * number / most)
            rects.append(_rect(0, inset, width, 10 - 2 * inset, kind, f"{name}: {count(number)}"))
    return _svg("bar plain", 10, f"{label}: {count(value)} written, {count(asked)} asked", rects)


def share_bar(part: float, whole: float) -> Html:
    """A small bar in a table cell, as an ornament of the number beside it."""
    width = max(LEAST, WIDTH * part / whole) if part and whole else 0.0
    return _svg("bar small", 10, None, [_rect(0, 0, width, 10, "drawn", None)])


def histogram(label: str, columns: Sequence[Column]) -> Html:
    """Columns side by side, the highest as high as the plot."""
    most = max((column.value for column in columns), default=0) or 1
    step = WIDTH / max(1, len(columns))
    rects = []
    for number, column in enumerate(columns):
        height = max(LEAST, HEIGHT * column.value / most) if column.value else 0.0
        width = min(step * 0.88, WIDEST)
        x = number * step + (step - width) / 2
        title = f"{column.name}: {count(column.value)}"
        rects.append(_rect(x, HEIGHT - height, width, height, "drawn", title))
    return _svg("histogram", HEIGHT, label, rects)


def grouped(label: str, names: Sequence[str], series: Sequence[tuple[Part, Sequence[float]]]) -> Html:
    """Columns of several series side by side in each group, as shares of their series, on one scale.

    A series is its name, its CSS class and its total, and what it has in each of the groups of `names`.
    """
    shares = [[value / total if total else 0.0 for value in values] for (_, _, total), values in series]
    most = max((share for some in shares for share in some), default=0.0) or 1.0
    step = WIDTH / max(1, len(names))
    width = min(step * 0.88, WIDEST * len(series)) / len(series)
    rects = []
    for group, name in enumerate(names):
        x = group * step + (step - width * len(series)) / 2
        for number, ((part, values), some) in enumerate(zip(series, shares, strict=True)):
            height = max(LEAST, HEIGHT * some[group] / most) if values[group] else 0.0
            title = f"{name}, {part.name}: {count(values[group])}"
            rects.append(_rect(x + number * width, HEIGHT - height, width, height, part.kind, title))
    return _svg("histogram", HEIGHT, label, rects)


def legend(parts: Sequence[Part]) -> Html:
    """Names of the parts beside their colours."""
    items = (
        tag("li", tag("span", class_=f"swatch {part.kind}", aria_hidden="true"), part.name) for part in parts
    )
    return tag("ul", *items, class_="legend")


def _rect(x: float, y: float, width: float, height: float, kind: str, title: str | None) -> Html:
    words = tag("title", title) if title else None
    return tag("rect", words, x=_unit(x), y=_unit(y), width=_unit(width), height=_unit(height), class_=kind)


def _svg(kind: str, height: int, label: str | None, shapes: Sequence[Html]) -> Html:
    return tag(
        "svg",
        *shapes,
        class_=kind,
        viewBox=f"0 0 {WIDTH} {height}",
        preserveAspectRatio="none",
        role="img" if label else None,
        aria_label=label,
        aria_hidden=None if label else "true",
    )


def _unit(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")

"""Tables with headers that a screen reader can follow, and that scroll by themselves on a narrow screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vita_data.report.formats import count
from vita_data.report.markup import Child, Html, tag

Cell = Child | int | float


def table(
    caption: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    total: Sequence[Cell] | None = None,
    words: int = 1,
) -> Html:
    """A table whose first column names its rows; the first `words` columns hold words, the others numbers."""
    kinds = [None if n < words else "number" for n in range(len(heads))]
    names = (tag("th", name, scope="col", class_=kind) for name, kind in zip(heads, kinds, strict=True))
    head = tag("thead", tag("tr", *names))
    body = tag("tbody", *(_row(row) for row in rows))
    foot = tag("tfoot", _row(total)) if total else None
    inner = tag("table", tag("caption", caption), head, body, foot)
    return tag("div", inner, class_="scroll", tabindex=0, role="region", aria_label=caption)


def numbers(summary: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Html:
    """The numbers behind a plot, folded away."""
    return tag("details", tag("summary", summary), table(summary, heads, rows))


def facts(pairs: Iterable[tuple[str, Child]], kind: str = "facts") -> Html:
    """Names and values as a description list."""
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs), class_=kind)


def _row(cells: Sequence[Cell]) -> Html:
    first, *rest = cells
    name = first if isinstance(first, str) else str(first)
    return tag("tr", tag("th", name, scope="row"), *map(_cell, rest))


def _cell(value: Cell) -> Html:
    if isinstance(value, (int, float)):
        return tag("td", count(value), class_="number")
    return tag("td", value)

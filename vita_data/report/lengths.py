"""How long the samples are, how full the packs, and into how many tiles the pictures are cut."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from vita_data.report.formats import count, counted, percent
from vita_data.report.markup import Html, tag
from vita_data.report.measured import Measured
from vita_data.report.plots import Column, histogram
from vita_data.report.tables import numbers

BINS = 32
NONE = "There are none."


def lengths_section(measured: Measured, packs: dict[str, Any], geometry: dict[str, Any]) -> Html:
    """Histograms of sample lengths, pack fill, tiles of a picture and pictures of a sample."""
    longest = int(np.flatnonzero(measured.lengths).max(initial=0))
    tiles = _tiles(measured.cells, geometry["thumbnail"])
    limit = f"The longest has {count(longest)}; {count(geometry['max_length'])} are allowed."
    plots = [
        _binned("Samples by length", measured.lengths[: longest + 1], "token", limit),
        _binned("Packs by fill", measured.packs, "token", _waste(packs)),
        _counted("Pictures by tiles", tiles, "tile", _tile_words(geometry)),
        _counted(
            "Samples by pictures", measured.pictures, "picture", "Those without a picture are text alone."
        ),
    ]
    return tag("section", tag("h2", "Lengths"), tag("div", *plots, class_="plots wide"), id="lengths")


def quantile(counts: Any, part: float) -> int:
    """The smallest n such that at least `part` of all are at most n, of an array that counts by n."""
    sums = np.cumsum(counts)
    return int(np.searchsorted(sums, part * sums[-1])) if len(sums) and sums[-1] else 0


def _tiles(cells: Counter[int], thumbnail: bool) -> Counter[int]:
    """Tiles of a picture from the cells of its grid: a picture of several cells has a thumbnail as well."""
    tiles: Counter[int] = Counter()
    for number, pictures in cells.items():
        tiles[number + (thumbnail and number > 1)] += pictures
    return tiles


def _tile_words(geometry: dict[str, Any]) -> str:
    extra = ", and a thumbnail of the whole when there are several" if geometry["thumbnail"] else ""
    return (
        f"Tiles have {geometry['tile_pixels']} pixels a side and {count(geometry['tile_tokens'])} tokens; "
        f"a picture has at most {geometry['max_tiles']}{extra}."
    )


def _waste(packs: dict[str, Any]) -> str:
    if not packs.get("count"):
        return "Nothing is packed."
    room = f"{percent(packs['waste'], 1)} of the room is empty"
    return f"{counted(packs['count'], 'pack')} of {count(packs['capacity'])} tokens; {room}."


def _binned(title: str, counts: Any, unit: str, note: str) -> Html:
    """A histogram of an array that counts by n, in equal bins from 0 to its end."""
    most = len(counts) - 1
    width = max(1, -(-most // BINS))
    columns = []
    for low in range(1, most + 1, width):
        high = min(low + width - 1, most)
        first = 0 if low == 1 else low
        inside = int(counts[first : high + 1].sum())
        columns.append(Column(f"{count(first)} to {count(high)} {unit}s", inside))
    middle, high = quantile(counts, 0.5), quantile(counts, 0.95)
    words = f"Median {count(middle)}, 95 % at most {count(high)}. {note}" if counts.sum() else NONE
    ends = ("0", count(most // 2), f"{count(most)} {unit}s")
    axis = tag("div", *(tag("span", end) for end in ends), class_="axis", aria_hidden="true")
    return _figure(title, columns, axis, words)


def _counted(title: str, counter: Counter[int], unit: str, note: str) -> Html:
    """A histogram with a column for every number from the smallest to the largest."""
    seen = [number for number, many in counter.items() if many]
    span = range(min(seen), max(seen) + 1) if seen else range(0)
    step = max(1, -(-len(span) // BINS))
    columns = []
    for low in span[::step]:
        high = min(low + step - 1, span[-1])
        name = counted(low, unit) if low == high else f"{low} to {high} {unit}s"
        columns.append(Column(name, sum(counter[number] for number in range(low, high + 1))))
    labels = (tag("span", str(low)) for low in span[::step])
    axis = tag("div", *labels, class_="axis each", aria_hidden="true")
    return _figure(title, columns, axis, note if seen else NONE)


def _figure(title: str, columns: list[Column], axis: Html, words: str) -> Html:
    most = max((column.value for column in columns), default=0)
    top = tag("span", count(most), class_="most", aria_hidden="true")
    plot = tag("div", top, histogram(f"{title}. {words}", columns), axis) if columns else None
    what, _, by = title.partition(" by ")
    rows = [(column.name, column.value) for column in columns if column.value]
    table = numbers("Numbers", (by.capitalize(), what), rows)
    return tag(
        "figure", tag("figcaption", title), plot, tag("p", words, class_="note"), table if rows else None
    )

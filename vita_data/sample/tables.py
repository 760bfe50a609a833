"""Tables of made-up figures, the questions on them apart: cells, and how they are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

PAD = 7  # pixels between a cell's text and its lines


@dataclass(frozen=True)
class Table:
    """A title, the names of the columns, and rows of a name with whole numbers."""

    title: str
    columns: tuple[str, ...]  # the first names the rows
    rows: tuple[tuple[str, tuple[int, ...]], ...]

    def cells(self) -> list[list[str]]:
        """All texts, the heading first."""
        return [list(self.columns)] + [[name, *map(str, numbers)] for name, numbers in self.rows]

    def column(self, number: int) -> list[int]:
        """The numbers below one heading, counted from 0 after the names."""
        return [numbers[number] for _, numbers in self.rows]


def draw_table(
    table: Table,
    font: Callable[[int], ImageFont.FreeTypeFont],
    size: int,
    colours: Sequence[str],
    ruled: bool,
) -> Image.Image:
    """The table on paper; `colours` are paper, heading and lines."""
    paper, heading, lines = colours
    cells = table.cells()
    text = font(size)
    widths = [max(text.getlength(row[n]) for row in cells) + 2 * PAD for n in range(len(table.columns))]
    row_height = size + 2 * PAD - 2
    top = size + 20
    width = round(max(sum(widths) + 20, font(size + 2).getlength(table.title) + 24))
    picture = Image.new("RGB", (width, top + row_height * len(cells) + 10), paper)
    pen = ImageDraw.Draw(picture)
    pen.text((width / 2, 8), table.title, font=font(size + 2), fill="#111111", anchor="ma")
    spare = (width - 20 - sum(widths)) / len(widths)
    edges = [10 + round(sum(widths[:n]) + spare * n) for n in range(len(widths) + 1)]
    for number, row in enumerate(cells):
        y = top + number * row_height
        if number == 0:
            pen.rectangle((edges[0], y, edges[-1], y + row_height), fill=heading)
        for n, cell in enumerate(row):
            place, anchor = (edges[n] + PAD, "lm") if n == 0 else (edges[n + 1] - PAD, "rm")
            pen.text((place, y + row_height / 2), cell, font=text, fill="#222222", anchor=anchor)
        pen.line((edges[0], y + row_height, edges[-1], y + row_height), fill=lines)
    if ruled:
        for edge in edges:
            pen.line((edge, top, edge, top + row_height * len(cells)), fill=lines)
    return picture

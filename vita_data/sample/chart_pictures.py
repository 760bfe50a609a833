"""Bar, line and pie charts drawn with Pillow, every value written beside its mark."""

from __future__ import annotations

import math
from random import Random

from PIL import Image, ImageDraw

from vita_data.sample.fonts import english
from vita_data.sample.series import Series

PALETTE = ("#3b6fb6", "#d9822b", "#4a9d5b", "#b5443f", "#7f62a8", "#8c6d4f", "#c774a6", "#5b9aa8")
PAPERS = ("#ffffff", "#fbf8f1", "#f2f6fa", "#f6f6f6")
INK, PALE = "#222222", "#cccccc"
TOP, BOTTOM, LEFT, RIGHT = 40, 26, 36, 14  # pixels kept free around the plotting area


def draw_chart(series: Series, kind: str, random: Random) -> Image.Image:
    """A `bar`, `line` or `pie` chart of the figures."""
    width = max(60 * len(series.labels) + LEFT + RIGHT, random.randrange(240, 400, 10))
    height = random.randrange(180, 280, 10)
    paper = random.choice(PAPERS)
    picture = Image.new("RGB", (width, height), paper)
    pen = ImageDraw.Draw(picture)
    plain = series.unit == "%" or series.unit in series.title.lower()
    unit = "" if plain else f" ({series.unit})"
    pen.text((width / 2, 8), series.title + unit, font=english(15), fill=INK, anchor="ma")
    colours = random.sample(PALETTE, len(series.values))
    if kind == "pie":
        _pie(pen, series, colours, picture.size)
        return picture
    _axes(pen, series, picture.size)
    if kind == "bar":
        _bars(pen, series, colours if random.random() < 0.5 else [colours[0]] * len(colours), picture.size)
    else:
        _line(pen, series, (colours[0], paper), picture.size)
    return picture


def _height(series: Series, value: float, height: int) -> float:
    """The y of a value between the axes."""
    return height - BOTTOM - (height - TOP - BOTTOM) * value / _ceiling(series)


def _ceiling(series: Series) -> int:
    """The round number at the top of the axis."""
    most = max(series.values)
    step = 10 ** (len(str(most)) - 1)
    fine = next(part for part in (step // 2 or 1, step) if math.ceil(most / part) <= 10 or part == step)
    return math.ceil(most * 1.08 / fine) * fine


def _centre(series: Series, number: int, width: int) -> float:
    return LEFT + (width - LEFT - RIGHT) * (number + 0.5) / len(series.values)


def _axes(pen: ImageDraw.ImageDraw, series: Series, size: tuple[int, int]) -> None:
    width, height = size
    for quarter in range(3):
        value = _ceiling(series) * quarter / 2
        y = _height(series, value, height)
        pen.line((LEFT, y, width - RIGHT, y), fill=PALE)
        pen.text((LEFT - 5, y), f"{value:g}", font=english(10), fill=INK, anchor="rm")
    pen.line((LEFT, height - BOTTOM, width - RIGHT, height - BOTTOM), fill=INK)
    for number, label in enumerate(series.labels):
        place = (_centre(series, number, width), height - BOTTOM + 6)
        pen.text(place, label, font=english(12), fill=INK, anchor="ma")


def _bars(pen: ImageDraw.ImageDraw, series: Series, colours: list[str], size: tuple[int, int]) -> None:
    width, height = size
    half = (width - LEFT - RIGHT) / len(series.values) * 0.32
    for number, (value, colour) in enumerate(zip(series.values, colours, strict=True)):
        x, y = _centre(series, number, width), _height(series, value, height)
        pen.rectangle((round(x - half), round(y), round(x + half), height - BOTTOM - 1), fill=colour)
        pen.text((x, y - 2), str(value), font=english(12), fill=INK, anchor="md")


def _line(pen: ImageDraw.ImageDraw, series: Series, colours: tuple[str, str], size: tuple[int, int]) -> None:
    width, height = size
    colour, paper = colours
    points = [(_centre(series, n, width), _height(series, v, height)) for n, v in enumerate(series.values)]
    pen.line(points, fill=colour, width=2)
    for number, ((x, y), value) in enumerate(zip(points, series.values, strict=True)):
        pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill=colour)
        beside = series.values[max(0, number - 1) : number + 2]
        # A valley is labelled below, so that the line does not run through the number.
        low = value == min(beside) and height - BOTTOM - y > 22
        place, anchor = ((x, y + 6), "ma") if low else ((x, y - 5), "md")
        pen.text(
            place, str(value), font=english(12), fill=INK, anchor=anchor, stroke_width=2, stroke_fill=paper
        )


def _pie(pen: ImageDraw.ImageDraw, series: Series, colours: list[str], size: tuple[int, int]) -> None:
    width, height = size
    across = min(height - 48, width - 130)
    box = (14, 36, 14 + across, 36 + across)
    angle = -90.0
    for number, (value, colour) in enumerate(zip(series.values, colours, strict=True)):
        pen.pieslice(box, angle, angle + 3.6 * value, fill=colour, outline="white")
        angle += 3.6 * value
        y = 48 + number * 21
        pen.rectangle((across + 30, y, across + 41, y + 11), fill=colour)
        text = f"{series.labels[number]} {value}%"
        pen.text((across + 47, y + 6), text, font=english(12), fill=INK, anchor="lm")

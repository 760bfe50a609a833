"""Lines of text drawn on a picture, with the box that each of them got."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageDraw, ImageFont

TALL = "Égj|"  # as high as a line gets, so that all boxes of one line are equally high
Corners = list[list[int]]  # four points, clockwise from the upper left, in pixels


@dataclass(frozen=True)
class Written:
    """One text as it stands on a picture."""

    text: str
    box: tuple[int, int, int, int]

    def corners(self) -> Corners:
        """The four corners of the box."""
        left, upper, right, lower = self.box
        return [[left, upper], [right, upper], [right, lower], [left, lower]]


def write(
    picture: Image.Image,
    place: tuple[float, float],
    text: str,
    font: ImageFont.FreeTypeFont,
    anchor: str = "la",
    fill: Any = "#1c1c1c",
) -> Written:
    """Draw a text and say where it stands; the box never leaves the picture."""
    pen = ImageDraw.Draw(picture)
    pen.text(place, text, font=font, anchor=anchor, fill=fill)
    left, upper, right, lower = pen.textbbox(place, text, font=font, anchor=anchor)
    _, top, _, bottom = pen.textbbox(place, TALL, font=font, anchor=anchor)
    low, high = max(0, min(upper, top) - 1), min(picture.height - 1, max(lower, bottom) + 1)
    box = (max(0, left - 1), low, min(picture.width - 1, right + 1), high)
    return Written(text, (int(box[0]), int(box[1]), int(box[2]), int(box[3])))

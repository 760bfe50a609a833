"""What can be measured in a picture and said in words: colour, light and shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

COLOURS = ("black", "grey", "white", "red", "orange", "brown", "yellow", "green", "turquoise", "blue",
           "purple", "pink")  # fmt: skip
LIGHTNESS = (
    (45, "very dark"),
    (95, "dark"),
    (160, "of medium brightness"),
    (210, "light"),
    (256, "very light"),
)
LIGHTER = 8.0  # levels of 255 by which one half must lead before it is called lighter
EQUAL = 3.0  # levels below which two halves are called equally light


@dataclass(frozen=True)
class Look:
    """Facts of one upright picture; light is mean luma of 255, `share` is of all pixels."""

    width: int
    height: int
    light: float
    spread: float
    left_lead: float
    top_lead: float
    colour: str
    share: float

    def lightness(self) -> str:
        """How light the picture is, in words."""
        return next(word for limit, word in LIGHTNESS if self.light < limit)

    def lighter_side(self) -> str | None:
        """`left`, `right` or `neither`; None where it is too close to be said."""
        return _lead(self.left_lead, "left", "right")

    def lighter_end(self) -> str | None:
        """`upper`, `lower` or `neither`; None where it is too close to be said."""
        return _lead(self.top_lead, "upper", "lower")


def look(picture: Image.Image) -> Look:
    """Measure an RGB or grey picture; the middle row or column of an odd size belongs to the second half."""
    luma = np.asarray(picture.convert("L"), dtype=np.float64)
    height, width = luma.shape
    names = np.bincount(colour_classes(picture).ravel(), minlength=len(COLOURS))
    most = int(names.argmax())
    return Look(
        width=width,
        height=height,
        light=float(luma.mean()),
        spread=float(luma.std()),
        left_lead=float(luma[:, : width // 2].mean() - luma[:, width // 2 :].mean()),
        top_lead=float(luma[: height // 2].mean() - luma[height // 2 :].mean()),
        colour=COLOURS[most],
        share=float(names[most] / names.sum()),
    )


def colour_classes(picture: Image.Image) -> np.ndarray:
    """The index into COLOURS of every pixel, by hue, saturation and value."""
    hsv = np.asarray(picture.convert("RGB").convert("HSV"), dtype=np.int32)
    hue, saturation, value = hsv[..., 0] * 360 // 255, hsv[..., 1], hsv[..., 2]
    bands = [(12, "red"), (45, "orange"), (68, "yellow"), (165, "green"), (195, "turquoise"), (262, "blue"),
             (300, "purple"), (342, "pink"), (361, "red")]  # fmt: skip
    edges = np.array([edge for edge, _ in bands])
    numbers = np.array([COLOURS.index(name) for _, name in bands])
    classes = numbers[np.searchsorted(edges, hue, side="right")]
    brownish = (value < 165) & (hue < 52) & (hue >= 8)
    classes = np.where(brownish, COLOURS.index("brown"), classes)
    pale = np.where(value > 200, COLOURS.index("white"), COLOURS.index("grey"))
    classes = np.where(saturation < 42, pale, classes)
    return np.where(value < 52, COLOURS.index("black"), classes)


def _lead(lead: float, first: str, second: str) -> str | None:
    if abs(lead) < EQUAL:
        return "neither"
    if abs(lead) < LIGHTER:
        return None
    return first if lead > 0 else second

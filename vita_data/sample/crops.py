"""Photographs cut into crops that do not overlap, in many shapes."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from vita_data.sample.chance import rng
from vita_data.sample.photographs import Photograph

STRIP = 92  # pixels, the mean thickness of a strip
RATIOS = (0.8, 0.9, 1.0, 1.0, 1.15, 1.3, 1.6, 2.0, 2.4)  # crop length along the strip / thickness

Box = tuple[int, int, int, int]  # left, upper, right, lower, in pixels


@dataclass(frozen=True)
class Place:
    """Where a crop lies in its photograph."""

    photo: Photograph
    size: tuple[int, int]  # of the photograph
    box: Box

    def region(self) -> str:
        """The ninth of the photograph that holds the middle of the crop, in words."""
        column = min(2, (self.box[0] + self.box[2]) * 3 // (2 * self.size[0]))
        row = min(2, (self.box[1] + self.box[3]) * 3 // (2 * self.size[1]))
        if (row, column) == (1, 1):
            return "middle"
        return f"{('upper', 'middle', 'lower')[row]} {('left', 'centre', 'right')[column]}"


def cut(photo: Photograph, size: tuple[int, int]) -> list[Place]:
    """Boxes that cover the photograph once: strips of varying thickness, cut at varying lengths."""
    random = rng("crops", photo.file)
    upright = random.random() < 0.4  # strips run down instead of across, which gives tall crops
    across, along = (size[0], size[1]) if upright else (size[1], size[0])
    boxes: list[Box] = []
    for near, far in _strips(random, across):
        for start, end in _pieces(random, along, far - near):
            boxes.append((near, start, far, end) if upright else (start, near, end, far))
    return [Place(photo, size, box) for box in boxes]


def _strips(random: Random, length: int) -> list[tuple[int, int]]:
    count = max(1, round(length / STRIP))
    edges = [length * n // count for n in range(count + 1)]
    for n in range(1, count):
        edges[n] += random.randint(-9, 9)
    return list(zip(edges, edges[1:], strict=False))


def _pieces(random: Random, length: int, thickness: int) -> list[tuple[int, int]]:
    pieces = []
    start = 0
    while start < length:
        end = start + round(thickness * random.choice(RATIOS))
        if length - end < 0.8 * thickness:
            end = length if length - start < 2.6 * thickness else (start + length) // 2
        pieces.append((start, end))
        start = end
    return pieces

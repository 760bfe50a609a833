"""From the bytes of a medium to its numbers, free of heavy imports: a process that does nothing else begins at once.

Pictures become the tiles that the vision tower looks at. The grid was chosen when the stage was built, so its length
is what the pack plan says. Sources: the dynamic tiling of InternVL as VITA-1.5 uses it: bicubic resize to the grid
without keeping the aspect, tiles cut row by row, and one thumbnail of the whole last when there is more than one tile.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy
import soundfile
from PIL import Image

from vita_data.errors import ShardError

Numbers = numpy.ndarray[Any, Any]


class Unreadable(ShardError):
    """A medium that its decoder cannot read (`broken`), or not within its time (`timed_out`)."""

    def __init__(
        self, message: str, rule: str = "broken", value: object = None, threshold: object = None
    ) -> None:
        super().__init__(message)
        self.rule = rule
        self.value = value
        self.threshold = threshold

    def of(self, name: str) -> Unreadable:
        """The same in a sentence that says of what."""
        words = f"{name} cannot be decoded ({self}); run `vita-data prove` on the stage."
        return Unreadable(words, self.rule, self.value, self.threshold)


@dataclass(frozen=True)
class Picture:
    """An encoded image to be cut into a grid of (columns, rows) tiles."""

    data: bytes
    grid: tuple[int, int]
    pixels: int
    thumbnail: bool

    def decoded(self) -> Numbers:
        """uint8 (K, 3, pixels, pixels)."""
        with Image.open(io.BytesIO(self.data)) as opened:
            picture = opened.convert("RGB")
        (cols, rows), pixels = self.grid, self.pixels
        whole = picture.resize((cols * pixels, rows * pixels), Image.Resampling.BICUBIC)
        cut = numpy.asarray(whole).reshape(rows, pixels, cols, pixels, 3).transpose(0, 2, 4, 1, 3)
        found = cut.reshape(rows * cols, 3, pixels, pixels)
        if self.thumbnail and rows * cols > 1:
            small = numpy.asarray(picture.resize((pixels, pixels), Image.Resampling.BICUBIC))
            found = numpy.concatenate([found, small.transpose(2, 0, 1)[None]])
        return numpy.ascontiguousarray(found)


@dataclass(frozen=True)
class Sound:
    """An encoded mono clip that is to have this rate."""

    data: bytes
    rate: int

    def decoded(self) -> Numbers:
        """float32 (samples,) from -1 to 1."""
        samples, found = soundfile.read(io.BytesIO(self.data), dtype="float32")
        if found != self.rate or samples.ndim != 1:
            raise ShardError(f"{found} Hz and shape {samples.shape}, not {self.rate} Hz and one channel")
        return numpy.asarray(samples)


Medium = Picture | Sound
Decode = Callable[[Medium], Numbers]


def decode(medium: Medium) -> Numbers:
    """The numbers of a medium; Unreadable for what its decoder refuses, ShardError for what a build does not write."""
    try:
        return medium.decoded()
    except ShardError:
        raise
    except Exception as error:  # decoders raise whatever they like, SyntaxError and struct.error among it
        raise Unreadable(f"{error or type(error).__name__}") from error

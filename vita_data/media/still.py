"""From one decoded frame to an upright JPEG with square pixels, as a person expects to see it."""

from __future__ import annotations

import hashlib
import io
import struct
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from av import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import Interpolation, VideoReformatter
from PIL import Image

from vita_data.errors import RecordError
from vita_data.media.pixels import make_upright, to_grey_or_rgb

MAX_ASPECT = 100
# Pixels outside of this are a broken header; those this near to square come from rounding a size.
_WIDEST_PIXEL = 8
_SQUARE_WITHIN = Fraction(1, 100)

# Bit-exact: the same pixels with any vector instructions. Where the size stays, exact rounding would leave the
# direct conversion of colours for one that is ten times as slow and no nearer to the truth.
_KEEP = Interpolation.BICUBIC | Interpolation.BITEXACT
_SCALE = _KEEP | Interpolation.ACCURATE_RND

# EXIF orientations by what the display matrix does: (axes swapped, across reversed, down reversed).
_ORIENTATIONS = {
    (False, False, False): 1,
    (False, True, False): 2,
    (False, True, True): 3,
    (False, False, True): 4,
    (True, False, False): 5,
    (True, True, False): 6,
    (True, True, True): 7,
    (True, False, True): 8,
}

_TURNS = (1, 8, 3, 6)  # by quarters against the clock


@dataclass(frozen=True, slots=True)
class Still:
    """JPEG bytes of a frame, the size of the picture, and 16 bytes over its pixels before compression."""

    data: bytes
    width: int
    height: int
    content: bytes


class Renderer:
    """Makes stills of a film's frames: square pixels, RGB, on white, upright, shrunk to `short_side`, JPEG 4:2:0.

    Colours follow the matrix and range that the stream names; where it names none, BT.601 and limited, as
    FFmpeg does. Interlaced frames stay woven.
    """

    def __init__(self, pixel_aspect: Fraction | None, short_side: int, quality: int) -> None:
        self._pixel_aspect, self._short_side, self._quality = pixel_aspect, short_side, quality
        self._scaler = VideoReformatter()
        self._canvas = Image.new(
            "RGB", (0, 0)
        )  # for all frames: the memory of a new one costs as much as filling it

    def still_of(self, frame: VideoFrame) -> Still:
        """Render a frame. RecordError `video_extreme_aspect`."""
        width, height = _size(frame.width, frame.height, self._pixel_aspect, self._short_side)
        orientation = orientation_of(frame)
        pixels: list[memoryview] | list[bytes] | None = None
        if _is_see_through(frame):
            plane = self._plane(frame, frame.width, frame.height, "rgba")
            image = to_grey_or_rgb(_image(plane, frame.width, frame.height))
            image = image.resize((width, height), Image.Resampling.BICUBIC)
        else:
            plane = self._plane(frame, width, height, "rgb24")
            image = self._filled_canvas(plane, width, height)
            pixels = _rows(plane, width, height) if orientation == 1 else None
        image = make_upright(image, orientation)
        hasher = hashlib.blake2b(f"{image.width} {image.height} ".encode(), digest_size=16)
        for part in pixels or [image.tobytes()]:
            hasher.update(part)
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=self._quality)
        return Still(buffer.getvalue(), image.width, image.height, hasher.digest())

    def _plane(self, frame: VideoFrame, width: int, height: int, pixel_format: str) -> VideoPlane:
        how = _KEEP if (width, height) == (frame.width, frame.height) else _SCALE
        return self._scaler.reformat(frame, width, height, pixel_format, interpolation=how, threads=1).planes[
            0
        ]

    def _filled_canvas(self, plane: VideoPlane, width: int, height: int) -> Image.Image:
        if self._canvas.size != (width, height):
            self._canvas = Image.new("RGB", (width, height))
        data: Any = memoryview(plane)
        self._canvas.frombytes(data, "raw", "RGB", plane.line_size, 1)
        return self._canvas


def _image(plane: VideoPlane, width: int, height: int) -> Image.Image:
    data: Any = memoryview(plane)
    return Image.frombuffer("RGBA", (width, height), data, "raw", "RGBA", plane.line_size, 1)


def _rows(plane: VideoPlane, width: int, height: int) -> list[memoryview]:
    """The bytes of RGB pixels, without what fills up the lines."""
    data, line = memoryview(plane), plane.line_size
    if line == 3 * width:
        return [data[: line * height]]
    return [data[at : at + 3 * width] for at in range(0, line * height, line)]


def orientation_of(frame: VideoFrame) -> int:
    """The EXIF orientation, 1 to 8, nearest to the frame's display matrix; 1 where it has none.

    The matrix (a b u, c d v, x y w) takes the stored point (p, q) to (ap + cq, bp + dq); ISO 14496-12, 6.2.2.
    """
    try:
        matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV reads all side data or none, and gives up at a kind that it has no name for.
        return _TURNS[round(frame.rotation / 90) % 4]
    if matrix is None:
        return 1
    a, b, _, c, d = struct.unpack_from("=5i", bytes(matrix))
    swapped = abs(b) + abs(c) > abs(a) + abs(d)
    across, down = (c, b) if swapped else (a, d)
    return _ORIENTATIONS[swapped, across < 0, down < 0]


@lru_cache(maxsize=16)
def _size(width: int, height: int, pixel_aspect: Fraction | None, short_side: int) -> tuple[int, int]:
    """The size to render in: pixels made square by stretching, then the short side shrunk to its limit."""
    wide, high = Fraction(width), Fraction(height)
    pixel_aspect = pixel_aspect or Fraction(1)
    if Fraction(1, _WIDEST_PIXEL) <= pixel_aspect <= _WIDEST_PIXEL and abs(pixel_aspect - 1) > _SQUARE_WITHIN:
        wide, high = (wide * pixel_aspect, high) if pixel_aspect > 1 else (wide, high / pixel_aspect)
    if max(wide, high) > MAX_ASPECT * min(wide, high):
        raise RecordError(
            "video_extreme_aspect",
            f"The film is {width} x {height} pixels, longer than {MAX_ASPECT} to 1; crop it.",
            f"{float(max(wide, high) / min(wide, high)):.1f}",
            MAX_ASPECT,
        )
    scale = min(Fraction(1), short_side / min(wide, high))
    return max(1, round(wide * scale)), max(1, round(high * scale))


def _is_see_through(frame: VideoFrame) -> bool:
    return frame.format.has_palette or any(part.is_alpha for part in frame.format.components)

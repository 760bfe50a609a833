"""Films made of photographs: scenes over which the camera moves, one after another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

from PIL import Image

from vita_data.sample.photographs import PHOTOGRAPHS, Photograph, open_photograph

MOVES = ("right", "left", "down", "up", "in", "out", "still")
SHORT_SIDE = 400  # pixels: larger photographs are shrunk once, before the camera passes over them
PANNED, FAR, NEAR, STILL = 0.78, 1.0, 0.5, 0.85  # the window's share of the largest that fits
# Where the subject of a photograph is, as shares of its width and height; in the middle of the others.
MIDDLE = (0.5, 0.5)
FOCUS = {
    "astronaut": (0.46, 0.28),
    "camera": (0.5, 0.28),
    "cell": (0.77, 0.57),
    "china": (0.35, 0.45),
    "coffee": (0.52, 0.45),
    "rocket": (0.5, 0.65),
}


@dataclass(frozen=True)
class Scene:
    """One photograph and how the camera moves over it."""

    photo: Photograph
    move: str
    seconds: float


@dataclass(frozen=True)
class Film:
    """Scenes in their order; `size` is width and height in pixels, `rate` frames a second.

    `form` says how it is stored, `tune` are the tones of its sound track in hertz.
    """

    name: str
    scenes: tuple[Scene, ...]
    size: tuple[int, int]
    rate: int
    form: str
    tune: tuple[float, ...] = ()

    @property
    def counts(self) -> list[int]:
        """Frames of each scene."""
        return [max(1, round(scene.seconds * self.rate)) for scene in self.scenes]

    @property
    def seconds(self) -> float:
        """From the first frame to the end of the last."""
        return sum(self.counts) / self.rate

    @property
    def starts(self) -> list[float]:
        """When each scene begins, in seconds."""
        return [count / self.rate for count in accumulate([0, *self.counts[:-1]])]

    def scene_at(self, seconds: float) -> int:
        """The number of the scene that is on the screen at a time."""
        return max(number for number, start in enumerate(self.starts) if start <= seconds)


def load_photographs() -> dict[str, Image.Image]:
    """All photographs in colour, none of them with a short side above SHORT_SIDE."""
    loaded = {}
    for photo in PHOTOGRAPHS:
        picture = open_photograph(photo).convert("RGB")
        scale = min(1.0, SHORT_SIDE / min(picture.size))
        size = (round(picture.width * scale), round(picture.height * scale))
        loaded[photo.name] = picture.resize(size, Image.Resampling.BICUBIC)
    return loaded


def draw(film: Film, photographs: Mapping[str, Image.Image]) -> list[Image.Image]:
    """Every frame of a film."""
    frames = []
    for scene, count in zip(film.scenes, film.counts, strict=True):
        picture = photographs[scene.photo.name]
        for number in range(count):
            focus = FOCUS.get(scene.photo.name, MIDDLE)
            box = window(scene.move, number / max(1, count - 1), picture.size, film.size, focus)
            frames.append(picture.resize(film.size, Image.Resampling.BILINEAR, box=box))
    return frames


def window(
    move: str, progress: float, picture: tuple[int, int], frame: tuple[int, int], focus: tuple[float, float]
) -> tuple[float, float, float, float]:
    """What the camera sees of a picture when `progress` (0 to 1) of a move is done: left, upper, right, lower.

    Across its move, and where it does not move, the camera looks at `focus`, in shares of width and height.
    """
    scale = {"still": STILL, "in": FAR + (NEAR - FAR) * progress, "out": NEAR + (FAR - NEAR) * progress}
    largest = min(picture[0] / frame[0], picture[1] / frame[1]) * scale.get(move, PANNED)
    corner = []
    for axis, ends in enumerate((("left", "right"), ("up", "down"))):
        room = picture[axis] - frame[axis] * largest
        centred = focus[axis] * picture[axis] - frame[axis] * largest / 2
        along = progress if move == ends[1] else 1 - progress
        corner.append(room * along if move in ends else min(max(centred, 0.0), room))
    right, lower = (min(corner[axis] + frame[axis] * largest, picture[axis]) for axis in (0, 1))
    return corner[0], corner[1], right, lower

"""What can truly be said of a film, in numbers and names: its scenes, their colours, its sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from vita_data.sample.film_scenes import Film, Scene
from vita_data.sample.measure import look
from vita_data.sample.photographs import open_photograph

MOSTLY = 0.45  # share of a picture above which its commonest colour is named


@dataclass(frozen=True)
class Seen:
    """A film and what was measured in the middle frame of each of its scenes."""

    film: Film
    colours: tuple[str | None, ...]  # the commonest one, where it covers most of the scene
    greys: tuple[bool, ...]  # whether the scene's photograph has no colours

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """The scenes in their order."""
        return self.film.scenes

    @property
    def rounded(self) -> list[int]:
        """Whole seconds of each scene, half a second counting as one more."""
        return [int(scene.seconds + 0.5) for scene in self.scenes]

    def longest(self) -> int | None:
        """The number of the scene that lasts longer than all others by a second or more."""
        lengths = sorted((scene.seconds, number) for number, scene in enumerate(self.scenes))
        clear = len(lengths) > 1 and lengths[-1][0] >= lengths[-2][0] + 1
        return lengths[-1][1] if clear else None

    def parts(self, start: float, end: float) -> list[int]:
        """The numbers of the scenes that are to be seen from `start` to before `end` seconds."""
        return list(range(self.film.scene_at(start), self.film.scene_at(end - 1e-6) + 1))


def seen(film: Film, frames: Sequence[Image.Image], grey: frozenset[str]) -> Seen:
    """Measure a film in its frames; `grey` names the photographs without colours."""
    colours: list[str | None] = []
    greys = tuple(scene.photo.name in grey for scene in film.scenes)
    at = 0
    for count, is_grey in zip(film.counts, greys, strict=True):
        measured = look(frames[at + count // 2])
        colours.append(measured.colour if measured.share >= MOSTLY and not is_grey else None)
        at += count
    return Seen(film, tuple(colours), greys)


def grey_photographs(names: Sequence[Scene]) -> frozenset[str]:
    """The names of those photographs of scenes that have no colours."""
    photos = {scene.photo.name: scene.photo for scene in names}
    return frozenset(name for name, photo in photos.items() if open_photograph(photo).mode == "L")

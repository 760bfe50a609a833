"""The films of the corpus as files: the plain ones, the unusual ones, and what can be said of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from PIL import Image

from vita_data.sample.chance import rng
from vita_data.sample.film_files import encode, extension, gif, odd_times, turned
from vita_data.sample.film_look import Seen, grey_photographs, seen
from vita_data.sample.film_plans import plan_films, plan_odd
from vita_data.sample.film_scenes import Film, draw, load_photographs
from vita_data.sample.ledger import Plant

LATE = Fraction(3)  # seconds


@dataclass(frozen=True)
class Filmed:
    """A film, its file, and what is planted with it: what a viewer sees is in `seen`."""

    seen: Seen
    data: bytes
    file: str
    plant: Plant | None = None


def take_films(most: int | None = None) -> list[Filmed]:
    """All films, the unusual ones last; of the plain ones the first `most`."""
    photographs = load_photographs()
    plain = plan_films()[:most]
    odd = plan_odd()
    grey = grey_photographs([scene for film in [*plain, *odd.values()] for scene in film.scenes])
    taken = []
    for film in plain:
        frames = draw(film, photographs)
        file = f"{film.name}.{extension(film.form)}"
        taken.append(Filmed(seen(film, frames, grey), encode(film, frames), file))
    return taken + [_odd(kind, film, photographs, grey) for kind, film in odd.items()]


def _odd(kind: str, film: Film, photographs: Mapping[str, Image.Image], grey: frozenset[str]) -> Filmed:
    frames = draw(film, photographs)
    measured = seen(film, frames, grey)
    data, note = _stored(kind, film, frames)
    expected: dict[str, object] = {"width": film.size[0], "height": film.size[1]}
    if kind not in (
        "cut_tail",
        "still_gif",
        "variable_frame_rate",
    ):  # how long these last is the decoder's to say
        expected["seconds"] = round(film.seconds, 3)
    name = "mp4" if kind == "wrong_extension" else extension(film.form)
    return Filmed(measured, data, f"{film.name}.{name}", Plant(kind, None, f"kept: {note}", expected))


def _stored(kind: str, film: Film, frames: list[Image.Image]) -> tuple[bytes, str]:
    """The file of an unusual film, and what is unusual about it."""
    if kind == "rotated_film":
        return turned(film, frames), "it lies on its side, and its display matrix sets it upright"
    if kind == "variable_frame_rate":
        random = rng("films", kind)
        times = odd_times(len(frames), film.seconds, lambda: random.choice((1.0, 1.0, 2.0, 9.0)))
        return encode(film, frames, times), "its frames are shown for different times"
    if kind == "late_start":
        times = [LATE + Fraction(number, film.rate) for number in range(len(frames))]
        return encode(film, frames, times), "its first frame is stamped seconds after zero"
    if kind == "cut_tail":
        data = encode(film, frames)
        return data[: len(data) * 3 // 4], "the last quarter of the file is not there, the rest decodes"
    if kind == "still_gif":
        return gif(frames[:1], film.rate), "a film of one frame"
    notes = {
        "no_index": "it is written in fragments and has no index of the whole",
        "very_short": "it has fewer frames than are taken of a film",
        "wrong_extension": "it is named .mp4, the content decides",
        "odd_size": "its sides are no multiples of 16",
    }
    return encode(film, frames), notes[kind]

"""Which films are made: how each is stored, how large and long it is, and what is in it."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from vita_data.sample.chance import rng
from vita_data.sample.film_files import GIF
from vita_data.sample.film_scenes import MOVES, Film, Scene
from vita_data.sample.photographs import PHOTOGRAPHS
from vita_data.sample.sound import SCALE

FORMS = {"h264-mp4": 22, "h264-mov": 6, "h264-mkv": 4, "h265-mkv": 8, "h265-mp4": 4, "vp9-webm": 12,
         "vp8-webm": 4, "mpeg4-avi": 6, GIF: 5}  # fmt: skip
WITH_SOUND = 8  # of the films in H.264 in MP4
LONG = 3  # films of up to forty seconds, four scenes each
SIZES = ((240, 160), (208, 160), (160, 160), (160, 208), (256, 144), (192, 144))
SMALL = (128, 96)


def plan_films() -> list[Film]:
    """All plain films, the same at every run, forms and lengths mixed."""
    films = []
    for form, count in FORMS.items():
        for number in range(count):
            films.append(_plan(form, number))
    rng("films", "order").shuffle(films)
    return films


def _plan(form: str, number: int) -> Film:
    name = f"{form}-{number:02d}"
    random = rng("films", name)
    long = form == "h264-mp4" and number < LONG
    tune: tuple[float, ...] = ()
    if form == "h264-mp4" and LONG <= number < LONG + WITH_SOUND:
        tune = SCALE if number % 2 else SCALE[::-1]
    if form == GIF:
        return Film(name, _scenes(random, random.randint(1, 2), (1.0, 2.0)), SMALL, 5, form)
    count = 4 if long else random.choice((1, 2, 2, 3, 3, 4))
    lengths = (7.0, 10.0) if long else (1.0, 2.0) if count == 1 and number % 2 else (1.5, 5.0)
    rate = 10 if long else random.choice((10, 12, 15))
    return Film(name, _scenes(random, count, lengths), random.choice(SIZES), rate, form, tune)


def _scenes(random: Random, count: int, lengths: tuple[float, float]) -> tuple[Scene, ...]:
    """Different photographs, each shown for a number of half seconds."""
    chosen = random.sample(PHOTOGRAPHS, count)
    low, high = (round(2 * length) for length in lengths)
    return tuple(Scene(photo, random.choice(MOVES), random.randint(low, high) / 2) for photo in chosen)


def plan_odd() -> dict[str, Film]:
    """One film of each unusual kind."""
    forms = {
        "rotated_film": "h264-mp4",
        "variable_frame_rate": "h264-mkv",
        "cut_tail": "h264-mkv",
        "late_start": "h264-ts",
        "no_index": "h264-fragments",
        "very_short": "h264-mp4",
        "wrong_extension": "vp9-webm",
        "odd_size": "h264-mp4",
        "still_gif": GIF,
    }
    films = {}
    for kind, form in forms.items():
        random = rng("films", kind)
        count, lengths, size = 2, (2.0, 3.5), (160, 208) if kind == "rotated_film" else SIZES[0]
        if kind in ("very_short", "still_gif"):
            count, lengths = 1, (0.5, 0.5)
        if kind == "cut_tail":
            count, lengths = 1, (5.0, 6.0)
        if kind == "odd_size":
            size = (198, 134)
        scenes = _scenes(random, count, lengths)
        if kind == "very_short":
            scenes = (replace(scenes[0], seconds=0.2),)
        if kind == "still_gif":
            scenes = (replace(scenes[0], move="still", seconds=0.1),)
        films[kind] = Film(kind.replace("_", "-"), scenes, size, 10, form)
    return films

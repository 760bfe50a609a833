"""Pictures put together from photographs, with questions on what is where: two benchmarks in VLMEvalKit's layout.

Layout: https://github.com/open-compass/VLMEvalKit/blob/main/docs/en/Development.md, one TSV with a picture in
base64 a row, or the index of the row that holds it.
"""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from PIL import Image, ImageOps

from vita_data.sample.chance import rng
from vita_data.sample.encode import jpeg
from vita_data.sample.photographs import PHOTOGRAPHS, Photograph, open_photograph

MOSAICS, PAIRS = "sample-mosaics", "sample-pairs"
FILES = {MOSAICS: "SampleMosaics.tsv", PAIRS: "SamplePairs.tsv"}
COUNT = 8  # pictures of each benchmark
TILE = (144, 112)  # pixels
QUARTERS = ("upper left", "upper right", "lower left", "lower right")
SIDES = ("left", "right")
CIRCULAR = 1_000_000  # what the index of a row grows by where its options are asked in another order
GENERIC = "Name all that is put together here."  # nothing of its picture is in it
LETTERS = "ABCD"
# What photographs show in words that no source of the corpus uses: what is found of a question must be a leak.
SHOWN = {
    "astronaut": "somebody who is about to leave the Earth",
    "brick": "what a mason laid",
    "camera": "a gentleman who takes pictures in a park",
    "cell": "something alive that is too tiny to be seen by eye",
    "chelsea": "a pet that purrs",
    "clock_motion": "an instrument that nobody can read the hour from",
    "coffee": "a drink that keeps people awake",
    "coins": "money that buys nothing today",
    "grass": "what cows would love to eat",
    "gravel": "what crunches under every shoe",
    "hubble_deep_field": "a place farther away than any other here",
    "ihc": "a thin slice that a physician looks at",
    "moon": "a desert on which people once drove a car",
    "retina": "the organ that you read this with",
    "rocket": "a vehicle that flies only once",
    "text": "homework of a student of mathematics",
    "china": "a building of a distant emperor",
    "flower": "something that a bee would visit",
}


@dataclass(frozen=True)
class Item:
    """One question of a benchmark with its picture as a file, and the places that it offers as answers."""

    index: int
    picture: Image.Image
    data: bytes
    question: str
    places: tuple[str, ...]
    answer: str

    @property
    def asked(self) -> str:
        """The question with its options, as adapters put them together."""
        options = [f"{letter}. {place}" for letter, place in zip(LETTERS, self.places, strict=False)]
        return "\n".join([self.question, *options])


def draw_items() -> dict[str, list[Item]]:
    """The questions of both benchmarks, the same ones at every run."""
    photographs = {photo: ImageOps.mirror(open_photograph(photo).convert("RGB")) for photo in PHOTOGRAPHS}
    return {
        name: [_item(name, places, number, photographs) for number in range(COUNT)]
        for name, places in ((MOSAICS, QUARTERS), (PAIRS, SIDES))
    }


def _item(name: str, places: Sequence[str], number: int, photographs: dict[Photograph, Image.Image]) -> Item:
    random = rng(name, str(number))
    chosen = random.sample(PHOTOGRAPHS, len(places))
    picture = _joined([_tile(photographs[photo], random) for photo in chosen])
    right = random.randrange(len(places))
    question = (
        f"Four photographs make up this mosaic. In which corner does one see {SHOWN[chosen[right].name]}?"
        if len(places) > 2
        else f"Of the two photographs side by side, which is the one that shows {SHOWN[chosen[right].name]}?"
    )
    if name == PAIRS and number == COUNT - 1:
        return Item(number, picture, jpeg(picture, 92).data, GENERIC, (), SHOWN[chosen[0].name])
    return Item(number, picture, jpeg(picture, 92).data, question, tuple(places), LETTERS[right])


def _tile(photograph: Image.Image, random: Random) -> Image.Image:
    """A part of the mirrored photograph, half to nine tenths of its width."""
    part = random.uniform(0.5, 0.9)
    width, height = (round(part * side) for side in photograph.size)
    left, upper = (
        random.randint(0, side - own) for side, own in zip(photograph.size, (width, height), strict=True)
    )
    return ImageOps.fit(photograph.crop((left, upper, left + width, upper + height)), TILE)


def _joined(tiles: Sequence[Image.Image]) -> Image.Image:
    """Tiles side by side, two to a row."""
    picture = Image.new("RGB", (2 * TILE[0], len(tiles) // 2 * TILE[1]))
    for number, tile in enumerate(tiles):
        picture.paste(tile, (number % 2 * TILE[0], number // 2 * TILE[1]))
    return picture


def write_tables(folder: Path, items: dict[str, list[Item]]) -> None:
    """Writes both benchmarks into a folder; every question of the mosaics is asked twice, in two orders."""
    for name, some in items.items():
        rows = [_row(item, str(item.index), base64.b64encode(item.data).decode(), 0) for item in some]
        if name == MOSAICS:
            rows += [_row(item, str(CIRCULAR + item.index), str(item.index), 1) for item in some]
        text = io.StringIO()
        table = csv.writer(text, delimiter="\t", lineterminator="\n")
        table.writerow(["index", "image", "question", *LETTERS, "answer", "category", "split"])
        table.writerows(rows)
        (folder / FILES[name]).write_text(text.getvalue(), encoding="utf-8")


def _row(item: Item, index: str, image: str, turned: int) -> list[str]:
    """The cells of a row, its options moved up by `turned`."""
    count = len(item.places)
    places = [item.places[(number + turned) % count] for number in range(count)]
    answer = LETTERS[(LETTERS.index(item.answer) - turned) % count] if count else item.answer
    return [index, image, item.question, *places, *[""] * (len(LETTERS) - count), answer, "place", "dev"]

"""The crops as files: each with its place in the photograph, its bytes, and what can be seen in it."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageStat

from vita_data.sample.chance import rng
from vita_data.sample.crops import Place, cut
from vita_data.sample.encode import AWKWARD, Encoded, jpeg, png
from vita_data.sample.ledger import Plant
from vita_data.sample.measure import Look, look
from vita_data.sample.photographs import PHOTOGRAPHS, open_photograph

FLAT = 1.5  # levels of 255: crops with less spread show nothing
PNG_SHARE = 0.12


@dataclass(frozen=True)
class Shot:
    """One crop of a photograph; `look` is measured in the bytes that are written."""

    name: str
    place: Place
    grey: bool
    data: bytes
    extension: str
    look: Look
    plant: Plant | None

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.name}.{self.extension}"


def take_shots() -> list[Shot]:
    """All crops that show something, in the order of the photographs."""
    raw: list[tuple[str, Place, Image.Image]] = []
    for photo in PHOTOGRAPHS:
        whole = open_photograph(photo)
        for number, place in enumerate(cut(photo, whole.size)):
            piece = whole.crop(place.box)
            if ImageStat.Stat(piece.convert("L")).stddev[0] >= FLAT:
                raw.append((f"{photo.name}-{number:03d}", place, piece))
    kinds = _choose_awkward(raw)
    return [_shot(name, place, piece, kinds.get(name)) for name, place, piece in raw]


def _choose_awkward(raw: list[tuple[str, Place, Image.Image]]) -> dict[str, str]:
    kinds: dict[str, str] = {}
    for kind, (_, needs_grey, _) in AWKWARD.items():
        fitting = [name for name, _, piece in raw if (piece.mode == "L") == needs_grey and name not in kinds]
        kinds[rng("awkward shot", kind).choice(fitting)] = kind
    return kinds


def _shot(name: str, place: Place, piece: Image.Image, kind: str | None) -> Shot:
    if kind is None:
        encoded = png(piece) if rng("png", name).random() < PNG_SHARE else jpeg(piece)
        plant = None
    else:
        encoder, _, expectation = AWKWARD[kind]
        encoded = encoder(piece)
        plant = Plant(kind, None, expectation, _expected(encoded))
    grey = piece.mode == "L"
    return Shot(name, place, grey, encoded.data, encoded.extension, look(encoded.seen), plant)


def _expected(encoded: Encoded) -> dict[str, object]:
    """Width, height and mean red, green and blue of the picture a person sees."""
    seen = encoded.seen.convert("RGB")
    mean = [round(level, 1) for level in ImageStat.Stat(seen).mean]
    return {"width": seen.width, "height": seen.height, "mean_rgb": mean}

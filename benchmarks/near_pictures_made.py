"""Pictures for the race of perceptual hashes: bases, what is done to their copies, and pages that share a layout."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

FILES = (
    "astronaut.png chelsea.png coffee.png rocket.jpg hubble_deep_field.jpg retina.jpg ihc.png camera.png "
    "coins.png grass.png gravel.png brick.png moon.png motorcycle_left.png"
)
TILE = (176, 132)
TEXT = (
    "the of and to in is that for it as was with be by on not he his but at are this have from or had an they which "
    "one you were all her she there would their we him been has when who will no more if out so up said what its about "
    "than into them can only other time new some could these two may first then do any like my now over such our man"
)
WORDS = TEXT.split()


def photographs() -> Iterator[Image.Image]:
    """Pieces of scikit-image's and scikit-learn's photographs, without overlap, twice as large; no dull ones."""
    import skimage
    import sklearn

    folder = Path(skimage.__file__).parent / "data"
    paths = [folder / name for name in FILES.split()]
    paths += [
        Path(sklearn.__file__).parent / "datasets/images" / name for name in ("china.jpg", "flower.jpg")
    ]
    for path in paths:
        whole = Image.open(path).convert("RGB")
        for top in range(0, whole.height - TILE[1] + 1, TILE[1]):
            for left in range(0, whole.width - TILE[0] + 1, TILE[0]):
                piece = whole.crop((left, top, left + TILE[0], top + TILE[1]))
                if np.asarray(piece.convert("L")).std() > 12:
                    yield piece.resize((2 * TILE[0], 2 * TILE[1]), Image.Resampling.BICUBIC)


def noise(rng: Any, width: int, height: int, exponent: float) -> Any:
    """Noise whose amplitude falls with frequency to the power `exponent`; photographs have about 1."""
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    frequency[0, 0] = np.inf
    field = np.fft.irfft2(
        np.fft.rfft2(rng.standard_normal((height, width))) / frequency**exponent, (height, width)
    )
    return field / field.std()


def coloured(pixels: Any) -> Image.Image:
    """Floating-point pixels as a picture."""
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def texture(rng: Any, width: int, height: int) -> Image.Image:
    """Coloured noise of some roughness."""
    grey, tint = noise(rng, width, height, rng.uniform(0.7, 2.0)), noise(rng, width, height, 1.8)
    pixels = rng.uniform(60, 190, 3) + grey[..., None] * rng.uniform(20, 55)
    return coloured(pixels + tint[..., None] * rng.uniform(-25, 25, 3))


def scene(rng: Any, width: int, height: int) -> Image.Image:
    """A sloping sky, often a rough ground, up to eight bodies, a lens that blurs and a sensor that hisses."""
    down, across = np.mgrid[0:height, 0:width] / max(width, height)
    turn = rng.uniform(0, 2 * np.pi)
    slope = (across * np.cos(turn) + down * np.sin(turn))[..., None]
    pixels = rng.uniform(30, 220, 3) + slope * rng.uniform(-150, 150, 3)
    if rng.random() < 0.7:
        horizon = rng.uniform(0.3, 0.8) * height + rng.uniform(0, 24) * noise(rng, width, 1, 1.0)[0]
        rough = noise(rng, width, height, rng.uniform(0.8, 1.6))[..., None] * rng.uniform(5, 25)
        below = (np.arange(height)[:, None] > horizon)[..., None]
        pixels = np.where(below, rng.uniform(20, 200, 3) + rough, pixels)
    picture = coloured(pixels)
    pen = ImageDraw.Draw(picture)
    for _ in range(rng.integers(2, 9)):
        x, y, size = (
            rng.uniform(0, width),
            rng.uniform(0, height),
            rng.uniform(0.05, 0.35) * min(width, height),
        )
        body(pen, rng, x, y, size)
    picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 2)))
    hiss = noise(rng, width, height, 0.9)[..., None] * rng.uniform(2, 14)
    return coloured(np.asarray(picture).astype(np.float32) + hiss)


def body(pen: ImageDraw.ImageDraw, rng: Any, x: float, y: float, size: float) -> None:
    """An ellipse, a polygon or a box."""
    colour = tuple(int(level) for level in rng.integers(0, 256, 3))
    kind = rng.integers(3)
    if kind == 0:
        pen.ellipse((x - size, y - size * rng.uniform(0.4, 1.2), x + size, y + size), fill=colour)
    elif kind == 1:
        corners = int(rng.integers(3, 8))
        turns, reach = np.sort(rng.uniform(0, 2 * np.pi, corners)), size * rng.uniform(0.5, 1.4, corners)
        pen.polygon(list(zip(x + reach * np.cos(turns), y + reach * np.sin(turns), strict=True)), fill=colour)
    else:
        right = x + size * rng.uniform(0.3, 1)
        pen.rectangle((x - size, y - size * rng.uniform(0.3, 1), right, y + size), fill=colour)


def bases(count: int, seed: int) -> Iterator[Image.Image]:
    """All pieces of photographs, then scenes with every fifth a texture, of 320 to 640 pixels."""
    pieces = list(photographs())[:count]
    yield from pieces
    for number in range(len(pieces), count):
        rng = np.random.default_rng((seed, number))
        width, height = (int(side) for side in rng.integers(320, 641, 2))
        yield (texture if number % 5 == 0 else scene)(rng, width, min(height, width))


def jpeg(picture: Image.Image, quality: int = 85) -> bytes:
    """The picture as a JPEG file."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def scaled(across: float, down: float) -> Callable[[Image.Image, Any], bytes]:
    """Resizes by two factors."""

    def apply(picture: Image.Image, rng: Any) -> bytes:
        size = (round(picture.width * across), round(picture.height * down))
        return jpeg(picture.resize(size, Image.Resampling.BICUBIC))

    return apply


def cropped(part: float) -> Callable[[Image.Image, Any], bytes]:
    """Takes away a part of the width and of the height, from any sides."""

    def apply(picture: Image.Image, rng: Any) -> bytes:
        width, height = round(picture.width * (1 - part)), round(picture.height * (1 - part))
        left, top = rng.integers(0, picture.width - width + 1), rng.integers(0, picture.height - height + 1)
        return jpeg(picture.crop((left, top, left + width, top + height)))

    return apply


def marked(part: float, in_corner: bool) -> Callable[[Image.Image, Any], bytes]:
    """Covers a part of the area with a box of one colour and a word."""

    def apply(picture: Image.Image, rng: Any) -> bytes:
        picture, side = picture.copy(), part**0.5
        width, height = int(picture.width * side), int(picture.height * side)
        room = (picture.width - width, picture.height - height)
        if in_corner:
            left, top = (int(rng.choice([4, free - 4])) for free in room)
        else:
            left, top = (int(rng.integers(0, free)) for free in room)
        pen = ImageDraw.Draw(picture)
        colour = tuple(int(level) for level in rng.integers(0, 256, 3))
        pen.rectangle((left, top, left + width, top + height), fill=colour)
        pen.text((left + 3, top + 3), "sample", fill="white")
        return jpeg(picture)

    return apply


WAYS: dict[str, Callable[[Image.Image, Any], bytes]] = {
    "JPEG quality 90": lambda picture, rng: jpeg(picture, 90),
    "JPEG quality 50": lambda picture, rng: jpeg(picture, 50),
    "JPEG quality 30": lambda picture, rng: jpeg(picture, 30),
    "half the size": scaled(0.5, 0.5),
    "a quarter of the size": scaled(0.25, 0.25),
    "twice the size": scaled(2, 2),
    "height to 80 %": scaled(1, 0.8),
    "grey": lambda picture, rng: jpeg(picture.convert("L")),
    "brighter by 15 %": lambda picture, rng: jpeg(
        picture.point([min(255, int(v * 1.15)) for v in range(256)] * 3)
    ),
    "box in a corner, 2 %": marked(0.02, True),
    "box in a corner, 5 %": marked(0.05, True),
    "box anywhere, 2 %": marked(0.02, False),
    "crop of 5 %": cropped(0.05),
    "crop of 10 %": cropped(0.10),
    "crop of 20 %": cropped(0.20),
    "mirrored": lambda picture, rng: jpeg(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
}


def words(rng: Any, count: int) -> str:
    """So many words."""
    return " ".join(WORDS[int(number)] for number in rng.integers(0, len(WORDS), count))


def page(rng: Any) -> Image.Image:
    """A page of paragraphs, always with the same font, margins and leading."""
    font, picture, top = ImageFont.load_default(14), Image.new("L", (612, 792), 255), 60
    pen = ImageDraw.Draw(picture)
    while top < 710:
        line = words(rng, 20)
        while pen.textlength(line, font) > 492:
            line = line.rpartition(" ")[0]
        if rng.random() < 0.1:
            line = line[: int(len(line) * rng.random())]
        if rng.random() > 0.06:
            pen.text((60, top), line, font=font, fill=0)
        top += 19
    return picture


def chart(rng: Any) -> Image.Image:
    """Bars, a line or a pie, always in the same place."""
    font, picture = ImageFont.load_default(12), Image.new("RGB", (640, 480), "white")
    pen, values, kind = (
        ImageDraw.Draw(picture),
        rng.uniform(0.1, 1, int(rng.integers(4, 13))),
        rng.integers(3),
    )
    colours = [tuple(int(level) for level in rng.integers(0, 256, 3)) for _ in values]
    pen.text((240, 12), words(rng, 4), font=font, fill=0)
    if kind == 2:
        turns = np.concatenate([[0], values.cumsum() / values.sum() * 360])
        for begin, end, colour in zip(turns, turns[1:], colours, strict=False):
            pen.pieslice((150, 70, 490, 410), begin, end, fill=colour, outline=0)
        return picture
    pen.line((60, 40, 60, 430, 610, 430), fill=0, width=2)
    step = 530 / len(values)
    tops = [(70 + step * number, 430 - 370 * value) for number, value in enumerate(values)]
    for number, (left, top) in enumerate(tops):
        if kind == 0:
            pen.rectangle((left, top, left + 0.7 * step, 430), fill=colours[0])
        pen.text((left, 435), str(1990 + number), font=font, fill=0)
    if kind == 1:
        pen.line(tops, fill=colours[0], width=3)
    return picture


def drawing(rng: Any) -> Image.Image:
    """Lines, boxes, ellipses and triangles with letters, as in a geometry book."""
    font, picture = ImageFont.load_default(12), Image.new("L", (500, 500), 255)
    pen = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(3, 10))):
        (x, y), (wide, high), kind = rng.uniform(40, 380, 2), rng.uniform(30, 200, 2), rng.integers(4)
        if kind == 0:
            pen.ellipse((x, y, x + wide, y + high), outline=0, width=2)
        elif kind == 1:
            pen.rectangle((x, y, x + wide, y + high), outline=0, width=2)
        elif kind == 2:
            pen.line((x, y, *rng.uniform(20, 480, 2)), fill=0, width=2)
        else:
            pen.polygon([tuple(rng.uniform(30, 470, 2)) for _ in range(3)], outline=0)
        pen.text((x, y - 14), chr(65 + int(rng.integers(26))), font=font, fill=0)
    return picture


def pages(count: int, seed: int) -> Iterator[Image.Image]:
    """Different text pages, charts and drawings in turn."""
    for number in range(count):
        yield (page, chart, drawing)[number % 3](np.random.default_rng((seed, 7, number)))

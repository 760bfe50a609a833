"""The perceptual hash: what stays near, what does not, and what has no hash at all."""

from __future__ import annotations

import functools
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from vita_data.curate import hamming
from vita_data.curate.phash import RADIUS, mirrored, perceptual_hash
from vita_data.errors import RecordError

TEXT = "over under river stone of and the bright window a carried seven morning paper in with lamp to"
WORDS = TEXT.split()
FONT = ImageFont.load_default(14)


def scene(seed: int, width: int = 480, height: int = 360) -> Image.Image:
    """Something like a photograph: rough ground of all scales and some bodies, a little out of focus."""
    return _scene(seed, width, height).copy()


@functools.cache
def _scene(seed: int, width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    field = np.zeros((height, width))
    for side in (3, 6, 12, 24, 48, 96):
        grid = Image.fromarray(rng.standard_normal((side, side)).astype(np.float32))
        field += np.asarray(grid.resize((width, height), Image.Resampling.BICUBIC)) / side**0.8
    pixels = 120 + 45 * field[..., None] / field.std() + rng.uniform(-40, 40, 3)
    picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    for _ in range(5):
        x, y, size = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(20, 90)
        pen.ellipse((x - size, y - size, x + size, y + size), fill=tuple(rng.integers(0, 256, 3).tolist()))
    return picture.filter(ImageFilter.GaussianBlur(1))


def encoded(picture: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    """A picture as a file."""
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def bits(one: bytes, other: bytes) -> int:
    """In how many bits the hashes of two files differ."""
    first, second = perceptual_hash(one), perceptual_hash(other)
    assert first is not None and second is not None
    return (first ^ second).bit_count()


def near_part(change: Any, count: int = 30) -> float:
    """The part of scenes that stay near when they are changed."""
    return (
        sum(
            bits(encoded(scene(n), quality=90), encoded(change(scene(n)), quality=85)) <= RADIUS
            for n in range(count)
        )
        / count
    )


def text_page(rng: Any) -> Image.Image:
    """Paragraphs in one font between the same margins."""
    page, top = Image.new("L", (612, 792), 255), 60
    pen = ImageDraw.Draw(page)
    while top < 710:
        line = " ".join(WORDS[int(n)] for n in rng.integers(0, len(WORDS), 18))[: int(rng.integers(58, 64))]
        if rng.random() > 0.07:
            pen.text((60, top), line[: int(len(line) * min(1, 12 * rng.random()))], font=FONT, fill=0)
        top += 19
    return page


def chart(rng: Any) -> Image.Image:
    """Bars or a pie, always in the same place."""
    page, values = Image.new("RGB", (640, 480), "white"), rng.uniform(0.1, 1, int(rng.integers(4, 13)))
    pen, colours = ImageDraw.Draw(page), [tuple(rng.integers(0, 256, 3).tolist()) for _ in values]
    pen.text((240, 12), " ".join(WORDS[int(n)] for n in rng.integers(0, len(WORDS), 4)), font=FONT, fill=0)
    if rng.random() < 0.3:
        turns = [0, *(values.cumsum() / values.sum() * 360)]
        for begin, end, colour in zip(turns, turns[1:], colours, strict=False):
            pen.pieslice((150, 70, 490, 410), begin, end, fill=colour, outline=0)
        return page
    pen.line((60, 40, 60, 430, 610, 430), fill=0, width=2)
    for number, value in enumerate(values):
        left = 70 + 530 / len(values) * number
        pen.rectangle((left, 430 - 370 * value, left + 380 / len(values), 430), fill=colours[0])
        pen.text((left, 435), str(1990 + number), font=FONT, fill=0)
    return page


def drawing(rng: Any) -> Image.Image:
    """A figure of lines with letters."""
    page = Image.new("L", (500, 500), 255)
    pen = ImageDraw.Draw(page)
    for _ in range(int(rng.integers(3, 10))):
        (x, y), (wide, high) = rng.uniform(40, 300, 2), rng.uniform(30, 200, 2)
        shape = (pen.ellipse, pen.rectangle, pen.line)[int(rng.integers(3))]
        shape((x, y, x + wide, y + high), **({"fill": 0} if shape == pen.line else {"outline": 0}), width=2)
        pen.text((x, y - 14), chr(65 + int(rng.integers(26))), font=FONT, fill=0)
    return page


@functools.cache
def papers() -> list[Image.Image]:
    """Three hundred pages, charts and drawings, all different."""
    return [
        (text_page, chart, drawing)[number % 3](np.random.default_rng((5, number))) for number in range(300)
    ]


@pytest.mark.parametrize("quality", [30, 60, 90])
def test_a_recompressed_picture_stays_near(quality: int) -> None:
    for number in range(10):
        assert bits(encoded(scene(number), "PNG"), encoded(scene(number), quality=quality)) <= 4


@pytest.mark.parametrize("factors", [(0.25, 0.25), (0.5, 0.5), (3, 3), (1, 0.8)])
def test_a_resized_or_squeezed_picture_stays_near(factors: tuple[float, float]) -> None:
    for number in range(6):
        picture = scene(number)
        size = (round(picture.width * factors[0]), round(picture.height * factors[1]))
        other = picture.resize(size, Image.Resampling.BICUBIC)
        assert bits(encoded(picture, quality=90), encoded(other, quality=85)) <= 4


def test_a_small_mark_in_a_corner_leaves_nearly_all_pictures_near() -> None:
    def mark(picture: Image.Image) -> Image.Image:
        ImageDraw.Draw(picture).rectangle((400, 310, 475, 355), fill="white")
        return picture

    assert near_part(mark) >= 0.95


def test_most_pictures_stay_near_when_a_twentieth_of_their_sides_is_cropped_and_few_when_a_fifth_is() -> None:
    assert near_part(lambda picture: picture.crop((12, 9, 468, 351))) >= 0.8
    assert near_part(lambda picture: picture.crop((96, 72, 480, 360))) <= 0.2


def test_different_pictures_are_far_apart() -> None:
    hashes = [perceptual_hash(encoded(scene(number, 240, 180))) for number in range(250)]
    values = np.array([value for value in hashes if value is not None], np.uint64)
    assert len(values) >= 245
    assert not len(hamming.pairs_within(values, RADIUS)[0])
    distances = np.bitwise_count(values[:, None] ^ values)[np.triu_indices(len(values), 1)]
    assert 31 < distances.mean() < 33


@pytest.mark.slow
def test_no_two_of_three_hundred_different_pages_charts_and_drawings_are_near() -> None:
    hashes = [perceptual_hash(encoded(picture, quality=90)) for picture in papers()]
    known = np.array([value for value in hashes if value is not None], np.uint64)
    assert len(known) >= 260
    first, later = next(hamming.index_pairs(known, RADIUS), ((), ()))
    assert not len(first), f"{len(first)} pairs, such as {first[0]} and {later[0]}"


def test_a_recompressed_or_smaller_page_stays_near() -> None:
    pages = papers()[:45]
    for change in (
        lambda page: encoded(page, quality=30),
        lambda page: encoded(page.resize((page.width // 2, page.height // 2), Image.Resampling.BICUBIC)),
    ):
        pairs = [(perceptual_hash(encoded(page, "PNG")), perceptual_hash(change(page))) for page in pages]
        known = [(one, other) for one, other in pairs if one is not None and other is not None]
        assert len(known) >= 36
        assert all((one ^ other).bit_count() <= RADIUS for one, other in known)


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((200, 300), 255),
        np.full((200, 300), 90),
        np.tile(np.linspace(0, 255, 300), (200, 1)),
        np.tile(np.linspace(0, 255, 200)[:, None], (1, 300)),
        np.tile(np.arange(300) // 30 % 2 * 255, (200, 1)),
    ],
    ids=["white", "grey", "ramp across", "ramp down", "stripes"],
)
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_pictures_with_nothing_to_see_have_no_hash(pixels: Any, form: str) -> None:
    assert perceptual_hash(encoded(Image.fromarray(pixels.astype(np.uint8)), form)) is None


def test_a_picture_that_is_its_own_mirror_image_has_no_hash() -> None:
    half = np.asarray(scene(3).convert("L"))
    both = np.concatenate([half, half[:, ::-1]], axis=1)
    assert perceptual_hash(encoded(Image.fromarray(both), "PNG")) is None


def test_a_mirrored_picture_is_far_unless_its_mirrored_hash_is_asked() -> None:
    picture = encoded(scene(1), "PNG")
    other = encoded(scene(1).transpose(Image.Transpose.FLIP_LEFT_RIGHT), "PNG")
    assert bits(picture, other) > 20
    assert perceptual_hash(other, mirrored=True) == perceptual_hash(picture)


def test_a_picture_stored_on_its_side_is_hashed_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = scene(2).transpose(Image.Transpose.ROTATE_90)
    assert bits(encoded(scene(2), quality=95), encoded(turned, quality=95, exif=exif)) <= 2


def test_what_is_transparent_is_white() -> None:
    clear = scene(4).convert("RGBA")
    mask = Image.new("L", clear.size, 0)
    ImageDraw.Draw(mask).ellipse((40, 40, 440, 320), fill=255)
    clear.putalpha(mask)
    paper = Image.new("RGB", clear.size, "white")
    paper.paste(scene(4), mask=mask)
    assert perceptual_hash(encoded(clear, "PNG")) == perceptual_hash(encoded(paper, "PNG")) is not None


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_print_colours_are_the_same_picture(mode: str) -> None:
    assert bits(encoded(scene(5), quality=95), encoded(scene(5).convert(mode), quality=95)) <= 2


def test_decoding_at_a_smaller_scale_does_not_change_who_is_near() -> None:
    large = [scene(number).resize((1440, 1080), Image.Resampling.BICUBIC) for number in range(3)]
    pages = [
        page.resize((page.width * 3, page.height * 3), Image.Resampling.BICUBIC) for page in papers()[:12]
    ]
    pairs = [
        (
            perceptual_hash(encoded(picture, "PNG", compress_level=1)),
            perceptual_hash(encoded(picture, quality=95)),
        )
        for picture in large + pages
    ]
    assert (
        max((one ^ other).bit_count() for one, other in pairs if one is not None and other is not None) <= 6
    )
    assert all((one is None) == (other is None) for one, other in pairs)


def test_a_hash_is_the_same_number_at_every_run() -> None:
    gradient = np.add.outer(np.arange(64) ** 2 % 251, np.arange(80) * 7 % 253).astype(np.uint16) // 2
    assert perceptual_hash(encoded(Image.fromarray(gradient.astype(np.uint8)), "PNG")) == 3903731577073605725


@pytest.mark.parametrize("cut", [0, 10, 2000])
def test_a_picture_that_no_longer_decodes_is_refused(cut: int) -> None:
    with pytest.raises(RecordError, match="no longer decodes") as refused:
        perceptual_hash(encoded(scene(6), "PNG")[:cut])
    assert refused.value.rule == "media_unreadable"


@pytest.mark.parametrize("number", [1, 2])
def test_a_mirrored_hash_follows_from_the_hash_of_a_scene_and_of_paper(number: int) -> None:
    page = Image.new("RGB", (480, 640), "white")
    draw = ImageDraw.Draw(page)
    for line in range(20):
        draw.text(
            (30 + 7 * (line % 3), 20 + 30 * line), f"line {line * number} of the page " * 3, fill="black"
        )
    for place, picture in enumerate((scene(number), page)):
        data = encoded(picture, "PNG")
        hashed, wanted = perceptual_hash(data), perceptual_hash(data, mirrored=True)
        assert hashed is not None and wanted is not None
        (pair,) = mirrored([hashed])
        assert (int(pair[place]) ^ wanted).bit_count() <= 3
        assert (int(pair[1 - place]) ^ wanted).bit_count() > 16

"""Pictures are judged by decoding them: stored as they came, converted once, or refused with a reason."""

from __future__ import annotations

import io
import struct
import threading
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFile, JpegImagePlugin

from vita_data.errors import RecordError
from vita_data.media.image import ImageFacts, examine_image

RED, WHITE = (255, 0, 0), (255, 255, 255)


def _photo(mode: str = "RGB", size: tuple[int, int] = (40, 24)) -> Image.Image:
    """A soft picture whose left top corner is red, so that turning it shows."""
    across, down = np.meshgrid(np.linspace(0, 200, size[0]), np.linspace(0, 200, size[1]))
    image = Image.fromarray(np.stack([across, down, across / 2], axis=-1).astype(np.uint8))
    image.paste(RED, (0, 0, 8, 8))
    return image.convert(mode)


def _bytes(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _pixels(facts: ImageFacts) -> Image.Image:
    image = Image.open(io.BytesIO(facts.data))
    assert image.size == (facts.width, facts.height)
    assert image.format == {"jpg": "JPEG", "png": "PNG"}[facts.extension]
    return image


def _rule(data: bytes, max_pixels: int = 100_000_000) -> str:
    with pytest.raises(RecordError) as refusal:
        examine_image(data, max_pixels)
    return refusal.value.rule


def _oriented(orientation: object) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_an_upright_grey_or_rgb_jpeg_or_png_is_stored_byte_for_byte(kind: str, mode: str) -> None:
    data = _bytes(_photo(mode), kind)
    facts = examine_image(data)
    assert facts.data == data and facts.converted is None
    assert (facts.width, facts.height) == (40, 24)
    _pixels(facts)


def test_a_stereo_jpeg_is_stored_byte_for_byte() -> None:
    data = _bytes(_photo(), "MPO", save_all=True, append_images=[_photo()])
    facts = examine_image(data)
    assert (facts.data, facts.extension, facts.converted) == (data, "jpg", None)


@pytest.mark.parametrize("orientation", [2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_turned_picture_is_stored_upright(orientation: int, kind: str) -> None:
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]
    turned = _photo().transpose(Image.Transpose(back))
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "JPEG" else {}
    facts = examine_image(_bytes(turned, kind, exif=_oriented(orientation).tobytes(), **options))
    difference = np.abs(np.asarray(_pixels(facts), int) - np.asarray(_photo(), int))
    assert difference.mean() < 4
    assert not _pixels(facts).getexif()
    if kind != "TIFF":
        assert f"EXIF orientation {orientation}" in str(facts.converted)


@pytest.mark.parametrize("orientation", [0, 1, 9, 77])
def test_an_orientation_that_means_nothing_changes_nothing(orientation: int) -> None:
    data = _bytes(_photo(), "JPEG", exif=_oriented(orientation).tobytes())
    assert examine_image(data).data == data


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*"]
)
def test_bad_exif_never_refuses_a_picture(exif: bytes) -> None:
    data = _bytes(_photo(), "JPEG", exif=exif)
    assert examine_image(data).data == data


def test_cmyk_becomes_rgb_of_the_same_colours() -> None:
    facts = examine_image(_bytes(_photo("CMYK"), "JPEG", quality=95))
    image = _pixels(facts)
    assert (image.mode, facts.extension, facts.converted) == ("RGB", "jpg", "CMYK")
    assert np.abs(np.asarray(image, int) - np.asarray(_photo(), int)).mean() < 4


def test_sixteen_bit_grey_is_scaled_and_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 256).round().astype(np.uint16)[None].repeat(4, 0)
    facts = examine_image(_bytes(Image.fromarray(ramp), "PNG"))
    assert np.array_equal(np.asarray(_pixels(facts))[0], np.arange(256))
    assert facts.converted == "16-bit samples, 16-bit grey"


def test_twelve_bits_in_sixteen_use_the_whole_range() -> None:
    ramp = np.linspace(0, 4095, 256).round().astype(np.uint16)[None].repeat(4, 0)
    facts = examine_image(_bytes(Image.fromarray(ramp), "TIFF"))
    assert np.array_equal(np.asarray(_pixels(facts))[0], np.arange(256))


def test_floating_point_grey_is_scaled_and_its_holes_are_dark() -> None:
    values = np.array([[0.0, 0.5, 1.0, np.nan], [-np.inf, np.inf, 0.25, 0.75]], np.float32)
    pixels = np.asarray(_pixels(examine_image(_bytes(Image.fromarray(values), "TIFF"))))
    assert pixels.tolist() == [[0, 128, 255, 0], [0, 255, 64, 191]]


def test_signed_grey_runs_from_its_least_to_its_greatest_value() -> None:
    values = np.array([[-100, 0, 100]], np.int32)
    assert np.asarray(_pixels(examine_image(_bytes(Image.fromarray(values), "TIFF")))).tolist() == [
        [0, 128, 255]
    ]


def test_sixteen_bit_colour_is_stored_with_eight() -> None:
    facts = examine_image(_raw_png(2, 1, 16, 2, struct.pack(">6H", 65535, 0, 0, 0, 32896, 65535)))
    assert np.asarray(_pixels(facts)).tolist() == [[[255, 0, 0], [0, 128, 255]]]
    assert facts.converted == "16-bit samples"


def test_transparent_parts_become_white_paper() -> None:
    image = _photo("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    image.paste((0, 0, 0, 0), (30, 0, 40, 10))
    pixels = _pixels(examine_image(_bytes(image, "PNG")))
    assert pixels.mode == "RGB" and pixels.getpixel((35, 5)) == WHITE


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (Image.new("LA", (4, 4), (0, 0)), {}),
        (Image.new("L", (4, 4), 7), {"transparency": 7}),
        (Image.new("RGB", (4, 4), (1, 2, 3)), {"transparency": (1, 2, 3)}),
        (_photo("P", (4, 4)).quantize(8), {"transparency": bytes(8)}),
        (Image.new("1", (4, 4), 0), {"transparency": 0}),
    ],
    ids=["grey and alpha", "grey key", "colour key", "palette key", "bit key"],
)
def test_every_kind_of_transparency_becomes_white(image: Image.Image, options: dict[str, object]) -> None:
    pixels = _pixels(examine_image(_bytes(image, "PNG", **options)))
    assert pixels.convert("RGB").getpixel((1, 1)) == WHITE
    assert pixels.mode in ("L", "RGB") and "transparency" not in pixels.info


def test_a_palette_picture_shows_its_colours() -> None:
    facts = examine_image(_bytes(_photo().quantize(64), "PNG"))
    assert (_pixels(facts).mode, facts.converted) == ("RGB", "palette")
    assert np.abs(np.asarray(_pixels(facts), int) - np.asarray(_photo(), int)).mean() < 8


def test_a_one_bit_picture_becomes_grey() -> None:
    facts = examine_image(_bytes(_photo("1"), "PNG"))
    assert np.array_equal(np.asarray(_pixels(facts)), np.asarray(_photo("1").convert("L")))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_of_several_frames_is_kept(kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, (0, 0, 255), (0, 255, 0))]
    options = {"lossless": True} if kind == "WEBP" else {}
    facts = examine_image(_bytes(frames[0], kind, save_all=True, append_images=frames[1:], **options))
    image = _pixels(facts)
    assert image.convert("RGB").getpixel((8, 8)) == RED
    assert getattr(image, "n_frames", 1) == 1 and facts.extension == "png"


@pytest.mark.parametrize(
    ("kind", "options", "extension"),
    [
        ("WEBP", {}, "jpg"),
        ("WEBP", {"lossless": True}, "png"),
        ("AVIF", {}, "jpg"),
        ("JPEG2000", {}, "jpg"),
        ("BMP", {}, "png"),
        ("TIFF", {}, "png"),
        ("PPM", {}, "png"),
    ],
)
def test_other_formats_become_jpeg_when_lossy_and_png_otherwise(
    kind: str, options: dict[str, object], extension: str
) -> None:
    facts = examine_image(_bytes(_photo(), kind, **options))
    assert (facts.extension, facts.converted) == (extension, f"{kind} file")
    assert np.abs(np.asarray(_pixels(facts), int) - np.asarray(_photo(), int)).mean() < 8


def test_a_converted_picture_carries_no_metadata() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = _photo("CMYK")
    image.info["comment"] = b"taken by somebody"
    data = _bytes(image, "JPEG", icc_profile=profile, exif=_oriented(6).tobytes(), dpi=(300, 300))
    stored = _pixels(examine_image(data))
    assert not {"icc_profile", "exif", "comment", "dpi", "photoshop", "xmp"} & set(stored.info)


def test_equal_pictures_have_equal_content_whatever_their_file() -> None:
    as_png, as_bmp = examine_image(_bytes(_photo(), "PNG")), examine_image(_bytes(_photo(), "BMP"))
    assert as_png.content == as_bmp.content and len(as_png.content) == 16
    others = [_photo("L"), _photo(size=(24, 40)), _photo().transpose(Image.Transpose.ROTATE_180)]
    assert len({examine_image(_bytes(image, "PNG")).content for image in [_photo(), *others]}) == 4


def test_content_tells_shapes_of_one_colour_apart() -> None:
    shapes = [Image.new("L", size, 9) for size in ((6, 4), (4, 6), (24, 1))]
    assert len({examine_image(_bytes(image, "PNG")).content for image in shapes}) == 3


def test_a_converted_jpeg_keeps_all_its_colour_samples() -> None:
    stored = _pixels(examine_image(_bytes(_photo("CMYK"), "JPEG")))
    assert isinstance(stored, JpegImagePlugin.JpegImageFile)
    assert JpegImagePlugin.get_sampling(stored) == 0


def test_a_conversion_gives_the_same_bytes_each_time() -> None:
    data = _bytes(_photo("CMYK"), "JPEG")
    assert examine_image(data) == examine_image(data)


def test_an_empty_file_is_refused() -> None:
    assert _rule(b"") == "image_empty"


@pytest.mark.parametrize(
    "data",
    [
        b"not a picture at all",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
        b"\xc5\xd0\xd3\xc6" + bytes(40),
        b"\0\0\x02\0" + bytes(40),
        b"\0",
    ],
    ids=["text", "svg", "pdf", "eps", "binary eps", "tga", "one byte"],
)
def test_what_is_no_picture_is_refused_before_any_decoder_sees_it(data: bytes) -> None:
    assert _rule(data) == "image_unknown_format"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP"])
def test_a_truncated_picture_is_refused_as_such(kind: str) -> None:
    noise = Image.effect_noise((64, 64), 80)
    data = _bytes(noise, kind)
    assert _rule(data[: len(data) * 2 // 3]) == "image_truncated"


def test_a_broken_stream_is_refused_as_undecodable() -> None:
    good = _bytes(_photo(), "PNG")
    at = good.index(b"IDAT") + 4
    assert _rule(good[:at] + b"\xff" * 20 + good[at + 20 :]) == "image_undecodable"


def test_a_bomb_is_refused_from_its_header() -> None:
    with pytest.raises(RecordError) as refusal:
        examine_image(_raw_png(50_000, 40_000, 8, 2, b""))
    assert refusal.value.rule == "image_too_many_pixels"
    assert (refusal.value.value, refusal.value.threshold) == ("2000000000", "100000000")
    assert _rule(_bytes(_photo(), "PNG"), max_pixels=959) == "image_too_many_pixels"
    assert examine_image(_bytes(_photo(), "PNG"), max_pixels=960).width == 40


def test_the_limit_of_the_caller_holds_above_pillows_own() -> None:
    data = _raw_png(20_000, 20_000, 8, 0, b"")
    assert _rule(data, max_pixels=500_000_000) in ("image_truncated", "image_undecodable")


def test_a_picture_without_area_is_refused() -> None:
    assert _rule(_raw_png(0, 5, 8, 2, b"")) in ("image_too_small", "image_undecodable")


def test_a_picture_of_one_pixel_is_one() -> None:
    assert examine_image(_bytes(Image.new("L", (1, 1)), "PNG")).width == 1


def test_a_strip_longer_than_two_hundred_to_one_is_refused() -> None:
    assert examine_image(_bytes(Image.new("L", (200, 1)), "PNG")).width == 200
    with pytest.raises(RecordError) as refusal:
        examine_image(_bytes(Image.new("L", (1, 201)), "PNG"))
    assert refusal.value.rule == "image_extreme_aspect"
    assert (refusal.value.value, refusal.value.threshold) == ("201.0", "200")


def test_nothing_global_is_changed_and_nothing_is_warned_of() -> None:
    data = _bytes(_photo(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01")
    limit, truncated = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Image.open(io.BytesIO(data)).getexif()
        assert caught, "the picture must be one that Pillow warns of"
        caught.clear()
        before = list(warnings.filters)
        threads = [
            threading.Thread(target=lambda: [examine_image(data) for _ in range(20)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert list(warnings.filters) == before
        assert not caught
    assert limit == Image.MAX_IMAGE_PIXELS
    assert truncated == ImageFile.LOAD_TRUNCATED_IMAGES


def _raw_png(width: int, height: int, depth: int, colour: int, row: bytes) -> bytes:
    """A PNG of one row of samples, or one that only claims its size."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" + row)), (b"IEND", b"")]
    chunks = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)

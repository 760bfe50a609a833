"""A picture as file bytes: the plain ways, and the awkward ones that a reader must still understand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageDraw, ImageOps

ORIENTATION = 0x0112  # EXIF tag
RIGHT_TOP = 6  # the stored picture must be turned a quarter clockwise to stand upright


@dataclass(frozen=True)
class Encoded:
    """File bytes, the extension they are named with, and the picture a person sees in them."""

    data: bytes
    extension: str
    seen: Image.Image


def jpeg(picture: Image.Image, quality: int = 88, **options: object) -> Encoded:
    """A JPEG as cameras and web sites write it; what is seen has the losses in it."""
    data = _save(picture, "JPEG", quality=quality, **options)
    with Image.open(BytesIO(data)) as stored:
        return Encoded(data, "jpg", stored.convert("L" if stored.mode == "L" else "RGB"))


def png(picture: Image.Image) -> Encoded:
    """A PNG, which loses nothing."""
    return Encoded(_save(picture, "PNG"), "png", picture)


def png_named_jpg(picture: Image.Image) -> Encoded:
    """A PNG whose name says JPEG."""
    return Encoded(_save(picture, "PNG"), "jpg", picture)


def progressive_jpeg(picture: Image.Image) -> Encoded:
    """A JPEG sent in several passes."""
    return jpeg(picture, progressive=True)


def cmyk_jpeg(picture: Image.Image) -> Encoded:
    """A JPEG in the four inks of printing."""
    return jpeg(picture.convert("RGB").convert("CMYK"))


def grey_jpeg(picture: Image.Image) -> Encoded:
    """A JPEG with one channel."""
    return jpeg(picture.convert("L"))


def grey_16_bit_png(picture: Image.Image) -> Encoded:
    """A PNG of 16 bits a pixel: the 8-bit values times 257."""
    grey = picture.convert("L")
    wide = Image.new("I;16", grey.size)
    wide.frombytes(b"".join(bytes((value, value)) for value in grey.tobytes()))
    return Encoded(_save(wide, "PNG"), "png", grey)


def palette_png(picture: Image.Image) -> Encoded:
    """A PNG of 64 numbered colours."""
    numbered = picture.convert("RGB").quantize(64, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    return Encoded(_save(numbered, "PNG"), "png", numbered.convert("RGB"))


def rgba_png(picture: Image.Image) -> Encoded:
    """A PNG whose corners are transparent; seen on white paper."""
    clear = picture.convert("RGBA")
    mask = Image.new("L", clear.size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, clear.width - 1, clear.height - 1), radius=8, fill=255)
    clear.putalpha(mask)
    seen = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear).convert("RGB")
    return Encoded(_save(clear, "PNG"), "png", seen)


def turned_jpeg(picture: Image.Image) -> Encoded:
    """A JPEG stored lying on its side, with the EXIF tag that sets it upright."""
    lying = picture.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[ORIENTATION] = RIGHT_TOP
    stored = jpeg(lying, exif=exif)
    with Image.open(BytesIO(stored.data)) as again:
        return Encoded(stored.data, "jpg", ImageOps.exif_transpose(again))


def animated_gif(picture: Image.Image) -> Encoded:
    """A GIF of three frames, of which the first is the picture."""
    first = picture.convert("RGB").quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    more = [Image.new("RGB", picture.size, colour).quantize(2) for colour in ("navy", "gold")]
    data = _save(first, "GIF", save_all=True, append_images=more, duration=200, loop=0)
    with Image.open(BytesIO(data)) as stored:
        return Encoded(data, "gif", stored.convert("RGB"))


def _save(picture: Image.Image, form: str, **options: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


Encoder = Callable[[Image.Image], Encoded]

# kind -> (encoder, needs a grey photograph, what a reader is expected to do)
AWKWARD: dict[str, tuple[Encoder, bool, str]] = {
    "wrong_extension": (png_named_jpg, False, "kept: the content decides, the medium is a PNG"),
    "cmyk_jpeg": (cmyk_jpeg, False, "kept, converted to RGB"),
    "png_16_bit": (grey_16_bit_png, True, "kept, scaled to 8 bits and not clipped"),
    "palette_png": (palette_png, False, "kept, converted to RGB"),
    "grey_jpeg": (grey_jpeg, True, "kept byte for byte"),
    "progressive_jpeg": (progressive_jpeg, False, "kept byte for byte"),
    "rgba_png": (rgba_png, False, "kept, laid on white"),
    "exif_rotated_jpeg": (turned_jpeg, False, "kept, set upright: width and height are those after turning"),
    "animated_gif": (animated_gif, False, "kept, the first frame stands for it"),
}

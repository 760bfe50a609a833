"""Judging one picture: does it really decode, how large is it, and which bytes are stored for it."""

from __future__ import annotations

import hashlib
import io
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import (  # noqa: F401 (a plugin registers its format when it is imported)
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from vita_data.errors import RecordError
from vita_data.media.pixels import make_upright, orientation_of, to_grey_or_rgb

MAX_ASPECT = 200
MAX_PIXELS = 100_000_000

# Only formats that Pillow decodes by itself, recognised by their first bytes: nothing here starts another
# program (as PostScript does) or is tried on a guess (as TGA is). JPEG covers MPO.
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM")
_EXTENSIONS = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png"}
_LOSSY = ("JPEG", "MPO", "AVIF", "JPEG2000")
_JPEG_MAX_SIDE = 65500
_PNG_DEPTH_AT = 24
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_MODE_NAMES = {"P": "palette", "1": "1-bit", "F": "floating-point grey", "I": "32-bit grey"}


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """A picture that can be used: the bytes to store, and what they show.

    `extension` is "jpg" or "png"; `width` and `height` are those of the upright picture; `content` is 16
    bytes over its decoded pixels, equal for equal pictures in different files; `converted` says why `data`
    is not the input, or is None when it is, byte for byte.
    """

    data: bytes
    extension: str
    width: int
    height: int
    content: bytes
    converted: str | None


def examine_image(data: bytes, max_pixels: int = MAX_PIXELS) -> ImageFacts:
    """Decode a picture fully and say which bytes to store for it.

    An upright 8-bit grey or RGB JPEG or PNG is stored as it is. Of anything else a copy is made, once: a
    JPEG (quality 95, 4:4:4) where the source is lossy and a PNG elsewhere, upright, on white, without
    metadata; of several frames it holds the first. RecordError `image_empty`,
    `image_unknown_format`, `image_too_small`, `image_too_many_pixels`, `image_extreme_aspect`,
    `image_truncated` or `image_undecodable`.
    """
    if not data:
        raise RecordError("image_empty", "The picture file has no bytes; fetch it again.", 0)
    with without_warnings():
        try:
            image = open_picture(data)
            check_size(image.size, max_pixels)
            image.load()
            reasons = _reasons(image, data)
            orientation = orientation_of(image)
            upright = make_upright(to_grey_or_rgb(image), orientation)
        except RecordError:
            raise
        except Exception as error:  # Decoders of broken data raise whatever they trip over.
            raise _refusal(error) from error
    if orientation != 1:
        reasons.append(f"EXIF orientation {orientation}")
    stored, extension = data, _EXTENSIONS.get(str(image.format), "")
    if reasons:
        stored, extension = _encode(upright, _is_lossy(image, data))
    width, height = upright.size
    return ImageFacts(stored, extension, width, height, _content(upright), ", ".join(reasons) or None)


def open_picture(data: bytes) -> ImageFile.ImageFile:
    """Read the header. Image.open has a limit of its own, which is global, and hides why a header fails."""
    prefix = data[:16]
    for name in _FORMATS:
        factory, accept = Image.OPEN[name]
        if accept is not None and accept(prefix) is True:
            return factory(io.BytesIO(data), "")
    raise RecordError(
        "image_unknown_format",
        f"The file starts with {prefix!r}, which is no format that is read; convert it to JPEG or PNG.",
        prefix.hex(),
    )


def check_size(size: tuple[int, int], max_pixels: int) -> None:
    """Refuses a picture by its size alone, before it is decoded; RecordErrors as `examine_image` raises them."""
    width, height = size
    if width < 1 or height < 1:
        raise RecordError(
            "image_too_small", f"The picture is {width} x {height} pixels; drop it.", min(size), 1
        )
    if width * height > max_pixels:
        raise RecordError(
            "image_too_many_pixels",
            f"The picture says it is {width} x {height} pixels; at most {max_pixels} are decoded.",
            width * height,
            max_pixels,
        )
    if max(size) > MAX_ASPECT * min(size):
        aspect = max(size) / min(size)
        raise RecordError(
            "image_extreme_aspect",
            f"The picture is {width} x {height} pixels, longer than {MAX_ASPECT} to 1; crop it.",
            f"{aspect:.1f}",
            MAX_ASPECT,
        )


def _reasons(image: ImageFile.ImageFile, data: bytes) -> list[str]:
    """Why this picture cannot be stored as it is, apart from its orientation."""
    reasons = []
    if image.format not in _EXTENSIONS:
        reasons.append(f"{image.format} file")
    if image.format == "PNG" and data[_PNG_DEPTH_AT] != 8:
        reasons.append(f"{data[_PNG_DEPTH_AT]}-bit samples")
    if image.format == "PNG" and getattr(image, "is_animated", False):
        reasons.append("first of several frames")
    if image.has_transparency_data:
        reasons.append("transparency on white")
    if image.mode not in ("L", "RGB", "LA", "RGBA"):
        name = "16-bit grey" if image.mode.startswith("I;16") else image.mode
        reasons.append(_MODE_NAMES.get(image.mode, name))
    return reasons


def _is_lossy(image: ImageFile.ImageFile, data: bytes) -> bool:
    if image.format == "WEBP":
        return not _is_lossless_webp(data)
    return image.format in _LOSSY


def _is_lossless_webp(data: bytes) -> bool:
    """Whether the first picture chunk is VP8L; a frame of an animation holds its picture after 16 bytes."""
    at = 12
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if kind in (b"VP8L", b"VP8 "):
            return kind == b"VP8L"
        at += 8 + 16 if kind == b"ANMF" else 8 + size + size % 2
    return False


def _encode(image: Image.Image, lossy: bool) -> tuple[bytes, str]:
    """The bytes of a picture without metadata, and their extension."""
    buffer = io.BytesIO()
    bare = image.copy()
    bare.info = {}
    if lossy and max(image.size) <= _JPEG_MAX_SIDE:
        bare.save(buffer, "JPEG", quality=95, subsampling=0)
        return buffer.getvalue(), "jpg"
    bare.save(buffer, "PNG")
    return buffer.getvalue(), "png"


def _content(image: Image.Image) -> bytes:
    hasher = hashlib.blake2b(f"{image.mode} {image.width} {image.height} ".encode(), digest_size=16)
    hasher.update(image.tobytes())
    return hasher.digest()


def _refusal(error: Exception) -> RecordError:
    # Addresses of objects would make rejects differ from run to run.
    words = _ADDRESS.sub("", f"{type(error).__name__}: {error}")
    if isinstance(error, Image.DecompressionBombError):
        rule, what = "image_too_many_pixels", "has a part too large to decode"
    elif isinstance(error, EOFError) or "truncated" in words.lower():
        rule, what = "image_truncated", "ends too early"
    else:
        rule, what = "image_undecodable", "cannot be decoded"
    return RecordError(rule, f"The picture file {what} ({words}); fetch it again.", words)


_lock = threading.Lock()
_inside = 0
_filters: warnings.catch_warnings[None] | None = None


@contextmanager
def without_warnings() -> Iterator[None]:
    """Silence warnings while pictures are decoded: what Pillow thinks aloud is said by the refusal.

    Warning filters belong to the process, so threads share one change: the first in makes it, the last out
    takes it back.
    """
    global _inside, _filters
    with _lock:
        _inside += 1
        if _inside == 1:
            _filters = warnings.catch_warnings()
            _filters.__enter__()
            warnings.simplefilter("ignore")
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0 and _filters is not None:
                _filters.__exit__(None, None, None)
                _filters = None

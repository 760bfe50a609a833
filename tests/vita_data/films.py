"""Small real films whose pictures say which frame they are, encoded when a test asks for them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

BITS = 8
TENTH = Fraction(1, 10)
HUNDREDTH = Fraction(1, 100)
SIZE = (128, 64)  # at 96 pixels the same pictures do not always give the same H.264
MILLI = Fraction(1, 1000)


_X26 = "b-adapt=0:scenecut=0:keyint=12:"
_X264, _X265 = f"{_X26}threads=1:", f"{_X26}log-level=none:pools=1:frame-threads=1:"
_VPX = {"g": "12", "cpu-used": "8", "lag-in-frames": "8", "auto-alt-ref": "1"}

# What `film` is asked for, by a name for the kind. The first group declares a stamp for every frame.
STAMPED: dict[str, dict[str, Any]] = {
    "H.264 with B-frames in MP4": {"options": {"x264-params": f"{_X264}bframes=3"}},
    "H.264 with five references": {"options": {"x264-params": f"{_X264}bframes=5:ref=5:b-pyramid=strict"}},
    "H.264 with open groups in MP4": {"options": {"x264-params": f"{_X264}bframes=3:open-gop=1"}},
    "H.264 with open groups in Matroska": {
        "container": "matroska",
        "options": {"x264-params": f"{_X264}bframes=3:open-gop=1"},
    },
    "H.264 in fragments": {
        "options": {"x264-params": f"{_X264}bframes=2"},
        "muxer": {"movflags": "frag_keyframe+empty_moov"},
    },
    "H.264 in Matroska without an index": {
        "container": "matroska",
        "options": {"x264-params": f"{_X264}bframes=3"},
        "muxer": {"live": "1"},
    },
    "interlaced H.264": {"options": {"flags": "+ilme+ildct", "x264-params": f"{_X264}bframes=2:tff=1"}},
    "10-bit H.264": {"pix_fmt": "yuv420p10le", "options": {"x264-params": f"{_X264}bframes=3"}},
    "H.265 in MP4": {"codec": "libx265", "options": {"x265-params": f"{_X265}bframes=3"}},
    "H.265 with layers": {
        "codec": "libx265",
        "options": {"x265-params": f"{_X265}bframes=3:temporal-layers=3"},
    },
    "VP9 in WebM": {"codec": "libvpx-vp9", "container": "webm", "options": _VPX},
    "VP8 in WebM": {"codec": "libvpx", "container": "webm", "options": _VPX},
    "MPEG-4 in MP4": {"codec": "mpeg4", "options": {"g": "12", "bf": "2"}},
    "Motion JPEG in MOV": {"codec": "mjpeg", "container": "mov", "pix_fmt": "yuvj420p"},
}
OTHERS: dict[str, dict[str, Any]] = {
    "H.264 with rolling refresh": {"options": {"x264-params": f"{_X264}bframes=0:intra-refresh=1"}},
    "H.264 in AVI": {"container": "avi", "tick": TENTH, "options": {"x264-params": f"{_X264}bframes=3"}},
    "MPEG-4 in AVI": {"codec": "mpeg4", "container": "avi", "tick": TENTH, "options": {"g": "12", "bf": "2"}},
    "H.264 in FLV": {"container": "flv", "options": {"x264-params": f"{_X264}bframes=3"}},
    "H.264 in MPEG-TS": {"container": "mpegts", "options": {"x264-params": f"{_X264}bframes=3"}},
    "MPEG-2 in MPEG-PS": {
        "codec": "mpeg2video",
        "container": "mpeg",
        "rate": 25,
        "tick": Fraction(1, 25),
        "options": {"g": "12", "bf": "2"},
    },
    "WMV": {"codec": "wmv2", "container": "asf", "options": {"g": "12"}},
    "lossless FFV1": {"codec": "ffv1", "container": "matroska"},
    "GIF": {"codec": "gif", "container": "gif", "pix_fmt": "rgb8", "tick": HUNDREDTH},
    "animated PNG": {"codec": "apng", "container": "apng", "pix_fmt": "rgb24"},
}
KINDS = STAMPED | OTHERS


def picture(number: int, size: tuple[int, int] = SIZE, alpha: bool = False) -> np.ndarray:
    """RGB(A) pixels: the number as eight black or white columns over a texture that moves along with it.

    The left end of the texture is red. With alpha, the number is drawn by making white bits transparent.
    """
    width, height = size
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    texture = 128 + 60 * np.sin((across + 3 * number) / 5) + 40 * np.sin((down + number) / 3)
    pixels = np.stack([texture, texture * 0.9, 255 - texture], axis=-1).clip(0, 255).astype(np.uint8)
    pixels[height // 2 :, : width // 8] = (220, 20, 20)
    bits = number >> (across[: height // 2] * BITS // width) & 1
    pixels[: height // 2] = (bits * 255)[..., None]
    if not alpha:
        return pixels
    opacity = np.full((height, width, 1), 255, np.uint8)
    opacity[: height // 2] = (255 - bits * 255)[..., None]
    pixels[: height // 2] = 0
    return np.concatenate([pixels, opacity], axis=-1)


def number_in(jpeg: bytes) -> int:
    """The number that a picture shows; fails when a column is neither black nor white."""
    grey = np.asarray(Image.open(io.BytesIO(jpeg)).convert("L"), int)
    height, width = grey.shape
    number = 0
    for bit in range(BITS):
        middle = (2 * bit + 1) * width // (2 * BITS)
        shade = grey[height // 8 : height // 3, middle - 1 : middle + 2].mean()
        assert shade < 70 or shade > 185, f"column {bit} is {shade:.0f}"
        number |= int(shade > 128) << bit
    return number


def film(
    stamps: Sequence[int] | int,
    codec: str = "libx264",
    container: str = "mp4",
    *,
    tick: Fraction = MILLI,
    rate: int = 10,
    size: tuple[int, int] = SIZE,
    pix_fmt: str = "yuv420p",
    options: Mapping[str, str] | None = None,
    muxer: Mapping[str, str] | None = None,
    turn: tuple[float, bool, bool] | None = None,
    aspect: Fraction | None = None,
    colour: tuple[int, int] | None = None,
    sound: bool = False,
    tags: Mapping[str, str] | None = None,
) -> bytes:
    """A film of numbered pictures at these stamps (in ticks), or of so many at `rate`, as a file's bytes.

    `turn` is (degrees, flipped across, flipped down) of the display matrix, `colour` (matrix, range) as
    ITU-T H.273 numbers them.
    """
    if isinstance(stamps, int):
        stamps = [round(number / (rate * tick)) for number in range(stamps)]
    file = io.BytesIO()
    with av.open(file, "w", format=container, options=dict(muxer or {})) as output:
        track = output.add_stream(codec, rate=rate, options=dict(options or {}))
        track.width, track.height, track.pix_fmt = *size, pix_fmt
        track.codec_context.time_base = tick
        track.codec_context.thread_count = 1
        track.metadata.update(tags or {})
        if turn is not None:
            track.set_display_rotation(turn[0], hflip=turn[1], vflip=turn[2])
        if aspect is not None:
            track.codec_context.sample_aspect_ratio = aspect
        if colour is not None:
            track.codec_context.colorspace, track.codec_context.color_range = colour
        if sound:
            voice = output.add_stream("aac" if container in ("mp4", "mov") else "libopus", rate=48000)
        for number, stamp in enumerate(stamps):
            frame = _frame(number, size, pix_fmt, colour)
            frame.pts, frame.time_base = stamp, tick
            output.mux(track.encode(frame))
        output.mux(track.encode(None))
        if sound:
            output.mux(voice.encode(_silence()))
            output.mux(voice.encode(None))
    return file.getvalue()


@cache
def film_of(kind: str, count: int) -> bytes:
    """A film of so many frames of a named kind, made once in a run."""
    return film(count, **KINDS[kind])


def remuxed(data: bytes, container: str, target: str | None = None, **muxer: str) -> bytes:
    """The same pictures without sound in another container; written to `target` where a muxer asks for that."""
    file = io.BytesIO()
    with (
        av.open(io.BytesIO(data)) as source,
        av.open(target or file, "w", format=container, options=muxer) as output,
    ):
        track = output.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = track
                output.mux(packet)
    return Path(target).read_bytes() if target else file.getvalue()


def rate_of(kind: str) -> int:
    """Frames a second of a named kind."""
    return int(KINDS[kind].get("rate", 10))


def _frame(number: int, size: tuple[int, int], pix_fmt: str, colour: tuple[int, int] | None) -> av.VideoFrame:
    has_alpha = "a" in pix_fmt.replace("gray", "")
    pixels = picture(number, size, has_alpha)
    frame = av.VideoFrame.from_ndarray(pixels, format="rgba" if has_alpha else "rgb24")
    return frame.reformat(
        format=pix_fmt,
        dst_colorspace={1: "ITU709", 6: "ITU601"}[colour[0]] if colour else None,
        dst_color_range=colour[1] if colour else None,
        threads=1,
    )


def _silence() -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.float32), format="fltp", layout="mono")
    frame.sample_rate, frame.pts = 48000, 0
    return frame

"""Films as files: codecs and containers, and the unusual ones that a reader must still understand."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from io import BytesIO

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from PIL import Image

from vita_data.sample.film_scenes import Film
from vita_data.sample.lossy_sound import EXACT
from vita_data.sample.sound import tone

SOUND_RATE = 22050
TICKS = 1000  # a second, for frames at odd times
# Exact: without these, x264 looks ahead into memory that it has not written, and x265 starts threads.
H264 = {"preset": "superfast", "crf": "28", "x264-params": "mbtree=0:threads=1:lookahead-threads=1"}
H265 = {"preset": "ultrafast", "crf": "30", "x265-params": "pools=none:frame-threads=1:log-level=none"}
VP9 = {"deadline": "realtime", "cpu-used": "8", "crf": "38", "b": "0"}
# In real time VP8 chooses its effort by the clock.
VP8 = {"deadline": "good", "cpu-used": "5", "b": "90000"}
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
QUARTER_CLOCKWISE = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)


@dataclass(frozen=True)
class Form:
    """How a film is stored: container, codec, and their options."""

    extension: str
    container: str
    codec: str
    options: dict[str, str]
    container_options: dict[str, str] = field(default_factory=dict)


FORMS = {
    "h264-mp4": Form("mp4", "mp4", "libx264", H264 | {"g": "24"}),
    "h264-mov": Form("mov", "mov", "libx264", H264 | {"g": "600", "bf": "2"}),
    "h264-mkv": Form("mkv", "matroska", "libx264", H264 | {"g": "24"}),
    "h265-mkv": Form("mkv", "matroska", "libx265", H265),
    "h265-mp4": Form("mp4", "mp4", "libx265", H265 | {"tag": "hvc1"}),
    "vp9-webm": Form("webm", "webm", "libvpx-vp9", VP9),
    "vp8-webm": Form("webm", "webm", "libvpx", VP8),
    "mpeg4-avi": Form("avi", "avi", "mpeg4", {"b": "110000", "g": "12"}),
    "h264-fragments": Form("mp4", "mp4", "libx264", H264 | {"g": "12"}, FRAGMENTS),
    "h264-ts": Form("ts", "mpegts", "libx264", H264 | {"g": "24"}),
}
GIF = "gif"


def extension(form: str) -> str:
    """What the name of a film of this form ends in."""
    return GIF if form == GIF else FORMS[form].extension


def encode(film: Film, frames: Sequence[Image.Image], times: Sequence[Fraction] = ()) -> bytes:
    """The frames of a film as its file, evenly spaced or at `times` in seconds."""
    if film.form == GIF:
        return gif(frames, film.rate)
    form, buffer = FORMS[film.form], BytesIO()
    with av.open(buffer, "w", format=form.container, options=EXACT | form.container_options) as container:
        stream = container.add_stream(form.codec, rate=film.rate, options=form.options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = *film.size, "yuv420p"
        stream.codec_context.thread_count = 1
        if times:
            stream.codec_context.time_base = Fraction(1, TICKS)
        sound = container.add_stream("aac", rate=SOUND_RATE, layout="mono") if film.tune else None
        for number, picture in enumerate(frames):
            frame = av.VideoFrame.from_image(picture)
            frame.pts = round(times[number] * TICKS) if times else number
            frame.time_base = Fraction(1, TICKS if times else film.rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            _play(container, sound, film.tune, film.seconds)
    return buffer.getvalue()


def _play(container: OutputContainer, stream: AudioStream, tune: Sequence[float], seconds: float) -> None:
    samples = tone(tune, seconds, SOUND_RATE).astype("<f4")[None, :] / 32768
    for start in range(0, samples.shape[1], 1024):
        frame = av.AudioFrame.from_ndarray(samples[:, start : start + 1024].copy(), "fltp", "mono")
        frame.sample_rate, frame.pts = SOUND_RATE, start
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def gif(frames: Sequence[Image.Image], rate: int) -> bytes:
    """A GIF of 48 colours a frame; `rate` divides 100, the ticks of the format."""
    still = [
        frame.quantize(48, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE) for frame in frames
    ]
    buffer = BytesIO()
    still[0].save(buffer, "GIF", save_all=True, append_images=still[1:], duration=1000 // rate, loop=0)
    return buffer.getvalue()


def turned(film: Film, frames: Sequence[Image.Image]) -> bytes:
    """The film lying on its side, with the display matrix that sets it upright, as telephones store it."""
    lying = [frame.transpose(Image.Transpose.ROTATE_90) for frame in frames]
    side = Film(film.name, film.scenes, (film.size[1], film.size[0]), film.rate, film.form)
    data = bytearray(encode(side, lying))
    matrix = data.index(b"tkhd") + 4 + 40  # ISO 14496-12, 8.3.2, version 0
    data[matrix : matrix + len(QUARTER_CLOCKWISE)] = QUARTER_CLOCKWISE
    return bytes(data)


def odd_times(count: int, seconds: float, gaps: Callable[[], float]) -> list[Fraction]:
    """`count` moments from 0 to before `seconds`, parted by gaps in these proportions, in whole TICKS."""
    steps = [gaps() for _ in range(count)]
    scale, at, times = seconds / sum(steps), 0.0, []
    for step in steps:
        times.append(Fraction(round(at * TICKS), TICKS))
        at += step * scale
    return times


def sound_only(tune: Sequence[float], seconds: float) -> bytes:
    """An MP4 file with a sound track and no pictures."""
    buffer = BytesIO()
    with av.open(buffer, "w", format="mp4", options=EXACT) as container:
        _play(container, container.add_stream("aac", rate=SOUND_RATE, layout="mono"), tune, seconds)
    return buffer.getvalue()

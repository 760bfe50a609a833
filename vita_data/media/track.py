"""Opening a film that nobody vouches for: its container, and the track that a player would show."""

from __future__ import annotations

import re
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, BinaryIO

import av
from av.codec import CodecContext
from av.container import InputContainer
from av.stream import Discard, Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from vita_data.errors import RecordError

# What films come in; nothing here opens a second file, as playlists do. The last four hold sound alone: they
# are opened to say so.
_CONTAINERS = (
    "mov,matroska,avi,flv,asf,ogg,mpeg,mpegts,mpegvideo,gif,apng,webp,png_pipe,jpeg_pipe,webp_pipe,"
    "mp3,wav,flac,aac"
)
_DECLARES_ITS_LENGTH = ("mov", "matroska", "avi", "flv", "asf")
_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
_GEN_PTS = 1  # AVFMT_FLAG_GENPTS, which PyAV sets on every file
_BLOCK = 1 << 17
# FFmpeg counts padded lines; and beyond its limit it forgets a size, and with it why a film is refused.
_SLACK = 2
_SPAN = re.compile(r"(\d{1,6}):(\d\d):(\d\d\.\d{1,9})")


def open_track(file: BinaryIO, max_pixels: int) -> tuple[InputContainer, VideoStream]:
    """Open a seekable file at its start and find its film; the container yields packets of that track alone.

    The default track, else the largest; covers and thumbnails are no films. Which container it is depends on
    the bytes, never on the file's name. RecordError `video_undecodable`, `video_no_frames` or
    `video_too_many_pixels`.
    """
    file.seek(0)
    options = {
        "format_whitelist": _CONTAINERS,
        "protocol_whitelist": "",
        "max_pixels": str(_SLACK * max_pixels),
    }
    nameless = SimpleNamespace(read=file.read, seek=file.seek, tell=file.tell)
    try:
        container = av.open(nameless, "r", options=options, metadata_errors="replace", buffer_size=_BLOCK)
    except av.FFmpegError as error:
        raise RecordError(
            "video_undecodable",
            f"The film cannot be opened ({error.strerror}); fetch it again.",
            error.strerror,
        ) from error
    # Made-up stamps are wrong where frames are reordered; a missing one is dealt with when decoding.
    container.flags &= ~_GEN_PTS
    track = _film_track(container)
    for other in container.streams:
        other.discard = Discard.default if other.index == track.index else Discard.all
    _check_size(track.codec_context.width, track.codec_context.height, max_pixels)
    return container, track


def decoder_of(track: VideoStream, max_pixels: int) -> VideoCodecContext:
    """A track's decoder, not yet opened: one thread, since threads change what broken streams give.

    Where transparency lies beside the pictures (WebM), it is the decoder that heeds it.
    """
    context = track.codec_context
    codec = context.codec.canonical_name
    if codec in _ALPHA_DECODERS and track.metadata.get("alpha_mode") == "1":
        decoder: Any = _ALPHA_DECODERS[codec]
        context = CodecContext.create(decoder, "r")
    context.thread_count = 1
    context.options = {"max_pixels": str(_SLACK * max_pixels)}
    return context


def declared_seconds(container: InputContainer, track: VideoStream) -> Fraction | None:
    """How long the header says the track is, or the file where it does not tell them apart; None if neither."""
    if container.format.name.split(",")[0] not in _DECLARES_ITS_LENGTH:
        return None
    if track.duration and track.duration > 0 and track.time_base:
        return track.duration * track.time_base
    tagged = _SPAN.fullmatch(track.metadata.get("DURATION", ""))
    if tagged:
        hours, minutes, seconds = tagged.groups()
        end = Fraction(int(hours) * 3600 + int(minutes) * 60) + Fraction(seconds)
    else:
        end = Fraction(container.duration or 0, av.time_base)
    # Both count from zero, which can lie long before the first frame.
    start = (track.start_time or 0) * (track.time_base or 0)
    return end - max(start, 0) if end > max(start, 0) else None


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise RecordError(
            "video_too_many_pixels",
            f"The film says it is {width} x {height} pixels; at most {max_pixels} are decoded.",
            width * height,
            max_pixels,
        )


def _film_track(container: InputContainer) -> VideoStream:
    still = Disposition.attached_pic | Disposition.timed_thumbnails
    tracks = [track for track in container.streams.video if not track.disposition & still]
    if not tracks:
        raise RecordError("video_no_frames", "The file has no video track; drop it or use it as sound.")
    decodable = [track for track in tracks if track.codec_context is not None]
    if not decodable:
        raise RecordError("video_undecodable", "No decoder knows the video track; convert it to H.264.")
    return max(
        decodable,
        key=lambda track: (
            bool(track.disposition & Disposition.default),
            track.codec_context.width * track.codec_context.height,
            -track.index,
        ),
    )

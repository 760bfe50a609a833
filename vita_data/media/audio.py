"""Cutting a sound out of a file: does it decode, is it all there, and which bytes are stored for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Self

from vita_data.errors import RecordError
from vita_data.media.sound_file import DamagedError, FileTrack, is_file_of_samples
from vita_data.media.sound_packets import PacketTrack
from vita_data.media.sound_shape import Mixer, as_flac, as_int16, content_of, level_of
from vita_data.media.sound_source import SoundSource
from vita_data.media.sound_track import Track, undecodable

MOST_SECONDS = 600.0
PAST_THE_END = 0.1  # seconds that a segment may reach over the end of its file: it is cut there
MISSING_SHARE, MISSING_SECONDS = 0.01, 0.5  # a file that lacks more than both is truncated

_HEAD = 1 << 12

# What bindings of decoders raise on broken data; anything else would be a fault of this code.
_TRIPPED_OVER = (ArithmeticError, BufferError, LookupError, MemoryError, OSError, RuntimeError, ValueError)


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound that can be used: one channel of 16 bits as FLAC, and what was measured.

    `samples` at `rate`; `native_rate` and `channels` are those of the file; `content` is 16 bytes over the
    samples, equal for equal sounds; `peak` and `rms` in dBFS, -200 for digital silence; `clipped` is the
    share of the file's own values at full scale.
    """

    flac: bytes
    samples: int
    rate: int
    native_rate: int
    channels: int
    content: bytes
    peak: float
    rms: float
    clipped: float


def read_sound(
    source: str | bytes | IO[bytes],
    rate: int,
    start: float | None = None,
    end: float | None = None,
    *,
    name: str = "",
    least_seconds: float = 0.0,
    most_seconds: float = MOST_SECONDS,
) -> Sound:
    """The sound of a file, or of its part from `start` to `end`; see LongSound."""
    with LongSound(source, name) as sound:
        return sound.cut(rate, start, end, least_seconds=least_seconds, most_seconds=most_seconds)


class LongSound:
    """A sound file that several parts are cut from, kept open between them.

    `source` is a path or URL, the bytes, or a seekable file, which stays open. The format is told by the
    bytes; only where they tell nothing (G.722) by the suffix of `name`. What a cut gives does not depend on
    the cuts before it. RecordError `media_missing` or `media_unreadable`.
    """

    def __init__(self, source: str | bytes | IO[bytes], name: str = "") -> None:
        self._source = SoundSource(source, name)
        self._track: Track | None = None

    def cut(
        self,
        rate: int,
        start: float | None = None,
        end: float | None = None,
        *,
        least_seconds: float = 0.0,
        most_seconds: float = MOST_SECONDS,
    ) -> Sound:
        """The samples round(start * native rate) to round(end * native rate), mixed to one channel at `rate`.

        Seconds count from the first sample that is heard; None is the start or the end of the file. Errors,
        each a RecordError with value and threshold: `segment_outside`, `audio_too_long`, `audio_too_short`,
        `audio_empty`, `audio_truncated`, `audio_undecodable`, `no_audio`, `media_unreadable`.
        """
        part = _Part(start, end, least_seconds, most_seconds)
        part.check()
        track, self._track = self._track, None
        try:
            track = track or _open_track(self._source)
            try:
                sound = _cut(track, rate, part)
            except DamagedError:
                track.close()
                track = PacketTrack(self._source)
                sound = _cut(track, rate, part)
            self._source.check()
            self._track = track if track.forgets else None
            return sound
        except RecordError:
            self._source.check()
            raise
        except _TRIPPED_OVER as error:
            raise undecodable(type(error).__name__) from error
        finally:
            if track is not None and track is not self._track:
                track.close()

    def close(self) -> None:
        """Lets go of the decoder, and of the file if it was opened here."""
        if self._track is not None:
            self._track.close()
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class _Part:
    """The part of a file that is asked for, in seconds, and how long it may be."""

    start: float | None
    end: float | None
    least: float
    most: float

    def check(self) -> None:
        """Refuses what is wrong whatever the file holds."""
        start, end = self.start or 0.0, self.end
        if not (math.isfinite(start) and start >= 0):
            raise _outside(f"starts at {start} s, which is before the file does", start, 0)
        if end is None:
            return
        if not end > start:
            raise _outside(f"ends at {end} s and starts at {start} s", end, start)
        if not end - start <= self.most:
            raise _too_long(f"{end - start:.3f}", self.most)

    def check_got(self, got: float, reached: float) -> None:
        """Refuses a cut of `got` seconds from a file that was read up to second `reached`."""
        if self.end is not None and reached < self.end - PAST_THE_END:
            raise _outside(
                f"ends at {self.end} s and the file at {reached:.3f} s, more than {PAST_THE_END} s before",
                self.end,
                f"{reached:.3f}",
            )
        if not got and self.start:
            raise _outside(
                f"starts at {self.start} s and the file ends at {reached:.3f} s", self.start, f"{reached:.3f}"
            )
        if not got:
            raise _empty()
        if got < self.least:
            raise RecordError(
                "audio_too_short", f"The sound lasts {got:.3f} s; drop it.", f"{got:.3f}", self.least
            )


def _open_track(source: SoundSource) -> Track:
    source.seek(0)
    head = source.read(_HEAD)
    if is_file_of_samples(head):
        try:
            return FileTrack(source, head)
        except DamagedError:
            pass
    return PacketTrack(source)


def _cut(track: Track, rate: int, part: _Part) -> Sound:
    native = track.rate
    first = round((part.start or 0.0) * native)
    last = None if part.end is None else round(part.end * native)
    most = math.floor(part.most * native)
    if last is None and track.declared is not None and track.declared - first > most:
        raise _too_long(f"{(track.declared - first) / native:.3f}", part.most)
    mixer = Mixer()
    wanted = most + 1 if last is None else last - first
    samples = as_int16(mixer.mixed(track.blocks(first, wanted)), native, rate)
    got = mixer.samples
    if got > most:
        raise _too_long(f"over {part.most}", part.most)
    _check_whole(track, first, last, got)
    part.check_got(got / native, (first + got if got else track.end) / native)
    if not len(samples):
        raise _empty()
    level = level_of(samples)
    return Sound(
        flac=as_flac(samples, rate),
        samples=len(samples),
        rate=rate,
        native_rate=native,
        channels=track.channels,
        content=content_of(samples),
        peak=level.peak,
        rms=level.rms,
        clipped=mixer.clipped,
    )


def _check_whole(track: Track, first: int, last: int | None, got: int) -> None:
    """Refuses a cut that lacks much of what the file says it holds there."""
    there = got + track.lost
    if track.declared is not None:
        there = max(there, (track.declared if last is None else min(last, track.declared)) - first)
    missing = there - got
    if missing > MISSING_SHARE * there and missing > MISSING_SECONDS * track.rate:
        seconds, whole = f"{got / track.rate:.3f}", f"{there / track.rate:.3f}"
        raise RecordError(
            "audio_truncated",
            f"The sound file decodes to {seconds} s of {whole} s; fetch it again.",
            seconds,
            whole,
        )


def _outside(words: str, value: object, threshold: object) -> RecordError:
    return RecordError("segment_outside", f"The segment {words}; drop it.", value, threshold)


def _too_long(seconds: str, most: float) -> RecordError:
    return RecordError(
        "audio_too_long", f"The sound lasts {seconds} s; at most {most} s are read.", seconds, most
    )


def _empty() -> RecordError:
    return RecordError("audio_empty", "The sound file holds no samples there; fetch it again.", 0)

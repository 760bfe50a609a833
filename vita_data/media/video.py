"""Frames of a film by the frame rule: exact, upright, as JPEG."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from fractions import Fraction
from typing import BinaryIO

import av

from vita_data.errors import RecordError
from vita_data.media.decode import Choose, Decoder, Watched, from_the_start
from vita_data.media.film import Film, Frame, FrameRule
from vita_data.media.reel import Reel
from vita_data.media.shortcut import from_key_frames
from vita_data.media.still import Renderer
from vita_data.media.timeline import Choice, Timeline, choose

_HOUR = 3600
_MOST_RATE = 120


def read_frames(
    source: str | bytes | BinaryIO,
    rule: FrameRule | None = None,
    start: float | None = None,
    end: float | None = None,
) -> Film:
    """Read the frames that stand for a film, or for its clip from `start` to before `end` seconds.

    `source` is a local path, the bytes of a file, or a seekable file object opened for reading bytes. The
    frame at a time is the last whose timestamp is not after it, the same that decoding everything gives.
    RecordError `media_missing`, `media_unreadable`, `video_empty`, `video_undecodable`, `video_no_frames`,
    `video_truncated`, `video_too_long`, `video_too_many_pixels`, `video_extreme_aspect` or `clip_outside`.
    """
    rule = rule or FrameRule()
    with _opened(source) as file:
        try:
            with closing(Reel(file, rule.max_pixels)) as reel:
                watched = _watch(reel, rule, start, end)
        except av.FFmpegError as error:
            words = error.strerror or type(error).__name__
            raise RecordError(
                "video_undecodable", f"The film cannot be decoded ({words}); fetch it again.", words
            ) from error
        except OSError as error:
            raise _unreadable(error) from error
    return _film(watched, reel.sound)


@contextmanager
def _opened(source: str | bytes | BinaryIO) -> Iterator[BinaryIO]:
    """The source as a file that is not empty; closed afterwards only if it was opened here."""
    try:
        if isinstance(source, str):
            if not stat.S_ISREG(os.stat(source).st_mode):  # a pipe would never end
                raise RecordError("media_unreadable", "The film is no file but a folder, a pipe or a device.")
            with open(source, "rb") as file:
                yield _not_empty(file)
        else:
            yield _not_empty(io.BytesIO(source) if isinstance(source, bytes) else source)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise RecordError("media_missing", "The film is not there; fetch it.") from error
    except OSError as error:
        raise _unreadable(error) from error


def _not_empty(file: BinaryIO) -> BinaryIO:
    if file.seek(0, io.SEEK_END) == 0:
        raise RecordError("video_empty", "The film has no bytes; fetch it again.", 0)
    return file


def _unreadable(error: OSError) -> RecordError:
    # Without the path, which differs from machine to machine.
    words = error.strerror or type(error).__name__
    return RecordError("media_unreadable", f"The film cannot be read ({words}).", words)


def _watch(reel: Reel, rule: FrameRule, start: float | None, end: float | None) -> Watched:
    """The chosen frames, the short way where it is sure and the long way elsewhere."""
    most = int(rule.max_hours * _HOUR * _MOST_RATE)
    decoder = Decoder(reel, rule.max_work)
    render = Renderer(reel.pixel_aspect, rule.short_side, rule.quality).still_of
    chosen = _chooser(reel.declared, rule, start, end)
    for know in (reel.skim, reel.scan):
        watched = from_key_frames(reel, decoder, chosen, render) if know(most) is not None else None
        if watched is not None:
            return watched
    return from_the_start(reel, decoder, chosen, render)


def _chooser(declared: Fraction | None, rule: FrameRule, start: float | None, end: float | None) -> Choose:
    """Choosing by a rule, for films that are neither too long nor cut off too early."""

    def chosen(timeline: Timeline) -> Choice:
        hours = timeline.seconds / _HOUR
        if hours > rule.max_hours:
            raise RecordError(
                "video_too_long",
                f"The film lasts {float(hours):.1f} hours; at most {rule.max_hours} are read.",
                f"{float(hours):.1f}",
                rule.max_hours,
            )
        choice = choose(timeline, rule, start, end)
        asked = _asked(declared, rule, start, end)
        if asked is not None and choice.covered < Fraction(rule.least_part) * asked:
            raise _too_little("video_truncated" if end is None else "clip_outside", choice.covered, asked)
        return choice

    return chosen


def _asked(
    declared: Fraction | None, rule: FrameRule, start: float | None, end: float | None
) -> Fraction | None:
    """Seconds that should be there: of the clip, else of the film as its header says, unless that is absurd."""
    begin = Fraction(start or 0)
    if end is not None:
        return Fraction(end) - begin
    if declared is None or declared > Fraction(rule.max_hours) * _HOUR:
        return None
    return declared - begin


def _too_little(name: str, measured: Fraction, asked: Fraction) -> RecordError:
    return RecordError(
        name,
        f"Only {float(measured):.3f} of {float(asked):.3f} seconds can be decoded; fetch the film again.",
        f"{float(measured):.3f}",
        f"{float(asked):.3f}",
    )


def _film(watched: Watched, sound: bool) -> Film:
    frames, hasher = [], hashlib.blake2b(digest_size=16)
    for time, index in watched.choice.picks:
        still = watched.stills[index]
        frames.append(Frame(time, still.data, still.width, still.height))
        hasher.update(still.content)
    return Film(frames, float(watched.choice.seconds), hasher.digest(), sound)

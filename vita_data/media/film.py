"""What a film becomes: the rule by which frames are taken, and the frames."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FrameRule:
    """Which frames stand for a film, how they are stored, and what is too much to read.

    One frame a second from the first; where these are fewer than `min_frames` or more than `max_frames`,
    that many evenly spaced. `short_side` in pixels is never reached by enlarging; `quality` is libjpeg's.
    A film of which less than `least_part` is there is refused. The last three bound what a small file can
    cost: pixels of one frame (by default a DCI 8K one), hours of film, pixels decoded in all (by default
    two and a half hours at 1080p and 60 frames a second).
    """

    min_frames: int = 4
    max_frames: int = 16
    short_side: int = 448
    quality: int = 90
    least_part: float = 0.5
    max_pixels: int = 8192 * 4320
    max_hours: float = 6.0
    max_work: int = 1_100_000_000_000


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: `time` in seconds from the first frame, JPEG bytes, and the size of the upright picture."""

    time: float
    data: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Film:
    """A film or a clip of one, as frames.

    `duration` is what decodes, in seconds, from its first frame to the end of its last; `content` is 16 bytes
    over the pixels of the frames, equal for equal pictures in different files; `sound` says whether the file
    has a sound track.
    """

    frames: list[Frame]
    duration: float
    content: bytes
    sound: bool

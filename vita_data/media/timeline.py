"""When the frames of a film are shown, and which of them stand for it. Times are exact: ticks and fractions."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from vita_data.errors import RecordError
from vita_data.media.film import FrameRule

_MICRO = 1_000_000
_LEAP_SECONDS = 10
# Stamps and durations beyond these are noise. What they add up to in a film of millions of frames fits 64 bits.
_LAST_STAMP, _LONGEST = 1 << 60, 1 << 40


@dataclass(frozen=True, slots=True)
class Timeline:
    """Rising stamps at which frames appear and the end of the last one, in ticks of `tick` seconds."""

    stamps: Sequence[int]
    end: int
    tick: Fraction

    @property
    def seconds(self) -> Fraction:
        """From the first frame to the end of the last."""
        return (self.end - self.stamps[0]) * self.tick


@dataclass(frozen=True, slots=True)
class Choice:
    """The part of a timeline that is meant, first to last frame, and the picks in it as (time, frame).

    `seconds` count from the first frame of the part, `covered` from where it was asked to start.
    """

    first: int
    last: int
    seconds: Fraction
    covered: Fraction
    picks: list[tuple[float, int]]


class Clock:
    """Gives every frame a stamp later than the one before, whatever stamps its file has.

    A frame without a usable stamp follows its predecessor. Where stamps start anew, or leap by more than ten
    seconds in a container that may (`may_jump`: broadcast streams, glued together), later ones are moved along.
    """

    def __init__(self, step: int, tick: Fraction, may_jump: bool) -> None:
        self._usual = min(step, _LONGEST)
        self._length = self._usual
        self._leap = math.floor(_LEAP_SECONDS / tick) if may_jump else None
        self._last: int | None = None
        self._moved = 0

    @property
    def end(self) -> int:
        """When the last frame ends."""
        return (self._last or 0) + self._length

    def stamp(self, raw: int | None, duration: int) -> int:
        """The stamp of the next frame, from the one in its file and how long it is shown (0: not known)."""
        raw = None if raw is None or abs(raw) > _LAST_STAMP else raw
        last, stamp = self._last, 0 if raw is None else raw
        if last is not None:
            follows = self.end
            near = follows if self._leap is None else follows + self._leap
            stamp = follows
            if raw is not None:
                fitting = [s for s in (raw, raw + self._moved) if last < s and (not self._leap or s <= near)]
                stamp = fitting[0] if fitting else follows
                self._moved = self._moved if fitting else follows - raw
        self._last = stamp
        self._length = duration if 0 < duration < _LONGEST else self._usual
        return stamp


def choose(timeline: Timeline, rule: FrameRule, start: float | None, end: float | None) -> Choice:
    """Choose the frames of a film, or of its clip from `start` to before `end`, by a rule.

    Times of picks count from the first frame of the clip: the first at or after `start`, or the one on the
    screen where a clip lies between two frames. The frame at a time is the last that appears no later. A
    clip of one frame has one pick. RecordError `clip_outside` when the film holds no such part.
    """
    first, last, seconds, covered = _part(timeline, start, end)
    if first == last:
        return Choice(first, last, seconds, covered, [(0.0, first)])
    count = min(max(math.ceil(seconds), rule.min_frames), rule.max_frames)
    step = Fraction(1) if count == math.ceil(seconds) else seconds / count
    picks = []
    for number in range(count):
        latest = timeline.stamps[first] + math.floor(number * step / timeline.tick)
        picks.append((float(number * step), bisect_right(timeline.stamps, latest, first, last + 1) - 1))
    return Choice(first, last, seconds, covered, picks)


def _part(timeline: Timeline, start: float | None, end: float | None) -> tuple[int, int, Fraction, Fraction]:
    """First frame, last frame, seconds and what is covered of a clip."""
    total, stamps = timeline.seconds, timeline.stamps
    begin = Fraction(0) if start is None else _exact(start)
    stop = total if end is None else min(_exact(end), total)
    if not 0 <= begin < stop:
        raise RecordError(
            "clip_outside",
            f"The clip from {start} to {end} seconds is no part of a film of {float(total):.3f} seconds; "
            "mend its times.",
            f"{start} to {end}",
            f"{float(total):.3f}",
        )
    low = bisect_left(stamps, stamps[0] + math.ceil(begin / timeline.tick))
    high = bisect_left(stamps, stamps[0] + math.ceil(stop / timeline.tick))
    if low == high:
        return low - 1, low - 1, stop - begin, stop - begin
    return low, high - 1, stop - (stamps[low] - stamps[0]) * timeline.tick, stop - begin


def _exact(seconds: float) -> Fraction:
    """A bound of a clip to the microsecond, so that 0.1 + 0.2 still includes the frame at 0.3."""
    if not math.isfinite(seconds):
        raise RecordError(
            "clip_outside", f"A clip cannot start or end at {seconds} seconds; mend its times.", seconds
        )
    return Fraction(round(Fraction(seconds) * _MICRO), _MICRO)

"""Which frames stand for a film: the last that appears no later than each time, counted exactly."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vita_data.errors import RecordError
from vita_data.media.film import FrameRule
from vita_data.media.timeline import Choice, Clock, Timeline, choose

RULE = FrameRule()
TICKS = st.sampled_from([Fraction(1, 1000), Fraction(1001, 30000), Fraction(1, 90000), Fraction(1, 10)])


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    tick = draw(TICKS)
    gaps = draw(st.lists(st.integers(1, max(1, math.ceil(3 / tick))), min_size=1, max_size=60))
    stamps = list(accumulate(gaps, initial=draw(st.integers(-100_000, 100_000))))
    return Timeline(stamps[:-1], stamps[-1], tick)


def _even(count: int, rate: int) -> Timeline:
    return Timeline(range(count), count, Fraction(1, rate))


def _rule(timeline: Timeline, start: float | None, end: float | None) -> str:
    with pytest.raises(RecordError) as refusal:
        choose(timeline, RULE, start, end)
    return refusal.value.rule


@pytest.mark.parametrize(
    ("count", "rate", "picks"),
    [
        (60, 10, [(0.0, 0), (1.0, 10), (2.0, 20), (3.0, 30), (4.0, 40), (5.0, 50)]),
        (61, 10, [(0.0, 0), (1.0, 10), (2.0, 20), (3.0, 30), (4.0, 40), (5.0, 50), (6.0, 60)]),
        (10, 10, [(0.0, 0), (0.25, 2), (0.5, 5), (0.75, 7)]),
        (2, 10, [(0.0, 0), (0.05, 0), (0.1, 1), (0.15, 1)]),
        (1, 10, [(0.0, 0)]),
    ],
)
def test_a_frame_a_second_or_four_evenly_spaced(
    count: int, rate: int, picks: list[tuple[float, int]]
) -> None:
    assert choose(_even(count, rate), RULE, None, None).picks == picks


def test_a_long_film_has_sixteen_evenly_spaced() -> None:
    choice = choose(_even(640, 10), RULE, None, None)
    assert choice.picks == [(4.0 * n, 40 * n) for n in range(16)]


def test_the_bounds_are_values_of_the_rule() -> None:
    assert [time for time, _ in choose(_even(60, 10), FrameRule(1, 3), None, None).picks] == [0.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("seconds", "times"),
    [
        (0.4, [0.0, 0.1, 0.2, 0.3]),
        (3.0, [0.0, 0.75, 1.5, 2.25]),
        (3.5, [0.0, 1.0, 2.0, 3.0]),
        (4.0, [0.0, 1.0, 2.0, 3.0]),
        (4.1, [0.0, 1.0, 2.0, 3.0, 4.0]),
        (16.0, [float(n) for n in range(16)]),
        (32.0, [float(2 * n) for n in range(16)]),
    ],
)
def test_frames_are_taken_each_second_or_evenly(seconds: float, times: list[float]) -> None:
    assert _times(round(seconds * 100)) == pytest.approx(times)


@given(hundredths=st.integers(2, 10_000_000))
def test_times_lie_inside_the_film_and_keep_their_bounds(hundredths: int) -> None:
    times = _times(hundredths)
    assert 4 <= len(times) <= 16
    assert times[0] == 0 and times[-1] < hundredths / 100
    assert times == sorted(set(times))


def _times(hundredths: int) -> list[float]:
    """When the frames of a film of a hundred frames a second are taken."""
    film = Timeline(range(hundredths), hundredths, Fraction(1, 100))
    return [time for time, _ in choose(film, RULE, None, None).picks]


@pytest.mark.parametrize("end", [0, -1])
def test_a_film_without_a_duration_is_refused(end: int) -> None:
    with pytest.raises(RecordError) as refusal:
        choose(Timeline([0], end, Fraction(1)), RULE, None, None)
    assert refusal.value.rule == "clip_outside"


@given(timelines())
def test_a_pick_is_the_last_frame_not_after_its_time(timeline: Timeline) -> None:
    choice = choose(timeline, RULE, None, None)
    assert choice.seconds == choice.covered == timeline.seconds
    assert (choice.first, choice.last) == (0, len(timeline.stamps) - 1)
    count = len(choice.picks)
    for number, (_, index) in enumerate(choice.picks):
        exact = Fraction(number) if count == math.ceil(choice.seconds) else choice.seconds * number / count
        shown = [(stamp - timeline.stamps[0]) * timeline.tick for stamp in timeline.stamps]
        assert shown[index] <= exact and all(later > exact for later in shown[index + 1 :])


@given(timelines(), st.floats(0, 60), st.floats(0, 60))
def test_a_clip_is_the_film_from_its_first_frame_on(timeline: Timeline, start: float, length: float) -> None:
    try:
        choice = choose(timeline, RULE, start, start + length)
    except RecordError as refusal:
        assert refusal.rule == "clip_outside"
        assert round(start, 6) >= timeline.seconds or length < 1e-6
        return
    shown = [float((stamp - timeline.stamps[0]) * timeline.tick) for stamp in timeline.stamps]
    inside = [n for n, time in enumerate(shown) if start - 1e-6 <= time < start + length + 1e-6]
    assert 0 < choice.seconds <= choice.covered <= timeline.seconds
    if choice.first == choice.last:
        assert len(choice.picks) == 1
    else:
        assert {choice.first, choice.last} <= set(inside) and choice.last - choice.first + 3 > len(inside)
        assert all(choice.first <= index <= choice.last for _, index in choice.picks)


def test_the_end_of_a_clip_is_not_in_it_and_its_start_is() -> None:
    choice = choose(_even(100, 10), RULE, 2, 4)
    assert (choice.first, choice.last, choice.seconds) == (20, 39, 2)
    assert choice.picks == [(0.0, 20), (0.5, 25), (1.0, 30), (1.5, 35)]


def test_bounds_that_are_sums_of_floats_hit_their_frames() -> None:
    assert choose(_even(100, 10), RULE, 0.1 + 0.2, None).first == 3
    assert choose(_even(100, 10), RULE, None, 0.1 + 0.2).last == 2


def test_a_clip_beyond_the_end_stops_at_the_end() -> None:
    choice = choose(_even(100, 10), RULE, 8, 20)
    assert (choice.first, choice.last, choice.seconds, choice.covered) == (80, 99, 2, 2)


def test_a_clip_between_two_frames_shows_the_one_on_the_screen() -> None:
    slides = Timeline([0, 5000, 10000], 15000, Fraction(1, 1000))
    assert choose(slides, RULE, 6, 8) == Choice(1, 1, Fraction(2), Fraction(2), [(0.0, 1)])


@pytest.mark.parametrize(
    ("start", "end"),
    [(10, None), (11, 12), (5, 5), (6, 5), (-1, 5), (math.nan, 5), (0, math.inf), (0, -1), (1, 1 + 1e-9)],
)
def test_a_clip_that_is_no_part_of_the_film_is_refused(start: float | None, end: float | None) -> None:
    assert _rule(_even(100, 10), start, end) == "clip_outside"


@given(st.lists(st.tuples(st.none() | st.integers(-(1 << 40), 1 << 40), st.integers(-5, 500))), st.booleans())
def test_a_clock_never_stands_still(frames: list[tuple[int | None, int]], may_jump: bool) -> None:
    clock = Clock(40, Fraction(1, 1000), may_jump)
    stamps = [clock.stamp(raw, duration) for raw, duration in frames]
    assert all(one < two for one, two in pairwise(stamps))
    assert not stamps or clock.end > stamps[-1]
    if may_jump:
        longest = max([40, *(duration for _, duration in frames)])
        assert all(two - one <= longest + 10_000 for one, two in pairwise(stamps))


@given(st.lists(st.tuples(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(0, (1 << 63) - 1)), min_size=1))
def test_a_clock_never_leaves_sixty_four_bits(frames: list[tuple[int, int]]) -> None:
    clock = Clock(40, Fraction(1, 1000), may_jump=False)
    stamps = [clock.stamp(raw, duration) for raw, duration in frames]
    assert all(abs(stamp) < 1 << 62 for stamp in (*stamps, clock.end))


@given(timelines())
def test_a_clock_leaves_rising_stamps_alone(timeline: Timeline) -> None:
    clock = Clock(1, timeline.tick, may_jump=False)
    assert [clock.stamp(raw, 0) for raw in timeline.stamps] == timeline.stamps


def test_stamps_that_start_anew_are_moved_along() -> None:
    clock = Clock(40, Fraction(1, 1000), may_jump=False)
    raws = [0, 40, 80, 0, 45, 80, None, 160]
    assert [clock.stamp(raw, 40) for raw in raws] == [0, 40, 80, 120, 165, 200, 240, 280]


def test_a_leap_is_closed_only_where_streams_are_glued_together() -> None:
    raws = [0, 40, 60_000, 60_040, 60_080]
    glued, kept = (Clock(40, Fraction(1, 1000), may_jump) for may_jump in (True, False))
    assert [glued.stamp(raw, 40) for raw in raws] == [0, 40, 80, 120, 160]
    assert [kept.stamp(raw, 40) for raw in raws] == raws


def test_one_wrong_stamp_moves_only_its_own_frame() -> None:
    clock = Clock(40, Fraction(1, 1000), may_jump=False)
    assert [clock.stamp(raw, 40) for raw in (0, 40, 80, 40, 160, 200)] == [0, 40, 80, 120, 160, 200]

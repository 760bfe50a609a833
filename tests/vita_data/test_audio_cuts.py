"""A sound is cut where the corpus says, to the sample, whatever was cut before."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest

from tests import sounds
from vita_data.errors import RecordError
from vita_data.media.audio import LongSound, read_sound


def refusal(
    source: str | bytes, start: float | None = None, end: float | None = None, **bounds: float
) -> RecordError:
    with pytest.raises(RecordError) as caught:
        read_sound(source, 16000, start, end, **bounds)
    return caught.value


@pytest.mark.parametrize("kind", sounds.KINDS)
def test_a_cut_is_the_same_part_of_the_whole_to_the_sample(kind: str) -> None:
    rate = sounds.rate_of(kind)
    whole = sounds.stored(read_sound(sounds.all_kinds()[kind], rate).flac)
    for start, end in ((0, 0.5), (0.1, 0.3), (1.001, 1.5), (2.5, 4.5), (3.33333, 5.9)):
        got = sounds.stored(read_sound(sounds.all_kinds()[kind], rate, start, end).flac)
        part = whole[round(start * rate) : round(end * rate)]
        assert len(got) == len(part)
        # Opus predicts from what it decoded before, for ever less.
        assert np.abs(got.astype(int) - part).max() <= (kind in ("opus", "webm")), (start, end)
    assert read_sound(sounds.all_kinds()[kind], rate, 4.2).samples == len(whole) - round(4.2 * rate)


@pytest.mark.parametrize("kind", sounds.KINDS)
def test_a_long_sound_gives_the_same_in_any_order(kind: str) -> None:
    rng = random.Random(5)
    parts = [(start, start + rng.uniform(0.05, 1.5)) for start in (rng.uniform(0, 4.4) for _ in range(20))]
    with LongSound(sounds.all_kinds()[kind]) as sound:
        got = [sound.cut(16000, start, end) for start, end in parts]
    assert got == [read_sound(sounds.all_kinds()[kind], 16000, start, end) for start, end in parts]


def test_a_long_sound_can_be_used_after_a_refusal() -> None:
    for kind in sounds.KINDS:
        with LongSound(sounds.all_kinds()[kind]) as sound:
            before = sound.cut(16000, 2, 3)
            with pytest.raises(RecordError):
                sound.cut(16000, 20, 21)
            assert sound.cut(16000, 2, 3) == before, kind


class Counted(io.BytesIO):
    """A file that counts the bytes that are read from it."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data


@pytest.mark.parametrize("kind", ["wav", "flac", "vorbis", "opus", "m4a"])
def test_a_cut_reads_little_of_a_long_file(kind: str) -> None:
    rate = sounds.rate_of(kind)
    file = Counted(sounds.made(kind, np.tile(sounds.speechlike(6, rate), 15), rate))
    read_sound(file, 16000, 70, 71)
    assert file.count < 400_000 < len(file.getvalue()) - 200_000
    assert not file.closed


@pytest.mark.parametrize(
    ("start", "end", "value", "threshold"),
    [
        (7.0, None, "7.0", "6.000"),
        (7.0, 8.0, "8.0", "6.000"),
        (1e300, None, "1e+300", "6.000"),
        (5.0, 6.2, "6.2", "6.000"),
        (-1.0, 2.0, "-1.0", "0"),
        (3.0, 3.0, "3.0", "3.0"),
        (4.0, 3.0, "3.0", "4.0"),
        (float("nan"), 3.0, "nan", "0"),
        (2.0, float("nan"), "nan", "2.0"),
        (float("inf"), None, "inf", "0"),
    ],
)
@pytest.mark.parametrize("kind", ["wav", "flac", "vorbis", "mp3", "opus", "webm"])
def test_a_segment_outside_its_file_is_refused_with_both_times(
    kind: str, start: float, end: float | None, value: str, threshold: str
) -> None:
    error = refusal(sounds.all_kinds()[kind], start, end)
    assert (error.rule, error.value) == ("segment_outside", value)
    assert float(error.threshold or "nan") == pytest.approx(float(threshold), abs=0.01)


@pytest.mark.parametrize("kind", ["wav", "opus"])
def test_a_segment_that_ends_just_behind_its_file_ends_with_it(kind: str) -> None:
    assert read_sound(sounds.all_kinds()[kind], 16000, 5.0, 6.09) == read_sound(
        sounds.all_kinds()[kind], 16000, 5.0
    )


@pytest.mark.parametrize("kind", ["vorbis", "mp3", "m4a", "flac"])
@pytest.mark.parametrize("rate", [16000, 44100])
def test_cuts_hold_in_many_places_and_at_the_very_end(kind: str, rate: int) -> None:
    data = sounds.made(kind, sounds.speechlike(9, rate, seed=3), rate)
    rng = random.Random(7)
    with LongSound(data) as sound:
        whole = sounds.stored(sound.cut(rate).flac)
        for _ in range(80):
            start = rng.choice([rng.randrange(len(whole)), len(whole) - rng.randrange(1, 5000)])
            stop = min(len(whole), start + rng.randrange(1, 40_000))
            got = sounds.stored(sound.cut(rate, start / rate, stop / rate).flac)
            assert np.array_equal(np.atleast_1d(got), whole[start:stop]), (start, stop)

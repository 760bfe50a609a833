"""Which questions are spoken: exactly as many as asked, the same in any order, a small share within a large one."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from vita_data.manifest.spoken import in_proportion
from vita_data.speech.choose import cutoff, further, up_to, wanted
from vita_data.speech.speak import with_noise
from vita_data.speech.task import bucket_of

SCHEMA = pa.schema([("hash", pa.uint64()), ("key", pa.string()), ("turn", pa.int32())])
Question = tuple[int, str, int]
# Few hashes, so that many questions share one; the largest and the smallest among them.
QUESTIONS = st.lists(
    st.tuples(st.sampled_from([0, 1, 7, 2**63, 2**64 - 1]), st.sampled_from("abc"), st.integers(0, 9)),
    unique=True,
    max_size=60,
)


def table(questions: list[Question]) -> pa.Table:
    rows = [{"hash": h, "key": key, "turn": turn} for h, key, turn in questions]
    return pa.Table.from_pylist(rows, SCHEMA)


def spoken(questions: list[Question], count: int) -> set[Question]:
    taken = up_to(table(questions), cutoff(table(questions), count))
    return {question for question, is_taken in zip(questions, taken, strict=True) if is_taken}


@given(QUESTIONS, st.fractions(0, 1))
def test_a_share_takes_exactly_its_floor_and_the_first_in_order(
    questions: list[Question], share: Fraction
) -> None:
    count = wanted(share, len(questions))
    assert count <= share * len(questions) < count + 1
    assert spoken(questions, count) == set(sorted(questions)[:count])


@given(QUESTIONS, st.fractions(0, 1), st.fractions(0, 1), st.randoms())
def test_a_small_share_lies_in_a_large_one_whatever_the_order_of_rows(
    questions: list[Question], one: Fraction, other: Fraction, random: object
) -> None:
    small, large = (wanted(share, len(questions)) for share in sorted([one, other]))
    shuffled = list(questions)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert spoken(questions, small) <= spoken(shuffled, large)
    assert spoken(questions, small) == spoken(shuffled, small)


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**6), min_size=1, max_size=8))
def test_parts_in_proportion_add_up_and_none_is_a_whole_one_off(count: int, there: list[int]) -> None:
    parts = in_proportion(count, there)
    assert sum(parts) == count
    if sum(there):
        assert all(
            abs(part - Fraction(count * have, sum(there))) < 1
            for part, have in zip(parts, there, strict=True)
        )


@given(st.integers(1, 1000), st.integers(0, 1000), st.integers(0, 1000), st.integers(1, 3000))
def test_each_attempt_goes_further_while_there_is_more(tried: int, good: int, count: int, there: int) -> None:
    good, tried = min(good, tried), min(tried, there)
    more = further(tried, min(good, tried), count, there)
    assert tried <= more <= there
    assert (more > tried) == (min(good, tried) < count and tried < there)


@given(st.binary(min_size=16, max_size=16), st.integers(1, 256), st.integers(1, 256))
def test_a_clip_lies_in_one_bucket_whatever_the_number_of_them(clip: bytes, one: int, other: int) -> None:
    here, there = bucket_of(clip, one), bucket_of(clip, other)
    assert 0 <= here < one and 0 <= there < other
    assert here * other < (there + 1) * one and there * one < (here + 1) * other  # their ranges meet


def test_noise_lies_as_far_below_the_speech_as_it_should_and_follows_from_the_name() -> None:
    speech = np.rint(8000 * np.sin(np.arange(32_000) * 0.1)).astype(np.int16)
    for decibels in (10.0, 20.0, 40.0):
        noisy = with_noise(speech, decibels, b"a" * 16)
        rest = noisy.astype(float) - speech
        measured = 10 * np.log10(np.mean(speech.astype(float) ** 2) / np.mean(rest**2))
        assert abs(measured - decibels) < 0.2
        assert np.array_equal(noisy, with_noise(speech, decibels, b"a" * 16))
        assert not np.array_equal(noisy, with_noise(speech, decibels, b"b" * 16))

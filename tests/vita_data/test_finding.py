"""Of several findings of a benchmark in a sample one counts; near pictures that look alike by nature must be nearer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vita_data.curate import phash
from vita_data.leaks.questions import QuestionIndex
from vita_data.leaks.sound import SoundIndex
from vita_data.verdicts.alike import pictures_and_questions
from vita_data.verdicts.benchmarks import Benchmarks
from vita_data.verdicts.finding import BOTH, CONTENT, PICTURE, QUESTION, finding, strongest
from vita_data.verdicts.found import found_in, measured_words

HASH = 0x5A17_3C09_F0E2_88B1
SHORT = "What colour is the car?"


def index() -> Benchmarks:
    """A benchmark with one short question about one picture, and another one with the same question."""
    items = [{"benchmark": name, "key": f"{name}-0", "text": SHORT} for name in ("cars", "again")]
    known = QuestionIndex.build([SHORT, SHORT])
    own = np.array([HASH], np.uint64)
    hashes = np.concatenate([own[None], phash.mirrored(own).T])
    return Benchmarks(items, known, known.first_equal, {0: {"cars": 0, "again": 1}}, hashes,
                      np.zeros(1, np.int32), {}, SoundIndex.build([]), np.zeros(0, np.int32))  # fmt: skip


def found(said: str, bits: int, radius: int | None, alone: list[str] | None = None) -> dict[str, Any]:
    seen: list[list[int | None]] = [[None, HASH ^ ((1 << bits) - 1)]]
    rows = pictures_and_questions(index(), ["ours-0"], [["Hello.", said]], seen, radius, alone or [], False)
    return next(row for row in strongest(rows) if row["benchmark"] == "cars")


@pytest.mark.parametrize(
    ("said", "bits", "radius", "how", "removes"),
    [
        (SHORT, 9, 10, BOTH, True),
        (f"{SHORT} Answer briefly.", 9, 10, BOTH, True),
        ("How many dogs are sleeping there?", 2, 10, PICTURE, True),
        ("How many dogs are sleeping there?", 9, 10, PICTURE, False),
        (f"{SHORT} Answer briefly.", 3, None, BOTH, True),
        (
            f"{SHORT} Answer briefly.",
            9,
            None,
            PICTURE,
            False,
        ),  # two charts of one kind, and what one asks of all
        ("How many dogs are sleeping there?", 2, None, PICTURE, False),
    ],
)
def test_a_near_picture_with_the_question_is_another_finding_than_the_picture_alone(
    said: str, bits: int, radius: int | None, how: str, removes: bool
) -> None:
    one = found(said, bits, radius, ["cars"])
    assert (one["how"], one["removes"], one["distance"], one["mirrored"]) == (how, removes, bits, False)


def test_a_question_of_two_benchmarks_is_found_of_both() -> None:
    rows = strongest(pictures_and_questions(index(), ["ours-0"], [[SHORT]], [[None]], 10, [], False))
    assert [(row["benchmark"], row["theirs"], row["how"]) for row in rows] == [
        ("again", "again-0", QUESTION),
        ("cars", "cars-0", QUESTION),
    ]


def test_what_removes_counts_before_what_is_reported_and_then_what_says_most() -> None:
    item = {"key": "cars-0", "text": SHORT}
    rows = [
        finding("ours-0", "cars", item, PICTURE, False, distance=0),
        finding("ours-0", "cars", item, QUESTION, True, score=0.7),
        finding("ours-0", "cars", item, QUESTION, True, score=0.9),
        finding("ours-1", "cars", item, PICTURE, True, distance=0),
        finding("ours-1", "cars", item, CONTENT, True),
    ]
    assert strongest(rows) == [rows[2], rows[4]] == strongest(rows[::-1])


def test_benchmarks_of_which_nothing_is_found_have_a_line_of_noughts(tmp_path: Path) -> None:
    assert found_in({}, {}, ["cars"]) == {
        "benchmarks": [
            {"benchmark": "cars", "itself": 0, "content": 0, "picture_and_question": 0, "recording": 0,
             "picture": 0, "question": 0, "removed": 0, "reported": 0, "examples": []}
        ],
        "removed": 0,
    }  # fmt: skip


def test_seconds_of_both_sides_are_said_of_a_recording() -> None:
    item = {"key": "read-0", "text": "it rains"}
    row = finding("ours-0", "read", item, "recording", True, score=0.93, seconds=9.7, at=0.0, begin=12.04)
    assert measured_words(row) == [
        "9.7 s are one recording", "from 0.0 s on in ours and 12.0 s in theirs", "93% of the bits equal"
    ]  # fmt: skip

"""The corpus of digits: balanced questions, nothing of the tests in training, the same bytes at every run."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from vita_data.digits import questions
from vita_data.digits.chance import drawn
from vita_data.digits.corpus import Amounts
from vita_data.digits.make import Request, make_digits
from vita_data.digits.perturb import another_place, another_voice, resized, stretched
from vita_data.digits.pictures import read_digits
from vita_data.digits.recordings import RATE, Recording
from vita_data.digits.strings import said, said_for_a_voice
from vita_data.errors import UsageError

FEW = Amounts(
    pictures=12,
    test_pictures=6,
    asked=4,
    repeated=20,
    scattered=20,
    reckonings=1,
    strings=12,
    synthetic=4,
    voice=6,
    unmeant=6,
    tests=8,
)
SPEAKERS = ("ann", "bob", "eve")
TAKES = (0, 5, 6)  # the first is one of the publisher's test split


def tone(hertz: float, seconds: float) -> np.ndarray:
    return np.float32(0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE))


def loudest(sound: np.ndarray) -> float:
    """The frequency with the most power."""
    return float(np.argmax(np.abs(np.fft.rfft(sound))) * RATE / len(sound))


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("speech") / "recordings"
    folder.mkdir()
    for number, speaker in enumerate(SPEAKERS):
        for digit in range(10):
            for take in TAKES:
                sound = tone(300 + 40 * digit + 7 * number + take, 0.3)[::2]
                soundfile.write(folder / f"{digit}_{speaker}_{take}.wav", sound, 8000)
    (folder / "3_ann_77.wav").write_bytes(b"no sound")
    return folder.parent


@pytest.fixture(scope="module")
def corpus(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits") / "corpus"
    said: list[str] = []
    make_digits(folder, Request(recordings, ("eve",), FEW), said.append)
    assert any("3_ann_77.wav is left out" in line for line in said)
    return folder


def digest(folder: Path) -> str:
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            whole.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return whole.hexdigest()


def test_two_corpora_of_the_same_recordings_are_the_same_bytes(
    recordings: Path, corpus: Path, tmp_path: Path
) -> None:
    make_digits(tmp_path / "again", Request(recordings, ("eve",), FEW), lambda words: None)
    assert digest(tmp_path / "again") == digest(corpus)


def test_what_is_there_is_left_alone_and_other_wishes_are_refused(recordings: Path, corpus: Path) -> None:
    before = (corpus / "corpus.json").stat().st_mtime_ns
    make_digits(corpus, Request(recordings, ("eve",), FEW), lambda words: None)
    assert (corpus / "corpus.json").stat().st_mtime_ns == before
    with pytest.raises(UsageError, match="is not this corpus"):
        make_digits(corpus, Request(recordings, (), FEW), lambda words: None)
    with pytest.raises(UsageError, match="nobody in the recordings is called mia"):
        make_digits(corpus.parent / "other", Request(recordings, ("mia",), FEW), lambda words: None)


def test_nobody_trains_with_a_test_take_or_with_a_speaker_who_is_left_out(corpus: Path) -> None:
    learned = (corpus / "train/spoken/manifest.jsonl").read_text().splitlines()
    names = {json.loads(line)["file"].split("/")[1] for line in learned}
    assert {name.split("_")[1] for name in names} == {"ann", "bob"}
    assert {name.split("_")[2].split("-")[0] for name in names} == {"5", "6"}
    strings = (corpus / "train/digits-speech/metadata.csv").read_text().splitlines()
    assert {line.split("-")[0] for line in strings} <= {"ann", "bob"}
    unseen = {path.name.split("_")[1] for path in (corpus / "test/unseen").iterdir()}
    assert unseen == {"eve"}
    takes = {path.stem.split("_")[2] for path in (corpus / "test/known").iterdir()}
    assert takes == {"0"}


def test_a_digit_that_is_tested_is_in_no_picture_that_trains(corpus: Path) -> None:
    trained = {path.stem.split("-")[0] for path in (corpus / "train/digits-pictures").rglob("*.png")}
    tested = {path.stem for path in (corpus / "test/digits-pictures").rglob("*.png")}
    assert trained == {f"{n:04d}" for n in range(12)}
    assert tested == {f"{n:04d}" for n in range(1297, 1303)}


def test_whoever_ignores_the_picture_or_the_named_digit_is_right_by_chance_only() -> None:
    random = drawn("balance")
    rows = []
    for digit in read_digits():
        for question, answer in questions.asked(digit.value, 8, random):
            named = int("".join(filter(str.isdigit, question)))
            rows.append((question.split(str(named))[0], digit.value, named, answer))
    for place in (1, 2):  # given the picture alone, the named digit alone
        for kind, bound in (("Is it ", 0.55), ("What is this digit plus ", 0.15)):
            some = [row for row in rows if row[0] == kind]
            best = 0
            for value in range(10):
                best += Counter(row[3] for row in some if row[place] == value).most_common(1)[0][1]
            assert best / len(some) <= bound


def test_every_answer_is_right() -> None:
    random = drawn("right")
    for value in range(10):
        for question, answer in questions.asked(value, 40, random):
            named = int("".join(filter(str.isdigit, question)))
            sums = question.startswith("What")
            assert answer == (str(value + named) if sums else "yes" if value == named else "no")
    said = dict(questions.reckoned())
    assert (said["What is 7 plus 8?"], said["What comes after 9?"], said["Say 3."]) == ("15", "10", "3")
    assert (said["7\nIs it 7?"], said["7\nIs it 3?"]) == ("yes", "no")
    assert (
        said["7\nWhat is this digit plus 3?"] == "10" and said["7\nGive a caption."] == "Somebody wrote a 7."
    )
    told = [
        answer for question, answer in questions.reckoned() if "Is it" in question and "more" not in question
    ]
    assert told.count("yes") == told.count("no") == 90


def test_what_is_scattered_is_said_again_once_each_and_in_order() -> None:
    random, lengths = drawn("scattered"), set()
    for _ in range(200):
        question, answer = questions.scattered(random)
        apart = "".join(sign if sign.isdigit() else " " for sign in question).split()
        assert all(len(set(run)) == 1 and len(run) <= 3 for run in apart)
        assert [run[0] for run in apart] == answer.split()
        lengths.add(len(apart))
    assert lengths == {1, 2, 3, 4, 5}


def test_a_longer_throat_lowers_the_voice_and_another_pace_keeps_it() -> None:
    sound = tone(1000, 0.5)
    assert loudest(resized(sound, 0.8)) == pytest.approx(800, rel=0.02)
    assert len(resized(sound, 0.8)) == pytest.approx(len(sound) / 0.8, abs=2)
    slow = stretched(sound, 0.8)
    assert loudest(slow) == pytest.approx(1000, rel=0.02)
    assert len(slow) == pytest.approx(len(sound) / 0.8, abs=2)
    for number in range(30):
        random = drawn("bounds", str(number))
        changed = another_place(another_voice([sound], random)[0], random)
        assert np.isfinite(changed).all() and np.abs(changed).max() <= 1.0 and changed.dtype == np.float32


def test_a_folder_without_recordings_is_refused_with_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give a clone of the Free Spoken Digit Dataset"):
        make_digits(tmp_path / "corpus", Request(tmp_path, (), FEW), lambda words: None)


def test_the_voice_that_is_learned_has_one_level_and_pauses_that_are_no_zeros() -> None:
    loud, soft = tone(300, 0.3), 0.1 * tone(400, 0.3)
    string = [Recording(digit, "ann", digit, sound) for digit, sound in ((1, loud), (2, soft))]
    for number in range(8):
        plain = said(string, drawn("voice", str(number)))
        voice = said_for_a_voice(string, drawn("voice", str(number)))
        silent = plain == 0.0
        assert silent.any() and len(plain) == len(voice)
        assert 5e-4 < np.abs(voice[silent]).mean() < 2e-3
        middle = len(voice) // 2
        assert all(
            np.abs(half).max() == pytest.approx(0.6, abs=0.02) for half in (voice[:middle], voice[middle:])
        )

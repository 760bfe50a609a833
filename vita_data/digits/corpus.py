"""The sources of the corpus of digits, each in a native layout, those to train with and those to test with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import soundfile
from PIL import Image

from vita_data.digits import questions, unmeant
from vita_data.digits.chance import drawn
from vita_data.digits.perturb import another_place, another_voice, at_level
from vita_data.digits.pictures import Digit, by_another_hand, plain
from vita_data.digits.recordings import RATE, Recording, Sound
from vita_data.digits.strings import draw_string, said_elsewhere, said_for_a_voice, words_of
from vita_data.sample.native import conversations

Speakers = Mapping[str, Sequence[Recording]]


@dataclass(frozen=True)
class Amounts:
    """How much there is of each kind; the default is what two cores learn from within the hour."""

    pictures: int = 1297  # handwritten digits to train with
    test_pictures: int = 500
    captions: int = 2  # pictures of each handwritten digit
    named: int = 2
    asked: int = 8
    tested: int = 4  # questions about each to test with
    repeated: int = 3000
    scattered: int = 6000
    reckonings: int = 6  # times that each is there
    strings: int = 8000
    synthetic: int = 2500
    spoken: int = 2  # of each recording, for questions that are spoken
    voice: int = 4800  # as many, or the speech decoder learns them by heart
    unmeant: int = 1000
    tests: int = 600  # strings, and half as many sounds that are not meant

    def scaled(self, part: float) -> Amounts:
        """A part of each, and at least one; of what there is of each digit no part is taken."""
        whole = (
            "pictures",
            "test_pictures",
            "repeated",
            "scattered",
            "reckonings",
            "strings",
            "synthetic",
            "voice",
            "unmeant",
            "tests",
        )
        return replace(self, **{name: max(1, round(getattr(self, name) * part)) for name in whole})


def write_pictures(root: Path, digits: Sequence[Digit], amounts: Amounts) -> None:
    """Captions, names and questions about pictures to train with, each picture by another hand."""
    lists: dict[str, list[dict[str, Any]]] = {"captions": [], "named": [], "asked": []}
    for digit in digits:
        random = drawn("pictures", str(digit.number))
        turns = {
            "captions": [questions.caption(digit.value, digit.number + n) for n in range(amounts.captions)],
            "named": [questions.named(digit.value)] * amounts.named,
            "asked": list(questions.asked(digit.value, amounts.asked, random)),
        }
        for kind, some in turns.items():
            for number, turn in enumerate(some):
                name = f"{kind}/{digit.number:04d}-{number}"
                _write_picture(root / "images" / f"{name}.png", by_another_hand(digit, random))
                lists[kind].append(_about(name, turn))
    for kind, records in lists.items():
        _write_json(root / f"{kind}.json", records)


def write_test_pictures(root: Path, digits: Sequence[Digit], amounts: Amounts) -> None:
    """What pictures are asked to test with, as they were written."""
    lists: dict[str, list[dict[str, Any]]] = {"named": [], "asked": []}
    for digit in digits:
        random = drawn("test-pictures", str(digit.number))
        name = f"{digit.number:04d}"
        _write_picture(root / "images" / f"{name}.png", plain(digit))
        lists["named"].append(_about(name, questions.named(digit.value)))
        for number, turn in enumerate(questions.asked(digit.value, amounts.tested, random)):
            lists["asked"].append(_about(f"{name}-{number}", turn, picture=name))
    for kind, records in lists.items():
        _write_json(root / f"{kind}.json", records)


def write_texts(root: Path, amounts: Amounts) -> None:
    """Words alone: digits to be said again, sums and the like."""
    random = drawn("texts")
    turns = [questions.repeated(random) for _ in range(amounts.repeated)]
    turns += [questions.scattered(random) for _ in range(amounts.scattered)]
    turns += [turn for turn in questions.reckoned() for _ in range(amounts.reckonings)]
    root.mkdir(parents=True)
    _write_json(
        root / "texts.json",
        [{"id": f"text-{n:05d}", "conversations": conversations([turn])} for n, turn in enumerate(turns)],
    )


def write_strings(
    root: Path, name: str, speakers: Speakers, count: int, elsewhere: bool, rate: int = RATE, most: int = 5
) -> None:
    """Strings of digits with what is said in them: `id|words` in metadata.csv and a FLAC each."""
    (root / "audio").mkdir(parents=True)
    lines = []
    for number in range(count):
        random = drawn(name, str(number))
        string = draw_string(speakers, random, most)
        sound = (said_elsewhere if elsewhere else said_for_a_voice)(string, random)
        lines.append(f"{string[0].speaker}-{number:05d}|{words_of(string)}\n")
        soundfile.write(root / "audio" / f"{string[0].speaker}-{number:05d}.flac", sound, rate)
    (root / "metadata.csv").write_text("".join(lines), encoding="utf-8")


def write_takes(root: Path, recordings: Iterable[Recording]) -> None:
    """Recordings to test with, as they are and named as in the data set they are from."""
    for recording in recordings:
        _write_sound(root / f"{recording.name}.flac", recording.sound)


def write_spoken(root: Path, recordings: Iterable[Recording], copies: int, elsewhere: bool) -> None:
    """Single digits for questions that are spoken: manifest.jsonl names the recordings of each digit."""
    (root / "audio").mkdir(parents=True)
    lines = []
    for recording in recordings:
        for copy in range(copies):
            random = drawn("spoken", recording.name, str(copy))
            sound = at_level(recording.sound, random.uniform(0.2, 0.9))
            if elsewhere and copy:
                sound = another_place(another_voice([recording.sound], random)[0], random)
            name = f"audio/{recording.name}-{copy}.flac"
            _write_sound(root / name, sound)
            lines.append(json.dumps({"text": str(recording.digit), "file": name}) + "\n")
    (root / "manifest.jsonl").write_text("".join(lines), encoding="utf-8")


def write_unmeant(root: Path, digits: Sequence[Digit], speakers: Speakers, count: int, test: bool) -> None:
    """Sounds that are not meant for the model, alone or where a question has its word."""
    records = []
    for number in range(count):
        random = drawn("unmeant", str(test), str(number))
        name = f"unmeant-{number:04d}"
        _write_sound(root / "audio" / f"{name}.flac", unmeant.unmeant(number, speakers, random, test))
        carrier = ("{digit}", questions.IS_IT, questions.PLUS)[number % 3]
        record: dict[str, Any] = {
            "id": name,
            "audio": f"{name}.flac",
            "inserted_id": 1,
            "conversations": conversations([(carrier.format(digit="<audio>"), unmeant.ANSWER)]),
        }
        if number % 3:
            digit = digits[int(random.integers(len(digits)))]
            picture = plain(digit) if test else by_another_hand(digit, random)
            _write_picture(root / "images" / f"{name}.png", picture)
            record["image"] = f"images/{name}.png"
            first = record["conversations"][0]
            first["value"] = f"<image>\n{first['value']}"
        records.append(record)
    _write_json(root / "unmeant.json", records)


def _about(name: str, turn: questions.Turn, picture: str | None = None) -> dict[str, Any]:
    question, answer = turn
    return {
        "id": name,
        "image": f"images/{picture or name}.png",
        "conversations": conversations([(f"<image>\n{question}", answer)]),
    }


def _write_picture(path: Path, picture: Image.Image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, "PNG", compress_level=1)


def _write_sound(path: Path, sound: Sound) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound, RATE)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=0) + "\n", encoding="utf-8")

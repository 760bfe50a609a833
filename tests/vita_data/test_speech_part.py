"""Questions of which only a part is spoken, and folders that hold several recordings of a text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vita_data.manifest.speech import SpeechCard
from vita_data.speech.engines import Folder
from vita_data.speech.fit import heard
from vita_data.speech.questions import spoken_part, words_of

LAST_DIGIT = r"\d(?=[?.]$)"


def test_only_what_the_expression_finds_becomes_sound() -> None:
    question = "<image>\nWhat is 3 plus 7?"
    assert words_of(spoken_part(question, LAST_DIGIT)) == "7"
    assert heard(question, LAST_DIGIT) == "<image>\nWhat is 3 plus <audio>?"


def test_a_question_without_such_a_part_has_nothing_to_say() -> None:
    assert words_of(spoken_part("<image>\nWhich digit is this?", LAST_DIGIT)) == ""


def test_a_placeholder_is_never_spoken() -> None:
    assert spoken_part("<image> image?", "image") == "image"
    assert heard("<image> image?", r"<?image>?") == "<image> <audio>?"


def test_without_an_expression_all_words_become_sound() -> None:
    assert heard("Look: <image> what is it?") == "<image>\n<audio>"


def test_of_several_recordings_of_a_text_the_speed_takes_one(tmp_path: Path) -> None:
    lines = [{"text": "7", "file": f"{n}.wav"} for n in range(3)]
    (tmp_path / "manifest.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    for number in range(3):
        (tmp_path / f"{number}.wav").write_bytes(bytes([number]))
    folder = Folder(str(tmp_path))
    assert [folder.speak("7", "en", "anybody", speed)[0] for speed in (3, 4, 5, 6)] == [0, 1, 2, 0]


@pytest.mark.parametrize(
    ("folder", "root", "found"),
    [
        ("spoken", None, "spoken"),
        ("spoken", "/data", "/data/spoken"),
        ("/there", "/data", "/there"),
        ("gs://bucket/spoken", "/data", "gs://bucket/spoken"),
    ],
)
def test_a_relative_folder_of_speech_lies_below_the_data_root(
    folder: str, root: str | None, found: str
) -> None:
    assert SpeechCard(engine="folder", folder=folder).below(root).folder == found

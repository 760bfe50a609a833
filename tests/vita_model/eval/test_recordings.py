"""Folders of recordings in the layouts that people have."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
import soundfile

from vita_data.errors import UsageError
from vita_model.eval.recordings import Recording, heard, joined, recordings, strings


def tone(path: Path, seconds: float = 0.4, rate: int = 8000) -> None:
    """A sound file of one pitch."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.3 * numpy.sin(numpy.arange(int(seconds * rate)) * 0.3), rate)


def test_names_of_digits_say_who_says_what(tmp_path: Path) -> None:
    for name in ("7_anna_0", "0_bert_van_dam_12", "3_anna_1"):
        tone(tmp_path / "recordings" / f"{name}.wav")
    (tmp_path / "README.md").write_text("no sound")
    found, unread = recordings(tmp_path)
    assert [(one.text, one.speaker) for one in found] == [
        ("zero", "bert_van_dam"),
        ("three", "anna"),
        ("seven", "anna"),
    ]
    assert all(one.digits for one in found) and unread == []


@pytest.mark.parametrize(("name", "mark"), [("transcripts.tsv", "\t"), ("transcripts.csv", ",")])
def test_a_table_says_what_is_said_and_by_whom_if_it_knows(tmp_path: Path, name: str, mark: str) -> None:
    rows = [("file", "text", "speaker"), ("a/1.wav", "Good day.", "anna"), ("b.wav", "Good night", "")]
    (tmp_path / name).write_text("".join(mark.join(row) + "\n" for row in (*rows, ("c.wav", "", "x"))))
    found, unread = recordings(tmp_path)
    assert [(one.names, one.text, one.speaker) for one in found] == [
        (("a/1.wav",), "Good day.", "anna"),
        (("b.wav",), "Good night", "unknown"),
    ]
    assert [one.file for one in unread] == ["c.wav"]


def test_a_text_beside_a_recording_is_what_is_said_in_it(tmp_path: Path) -> None:
    tone(tmp_path / "anna" / "x.flac", rate=16000)
    (tmp_path / "anna" / "x.txt").write_text(" good\n day ")
    tone(tmp_path / "y.wav")
    found, unread = recordings(tmp_path)
    assert found == [Recording(("anna/x.flac",), "good day", "anna")]
    assert [(one.file, one.reason) for one in unread] == [("y.wav", "nothing says what is said in it")]


def test_a_table_without_its_columns_and_a_folder_without_sounds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no recordings"):
        recordings(tmp_path)
    (tmp_path / "transcripts.tsv").write_text("path\ttext\n")
    with pytest.raises(UsageError, match="no column file"):
        recordings(tmp_path)


def test_what_cannot_be_heard_is_named_and_the_rest_is_heard_at_16_khz(tmp_path: Path) -> None:
    tone(tmp_path / "good.wav", 0.5)
    tone(tmp_path / "short.wav", 0.02)
    (tmp_path / "broken.wav").write_bytes(b"RIFF no sound")
    soundfile.write(tmp_path / "odd.wav", numpy.full(8000, numpy.nan), 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "both.wav", numpy.zeros((8000, 2)), 16000)
    names = ("good.wav", "short.wav", "broken.wav", "odd.wav", "both.wav", "missing.wav")
    sounds, unread = heard(tmp_path, names)
    assert {name: len(sound) for name, sound in sounds.items()} == {"good.wav": 8000, "both.wav": 8000}
    assert [one.file for one in unread] == ["short.wav", "broken.wav", "odd.wav", "missing.wav"]


def test_strings_are_of_one_speaker_with_silence_between_and_follow_from_the_seed(tmp_path: Path) -> None:
    for speaker in ("anna", "bert"):
        for digit in range(4):
            tone(tmp_path / f"{digit}_{speaker}_0.wav", 0.3)
    clips, _ = recordings(tmp_path)
    found = strings(clips, 60, seed=5)
    assert found == strings(clips, 60, seed=5) != strings(clips, 60, seed=6)
    assert strings(clips, 10, seed=5) == found[:10]
    assert {len(one.names) for one in found} == {1, 2, 3, 4, 5}
    sounds, _ = heard(tmp_path, (clip.names[0] for clip in clips))
    for one in found:
        assert {name.split("_")[1] for name in one.names} == {one.speaker}
        assert len(one.text.split()) == len(one.names)
        assert all(1600 <= pause <= 4800 for pause in one.pauses)
        assert len(joined(one, sounds)) == 4800 * len(one.names) + sum(one.pauses)

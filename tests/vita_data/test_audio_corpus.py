"""Real sound, whole and broken, from the corpus that VITA_TEST_CORPUS names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vita_data.errors import RecordError
from vita_data.media.audio import Sound, read_sound

SOUNDS = ("audio", "speech_en", "speech_zh", "speech_other", "tts_en", "tts_zh", "odd_audio")

pytestmark = pytest.mark.corpus


def _rows(corpus: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for line in (corpus / "inventory.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row.get("audio_codec") or row["path"].startswith("hostile/audio"):
            yield corpus / row["path"], row


def _read(path: Path) -> Sound | str:
    try:
        return read_sound(str(path), 16000)
    except RecordError as refusal:
        assert str(refusal) and " at 0x" not in str(refusal)
        return refusal.rule


def test_sound_files_last_as_long_as_the_inventory_says(corpus: Path) -> None:
    rows = [(path, row) for path, row in _rows(corpus) if row["kind"] in SOUNDS]
    assert len(rows) > 1000
    for path, row in rows:
        sound = _read(path)
        if path.suffix == ".pcm":  # samples without any header: nobody can say at what rate
            assert sound == "audio_undecodable"
            continue
        assert isinstance(sound, Sound), (path, sound)
        # Some lengths of the inventory are time stamps, which include the delay of the encoder.
        assert sound.samples / 16000 == pytest.approx(row["decoded_seconds"], abs=0.03), path
        assert sound.channels == row["channels"], path


def test_the_sound_of_films_lasts_as_long_as_the_inventory_says(corpus: Path) -> None:
    rows = [(path, row) for path, row in _rows(corpus) if row["kind"] == "video"]
    assert len(rows) > 8
    for path, row in rows:
        sound = _read(path)
        assert isinstance(sound, Sound), (path, sound)
        assert sound.samples / 16000 == pytest.approx(row["decoded_seconds"], abs=0.05), path


def test_films_without_sound_are_refused_as_such(corpus: Path) -> None:
    assert _read(corpus / "hostile" / "video" / "decord_corrupted.mp4") == "no_audio"


def test_every_hostile_file_is_a_sound_or_a_refusal(corpus: Path) -> None:
    rows = [path for path, row in _rows(corpus) if row["kind"] == "hostile"]
    assert len(rows) > 15
    for path in rows:
        _read(path)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("cut_libri.flac", "audio_truncated"),
        ("tinytag_alac_file.m4a", "audio_empty"),
        ("pocketsphinx_null.wav", "audio_empty"),
        ("pydub_test1_empty.wav", "audio_empty"),
        ("pocketsphinx_awful.wav", "audio_undecodable"),
        ("tinytag_empty_file.mp3", "audio_undecodable"),
        ("tinytag_incomplete.mp3", "audio_undecodable"),
        ("tinytag_106-invalid-streaminfo.flac", "audio_undecodable"),
        ("faulty_06 - missing streaminfo metadata block.flac", "audio_undecodable"),
    ],
)
def test_broken_sound_is_refused_with_its_rule(corpus: Path, name: str, rule: str) -> None:
    assert _read(corpus / "hostile" / "audio" / name) == rule

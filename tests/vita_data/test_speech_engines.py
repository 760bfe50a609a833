"""Engines that speak, and the cache of what they said."""

from __future__ import annotations

import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.sounds import speechlike
from vita_data.errors import RecordError, UsageError, VitaError
from vita_data.manifest.bind import bind
from vita_data.manifest.parse import parse_card
from vita_data.manifest.speech import SpeechCard
from vita_data.speech import engines
from vita_data.speech.cache import SpeechCache, orphans
from vita_data.speech.engines import Command, Espeak, Folder, engine_of, text_name
from vita_data.speech.questions import language_of, words_of
from vita_data.speech.speak import clip, speech_digest

# Writes what it was given beside the sound, so that a test can look at it.
PROGRAM = """
import json, sys
import numpy as np, soundfile
told, wav, voice, speed = sys.argv[1:]
text = open(told, encoding="utf-8").read()
if "fail" in text:
    sys.exit("no such word in " + told)
if "mute" not in text:
    soundfile.write(wav, np.full(4000, len(text) * 100, np.int16), 8000, format="WAV")
"""


@pytest.fixture
def command(tmp_path: Path) -> Command:
    program = tmp_path / "tts.py"
    program.write_text(PROGRAM)
    return Command((sys.executable, str(program), "{text_file}", "{wav}", "{voice}", "{speed}"), None)


def wav(seed: int = 1) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, speechlike(0.5, 22_050, seed), 22_050, format="WAV")
    return buffer.getvalue()


def question(text: str = "Is it?", **facts: Any) -> dict[str, Any]:
    row = {"text": text, "language": "en", "voice": "ann", "speed": 170, "noise": None, "clip": b"c" * 16}
    return {**row, **facts}


def card_of(text: str) -> SpeechCard:
    return bind(parse_card(text.encode(), "m.yaml"), SpeechCard)


def test_a_command_is_given_text_voice_and_speed_as_they_are(command: Command) -> None:
    tricky = "$(touch /tmp/hacked); `id` {voice} \u4f60\u597d"
    data, _ = soundfile.read(io.BytesIO(command.speak(tricky, "en", "a b;c", 170)), dtype="int16")
    assert data[0] == (len(tricky) + 1) * 100
    facts, flac = clip(command, question(), 60)
    assert soundfile.info(io.BytesIO(flac)).samplerate == 16_000
    assert facts["samples"] == 8000


@pytest.mark.parametrize(
    ("text", "rule", "words"),
    [
        ("fail", "engine_failed", "status 1 no such word in /text.txt"),
        ("mute", "engine_failed", "it wrote no sound"),
    ],
)
def test_a_command_that_fails_costs_one_question_and_says_why(
    command: Command, text: str, rule: str, words: str
) -> None:
    with pytest.raises(RecordError, match=words) as caught:
        command.speak(text, "en", "ann", 170)
    assert caught.value.rule == rule


def test_what_is_no_sound_and_what_is_silent_are_refused(tmp_path: Path) -> None:
    silent = io.BytesIO()
    soundfile.write(silent, np.zeros(16_000, np.int16), 16_000, format="WAV")
    for data, rule in ((silent.getvalue(), "audio_silent"), (b"no sound", "audio_undecodable")):
        (tmp_path / f"{text_name('Is it?', 'en')}.wav").write_bytes(data)
        with pytest.raises(RecordError) as caught:
            clip(Folder(str(tmp_path)), question(), 60)
        assert caught.value.rule == rule


def test_a_folder_of_finished_audio_is_read_by_name_and_by_its_manifest(tmp_path: Path) -> None:
    (tmp_path / f"{text_name('Is it?', 'en')}.wav").write_bytes(wav(1))
    (tmp_path / "take 2.wav").write_bytes(wav(2))
    lines = [{"text": "Is it not?", "file": "take 2.wav"}, {"text": "Up?", "file": "../up.wav"}]
    (tmp_path / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path.parent / "up.wav").write_bytes(wav(3))
    folder = Folder(str(tmp_path))
    assert folder.speak("Is it?", "en", "x", 1) == wav(1)
    assert folder.speak("Is it not?", "en", "x", 1) == wav(2)
    for text, language in (("Up?", "en"), ("Is it?", "zh"), ("Never said.", "en")):
        with pytest.raises(RecordError, match="no file for this text"):
            folder.speak(text, language, "x", 1)
    before = folder.identity()
    (tmp_path / "more.wav").write_bytes(wav(4))
    assert folder.identity() != before


def test_the_name_of_a_text_stays_what_the_readme_says() -> None:
    assert text_name("Is it?", "en") == "6fe1fc8f7a39c0e2"
    assert text_name("Is it?", "en") != text_name("Is it?e", "n")


def test_another_version_of_an_engine_has_another_cache(command: Command) -> None:
    newer = Command(command.words, "2")
    old, new = command.identity(), newer.identity()
    assert speech_digest(old, 60) != speech_digest(new, 60) != speech_digest(new, 30)


def test_a_command_that_is_ended_by_a_signal_or_is_too_slow_costs_one_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for code, rule in (
        ("import os; os.kill(os.getpid(), 11)", "engine_crashed"),
        ("import time; time.sleep(60)", "engine_timed_out"),
    ):
        monkeypatch.setattr(engines, "SECONDS", 60 if rule == "engine_crashed" else 0.2)
        with pytest.raises(RecordError) as caught:
            Command((sys.executable, "-c", code, "{text_file}", "{wav}"), None).speak("a", "en", "x", 1)
        assert caught.value.rule == rule


def test_an_engine_that_is_not_there_is_no_fault_of_a_text(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone")
    (tmp_path / "no-program").write_text("no header")
    (tmp_path / "no-program").chmod(0o755)
    for program in (gone, str(tmp_path / "no-program")):
        with pytest.raises(VitaError, match="cannot be started") as caught:
            Command((program, "{text_file}", "{wav}"), None).speak("a", "en", "x", 1)
        assert not isinstance(caught.value, RecordError)
    for engine in (Command((gone, "{text_file}", "{wav}"), None), Folder(gone)):
        with pytest.raises(UsageError, match=gone):
            engine.check()
    with pytest.raises(UsageError, match=gone):
        Folder(gone).speak("a", "en", "x", 1)
    assert Folder(gone).identity() is None
    assert Command((gone,), "2").identity() == {"engine": "command", "command": [gone], "version": "2"}


@pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="nothing can be spoken here: apt-get install espeak-ng"
)
def test_espeak_reads_brackets_as_text_and_chinese_as_chinese() -> None:
    engine = Espeak()
    identity = engine.identity()
    assert identity is not None and identity["version"][0].isdigit()
    plain, marked = (
        len(engine.speak(text, "en", "en-us", 170)) for text in ("the list a b c", "[[the list a b c]]")
    )
    assert 0.7 < marked / plain < 1.5
    voice = SpeechCard().voices["zh"][0]
    chinese = engine.speak("\u56fe\u7247\u91cc\u6709\u51e0\u53ea\u732b", "zh", voice, 200)
    assert 1 < soundfile.info(io.BytesIO(chinese)).duration < 4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("engine: espeak", "write one of espeak-ng, command, folder"),
        ("engine: command", "engine command needs a command"),
        ("folder: here", "folder belongs to `engine: folder`"),
        ("{engine: command, command: [tts, '{wav}']}", r"command has no \{text_file\}"),
        ("{engine: command, command: [tts, '{wav}', '{text_file}', '{pitch}']}", r"knows no \{pitch\}"),
        ("speed: [200, 100]", "speed begins above its end"),
        ("voices: {en: []}", "voices.en is an empty list"),
        ("noise: loud", "noise"),
    ],
)
def test_a_card_that_cannot_speak_is_refused_with_its_line(text: str, words: str) -> None:
    from vita_data.errors import ManifestError

    with pytest.raises(ManifestError, match=words) as caught:
        card_of(text)
    assert str(caught.value).startswith("m.yaml:1")


def test_noise_may_be_off_and_the_engine_is_espeak_when_nothing_is_said() -> None:
    assert card_of("noise: off").noise == "off"
    assert isinstance(engine_of(SpeechCard()), Espeak)


def test_the_words_of_a_question_are_what_is_left_without_its_media() -> None:
    assert words_of("<image>\n<image>\nWhich one\n is\tolder? <video>") == "Which one is older?"
    card = SpeechCard(voices={"en": ("a",), "fr": ("b",)})
    assert language_of("Is it?", "zh", card) == "en" and language_of("\u662f\u5417", "en", card) == "zh"
    assert language_of("Est-ce?", "fr", card) == "fr"


def rows(*names: bytes) -> list[tuple[dict[str, Any], bytes | None]]:
    facts = {"sha256": b"s" * 32, "content": b"c" * 16, "samples": 1}
    return [({**question(), **facts, "clip": name}, b"sound" + name) for name in names]


def test_a_cache_only_grows_and_each_bucket_sees_its_own(tmp_path: Path) -> None:
    low, high = b"\x00" * 16, b"\xff" * 16
    SpeechCache(str(tmp_path), 0, 1).add(iter(rows(low)), [low])
    SpeechCache(str(tmp_path), 1, 2).add(
        iter([({**question(), "clip": high, "reason": "engine_failed"}, None)]), [high]
    )
    assert set(SpeechCache(str(tmp_path), 0, 1).known()) == {low, high}
    assert set(SpeechCache(str(tmp_path), 0, 2).known()) == {low}
    (failed,) = SpeechCache(str(tmp_path), 3, 4).known().values()
    assert failed["reason"] == "engine_failed" and failed["path"] is None
    (good,) = SpeechCache(str(tmp_path), 0, 8).known().values()
    tar = (tmp_path / good["path"]).read_bytes()
    assert tar[good["offset"] : good["offset"] + good["length"]] == b"sound" + low


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_tar_that_is_not_whole_is_spoken_anew(tmp_path: Path, damage: str) -> None:
    name = b"\x00" * 16
    SpeechCache(str(tmp_path), 0, 1).add(iter(rows(name)), [name])
    (tar,) = tmp_path.glob("*.tar")
    if damage == "gone":
        tar.unlink()
    else:
        tar.write_bytes(tar.read_bytes()[:-512])
    assert SpeechCache(str(tmp_path), 0, 1).known() == {}


def test_a_tar_that_was_left_without_its_table_is_an_orphan(tmp_path: Path) -> None:
    name = b"\x00" * 16
    SpeechCache(str(tmp_path), 0, 1).add(iter(rows(name)), [name])
    assert orphans(str(tmp_path)) == []
    (tmp_path / "1-of-2-abc.tar").write_bytes(b"")
    assert orphans(str(tmp_path)) == ["1-of-2-abc.tar"]

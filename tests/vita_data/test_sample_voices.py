"""The spoken part of the sample corpus, each layout read here by code that shares nothing with its maker."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import wave
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from vita_data.errors import RecordError, SourceError
from vita_data.media.audio import read_sound
from vita_data.sample import (
    speech_aishell,
    speech_commonvoice,
    speech_librispeech,
    speech_text_en,
    speech_text_zh,
    speech_wenet_shards,
    speech_wenetspeech,
    tts_aishell3,
    tts_ljspeech,
    unmeant,
)
from vita_data.sample.ledger import SourceFacts
from vita_data.sample.readings import record_readings
from vita_data.sample.spoken import spoken_makers
from vita_data.sample.spoken_numbers import in_words, year_in_words
from vita_data.sample.voices import DEBIAN_PACKAGE, Voice, cast, find_engine, speak

# What the tests make of each source: a few speakers, recordings, lines.
SMALL: dict[str, Any] = {
    speech_librispeech.NAME: partial(speech_librispeech.make, speakers=2),
    speech_aishell.NAME: partial(speech_aishell.make, speakers=2),
    speech_wenetspeech.NAME: partial(speech_wenetspeech.make, recordings=1),
    speech_commonvoice.NAME: partial(speech_commonvoice.make, clients=1),
    speech_wenet_shards.NAME: partial(speech_wenet_shards.make, lines=3),
    tts_ljspeech.NAME: partial(tts_ljspeech.make, count=12),
    tts_aishell3.NAME: partial(tts_aishell3.make, each=1),
    unmeant.NAME: partial(unmeant.make, scenes=None),
}
AGAIN = """
import hashlib, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import test_sample_voices as tests
for name, make in tests.SMALL.items():
    make(Path(sys.argv[1]) / name, tests.find_engine())
"""
MEDIA_RULES = {"media_missing", "audio_empty", "audio_undecodable", "audio_truncated"}


@pytest.fixture(scope="module")
def engine() -> Path:
    found = find_engine()
    if found is None:
        pytest.skip(f"nothing can be spoken here: apt-get install {DEBIAN_PACKAGE}")
    return found


@pytest.fixture(scope="module")
def made(engine: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, SourceFacts]]:
    folder = tmp_path_factory.mktemp("spoken")
    return {name: (folder / name, make(folder / name, engine)) for name, make in SMALL.items()}


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def opened(data: bytes) -> tuple[np.ndarray, int]:
    """Samples of one channel and their rate, by libsndfile or, for Opus and MP3, by FFmpeg."""
    if data[:4] in (b"RIFF", b"fLaC"):
        return soundfile.read(io.BytesIO(data), dtype="int16")
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.audio[0]
        parts = [frame.to_ndarray()[0] for frame in container.decode(stream)]
        sound = np.concatenate(parts)
        if sound.dtype.kind == "f":
            sound = np.asarray(sound * 32767, dtype=np.int16)
        return sound, stream.rate


def rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(sound.astype(np.float64)))))


Read = tuple[str, int, str, str, bytes]  # annotation, position, id, text, the sound's file


def lines(root: Path, annotation: str) -> list[str]:
    return (root / annotation).read_text(encoding="utf-8").splitlines()


def file_of(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def librispeech(root: Path) -> Iterator[Read]:
    for path in sorted(root.glob("LibriSpeech/train-*/*/*/[0-9]*.trans.txt")):
        for number, line in enumerate(lines(root, path.relative_to(root).as_posix())):
            name, _, text = line.partition(" ")
            yield path.relative_to(root).as_posix(), number, name, text, file_of(path.parent / f"{name}.flac")


def aishell(root: Path) -> Iterator[Read]:
    annotation = "data_aishell/transcript/aishell_transcript_v0.8.txt"
    for number, line in enumerate(lines(root, annotation)):
        name, *words = line.split()
        path = next(iter((root / "data_aishell/wav").rglob(f"{name}.wav")), root / "none")
        yield annotation, number, name, "".join(words), file_of(path)


def common_voice(root: Path) -> Iterator[Read]:
    annotation = "cv-corpus-17.0-sample/en/train.tsv"
    with (root / annotation).open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE), start=1):
            clip = root / "cv-corpus-17.0-sample/en/clips" / row["path"]
            yield annotation, number, row["path"], row["sentence"], file_of(clip)


def shards(root: Path) -> Iterator[Read]:
    for name in (root / "shards.list").read_text().split():
        with tarfile.open(root / name) as tar:
            members = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
        keys = list(dict.fromkeys(member.split(".")[0] for member in members))
        for number, key in enumerate(keys):
            sound = members.get(f"{key}.wav", members.get(f"{key}.flac", b""))
            yield name, number, key, members[f"{key}.txt"].decode("utf-8", "replace"), sound


def ljspeech(root: Path) -> Iterator[Read]:
    annotation = "LJSpeech-1.1/metadata.csv"
    for number, line in enumerate(lines(root, annotation)):
        name, _, text = line.split("|")
        yield annotation, number, name, text, file_of(root / f"LJSpeech-1.1/wavs/{name}.wav")


def aishell3(root: Path) -> Iterator[Read]:
    annotation = "data_aishell3/train/content.txt"
    for number, line in enumerate(lines(root, annotation)):
        name, told = line.split("\t")
        text = "".join(told.split()[::2])
        yield annotation, number, name[:11], text, file_of(root / "data_aishell3/train/wav" / name[:7] / name)


READERS = {
    speech_librispeech.NAME: librispeech, speech_aishell.NAME: aishell, speech_commonvoice.NAME: common_voice,
    speech_wenet_shards.NAME: shards, tts_ljspeech.NAME: ljspeech, tts_aishell3.NAME: aishell3,
}  # fmt: skip
RATES = {speech_commonvoice.NAME: 32000, tts_ljspeech.NAME: 22050, tts_aishell3.NAME: 44100}


@pytest.mark.slow
def test_another_process_with_other_memory_and_hash_seed_makes_the_same_bytes(
    made: dict[str, tuple[Path, SourceFacts]], tmp_path: Path
) -> None:
    environment = os.environ | {"PYTHONHASHSEED": "99", "MALLOC_PERTURB_": "87"}
    command = [sys.executable, "-c", AGAIN, str(tmp_path), str(Path(__file__).parent)]
    subprocess.run(command, env=environment, check=True)
    assert digests(tmp_path) == digests(made[unmeant.NAME][0].parent)


def test_all_sources_that_are_heard_are_tried_here(engine: Path) -> None:
    assert (
        spoken_makers(engine, record_readings(engine)).keys()
        == SMALL.keys()
        == READERS.keys() | {speech_wenetspeech.NAME, unmeant.NAME}
    )


def test_an_engine_that_is_not_installed_is_not_found(tmp_path: Path) -> None:
    assert find_engine(str(tmp_path)) is None


@pytest.mark.parametrize("body", ["exit 3", "printf RIFF", "head -c 100 /dev/zero"])
def test_an_engine_that_fails_is_named_with_its_package(tmp_path: Path, body: str) -> None:
    broken = tmp_path / "espeak-ng"
    broken.write_text(f"#!/bin/sh\n{body}\n")
    broken.chmod(0o755)
    with pytest.raises(SourceError, match=f"install --reinstall {DEBIAN_PACKAGE}"):
        speak(broken, Voice("en-us", 150, 50), "Hello.")


def test_speakers_of_a_corpus_have_different_voices_and_half_are_women() -> None:
    for language, count in (("en", 20), ("zh", 10)):
        voices = cast("a corpus", language, count)
        assert len({voice.code for voice in voices}) == count
        assert sum(voice.gender == "female" for voice in voices) == count // 2


def test_numbers_are_read_in_words() -> None:
    assert [in_words(n) for n in (0, 13, 20, 99)] == ["zero", "thirteen", "twenty", "ninety-nine"]
    assert [year_in_words(y) for y in (1806, 1900, 1872)] == [
        "eighteen oh six", "nineteen hundred", "eighteen seventy-two",
    ]  # fmt: skip


def test_sentences_are_never_twice_and_chinese_has_a_syllable_for_every_character() -> None:
    english = speech_text_en.sentences("a test", 200, numbers=0.2)
    assert len({line.written for line in english}) == 200
    assert all(re.fullmatch(r"[A-Z' ]+", line.upper) for line in english)
    assert all(not re.search(r"\d|%|£|Mrs\.|Dr\.", line.read) for line in english)
    chinese = speech_text_zh.sentences("a test", 200)
    assert len({line.plain for line in chinese}) == 200
    for line in chinese:
        assert len(line.plain) == len(line.pinyin)
        assert all(re.fullmatch(r"[a-z]+[1-5]", syllable) for syllable in line.pinyin)
        assert re.fullmatch(r"[\u4e00-\u9fff]+", line.plain)
    with pytest.raises(ValueError, match="There are no"):
        speech_text_zh.sentences("a test", 100, longest=1, most=5)


def test_every_good_line_is_heard_at_the_rate_of_its_corpus_and_not_too_fast_or_slow(
    made: dict[str, tuple[Path, SourceFacts]],
) -> None:
    for name, read in READERS.items():
        root, facts = made[name]
        refused = {(plant["annotation"], plant["position"]) for plant in facts.rejects}
        kept, seconds = 0, 0.0
        for annotation, position, key, text, data in read(root):
            if (annotation, position) in refused:
                continue
            sound, rate = opened(data)
            assert rate == RATES.get(name, 16000), key
            lasts = len(sound) / rate
            chinese = not text.isascii()
            pace = len(text) / lasts
            assert (1.2 < pace < 7) if chinese else (5 < pace < 22), (name, key, pace)
            assert 0.6 < lasts < 11 and 300 < rms(sound) < 9000, (name, key, lasts, rms(sound))
            kept, seconds = kept + 1, seconds + lasts
        assert kept == facts.samples == facts.questions, name
        assert seconds == pytest.approx(facts.seconds, rel=1e-4), name


def test_a_reject_lies_where_the_key_says_and_is_broken_as_it_says(
    made: dict[str, tuple[Path, SourceFacts]],
) -> None:
    met = set()
    for name, read in READERS.items():
        root, facts = made[name]
        rows = {
            (annotation, position): (key, text, data) for annotation, position, key, text, data in read(root)
        }
        for plant in facts.rejects + facts.awkward:
            key, text, data = rows[plant["annotation"], plant["position"]]
            assert key == plant["native_id"]
            rule = plant.get("rule")
            met.add(rule)
            if rule in MEDIA_RULES - {"media_missing"}:
                with pytest.raises(RecordError) as refused:
                    read_sound(data, 16000)
                assert refused.value.rule == rule, plant
            if rule == "media_missing":
                assert data == b""
            if rule == "empty_transcript":
                assert not text
    assert met >= MEDIA_RULES | {"other_split", "empty_transcript", "not_a_record", "not_utf8"}


def test_hidden_files_of_a_mac_and_lines_of_the_test_split_are_there_and_not_counted(
    made: dict[str, tuple[Path, SourceFacts]],
) -> None:
    root, facts = made[speech_librispeech.NAME]
    assert list(root.rglob("._*.trans.txt")) and list(root.rglob("._*.flac"))
    assert list(root.glob("LibriSpeech/test-clean/*/*/*.trans.txt"))
    assert not [
        plant for plant in facts.rejects if "test-clean" in plant["annotation"] or "._" in plant["annotation"]
    ]
    for name, path in ((tts_aishell3.NAME, "data_aishell3/test/content.txt"),
                       (speech_commonvoice.NAME, "cv-corpus-17.0-sample/en/test.tsv")):  # fmt: skip
        assert lines(made[name][0], path)


def test_segments_of_a_long_recording_hold_the_speech_and_the_gaps_do_not(
    made: dict[str, tuple[Path, SourceFacts]],
) -> None:
    root, facts = made[speech_wenetspeech.NAME]
    audios = json.loads((root / "WenetSpeech.json").read_text(encoding="utf-8"))["audios"]
    segments = [(audio, segment) for audio in audios for segment in audio["segments"]]
    rules = {plant["position"]: plant["rule"] for plant in facts.rejects}
    assert set(rules.values()) == {"other_subset", "garbage_tag", "segment_outside", "media_missing"}
    assert facts.samples == len(segments) - len(rules)
    sound, rate = opened((root / audios[0]["path"]).read_bytes())
    assert len(sound) / rate == pytest.approx(audios[0]["duration"], abs=0.05)
    silent = np.ones(len(sound), dtype=bool)
    seconds = 0.0
    for number, (audio, segment) in enumerate(segments):
        assert bool(rules.get(number)) == (
            "L" not in segment["subsets"]
            or segment["text"] in ("<SIL>", "没有声音", "时间反了", "这段录音丢了")
        )
        if audio is audios[0] and (number not in rules or rules[number] == "other_subset"):
            start, end = (round(segment[bound] * rate) for bound in ("begin_time", "end_time"))
            assert rms(sound[start:end]) > 300
            silent[start:end] = False
        if number not in rules:
            seconds += segment["end_time"] - segment["begin_time"]
    assert rms(sound[silent]) < 60
    assert seconds == pytest.approx(facts.seconds, abs=0.001)


def test_the_second_of_two_chinese_texts_is_the_pinyin_of_the_first(
    made: dict[str, tuple[Path, SourceFacts]],
) -> None:
    for line in lines(made[tts_aishell3.NAME][0], "data_aishell3/train/content.txt"):
        told = line.split("\t")[1].split()
        assert len(told) % 2 == 0 and all(re.fullmatch(r"[a-z]+[1-5]", sound) for sound in told[1::2])


def test_negative_records_name_the_answer_to_what_was_not_meant(
    made: dict[str, tuple[Path, SourceFacts]],
) -> None:
    root, facts = made[unmeant.NAME]
    records = json.loads((root / "negatives.json").read_text(encoding="utf-8"))
    refused = {plant["position"]: plant["rule"] for plant in facts.rejects}
    assert 35 <= facts.samples == len(records) - len(refused)
    seconds, turns = 0.0, set()
    for number, record in enumerate(records):
        files = record["audio"] if isinstance(record["audio"], list) else [record["audio"]]
        told = record["conversations"]
        heard = sum(turn["value"].count("<audio>") for turn in told)
        assert (heard != len(files)) == (refused.get(number) == "placeholders_match")
        assert told[record["inserted_id"]]["from"] == "gpt" and record["inserted_id"] == len(told) - 1
        assert all((root / "audio" / file).is_file() for file in files) == (
            refused.get(number) != "media_missing"
        )
        if number not in refused:
            seconds += sum(
                len(sound) / rate
                for sound, rate in (opened((root / "audio" / f).read_bytes()) for f in files)
            )
            turns.add(len(told))
    assert turns == {2, 4} and seconds == pytest.approx(facts.seconds, abs=0.001)


def test_sounds_that_are_no_speech_are_what_they_are_called(
    made: dict[str, tuple[Path, SourceFacts]],
) -> None:
    root, _ = made[unmeant.NAME]
    for path in sorted((root / "audio").glob("*.flac")):
        sound, _ = opened(path.read_bytes())
        power = np.abs(np.fft.rfft(sound.astype(np.float64))) ** 2
        flat = np.exp(np.mean(np.log(power + 1))) / np.mean(power)
        kind, record = path.stem.split("-")[0], json.dumps(path.stem)
        last = not (root / "audio" / f"{path.stem[:-1]}{int(path.stem[-1]) + 1}.flac").exists()
        if last and kind == "hiss":
            assert flat > 0.4, record
        if last and kind == "tune":
            assert flat < 0.01, record


def test_wav_files_say_how_long_they_are(made: dict[str, tuple[Path, SourceFacts]]) -> None:
    for path in sorted(made[tts_ljspeech.NAME][0].rglob("*.wav")):
        with wave.open(str(path)) as file:
            assert file.getframerate() == 22050 and file.getsampwidth() == 2 and file.getnchannels() == 1
            assert path.stat().st_size == 44 + 2 * file.getnframes()

"""Sentences read by one machine voice: a benchmark of speech in the tree of LibriSpeech.

Layout: https://www.openslr.org/12, `test-clean/<speaker>/<chapter>/`.
"""

from __future__ import annotations

from pathlib import Path

from vita_data.sample.sound import flac
from vita_data.sample.speech_text_en import Line, sentences
from vita_data.sample.utterances import Utterance, recorded
from vita_data.sample.voices import cast

READINGS = "sample-readings"
FOLDER = "SampleReadings/test-clean"
CHAPTER = "9101-400100"
RATE = 16000
COUNT = 6
LEAST = 70  # characters of a sentence


def record_readings(engine: Path) -> list[Utterance]:
    """The recordings of the benchmark, the same ones at every run."""
    (voice,) = cast(READINGS, "en", 1)
    long = [line for line in sentences(READINGS, 4 * COUNT) if len(line.written) >= LEAST]
    return [
        recorded(engine, voice, line, RATE, READINGS, _name(number))
        for number, line in enumerate(long[:COUNT])
    ]


def _name(number: int) -> str:
    return f"{CHAPTER}-{number:04d}"


def write_readings(folder: Path, readings: list[Utterance]) -> None:
    """Writes the benchmark into its place below a folder."""
    chapter = folder / FOLDER / CHAPTER.replace("-", "/")
    chapter.mkdir(parents=True)
    lines = []
    for number, said in enumerate(readings):
        (chapter / f"{_name(number)}.flac").write_bytes(flac(said.sound, RATE))
        lines.append(f"{_name(number)} {Line(said.line.written, said.line.read).upper}\n")
    (chapter / f"{CHAPTER}.trans.txt").write_text("".join(lines), encoding="utf-8")

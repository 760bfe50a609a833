"""The source sample-tts-zh: ten Chinese voices at 44.1 kHz in the layout of AISHELL-3, with pinyin.

Layout: https://www.openslr.org/93, `train/content.txt` with a character and its sound in turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vita_data.sample.chance import rng
from vita_data.sample.ledger import Entry, Plant, SourceFacts, spread
from vita_data.sample.sound import wav
from vita_data.sample.speech_text_zh import Line, sentences
from vita_data.sample.utterances import recorded
from vita_data.sample.voices import Voice, cast

NAME = "sample-tts-zh"
FOLDER = "data_aishell3"
ANNOTATION = f"{FOLDER}/train/content.txt"
RATE = 44100
SPEAKERS, LINES, TESTED = 10, 5, 2  # voices, lines of each, lines of the first one in the test split


def make(root: Path, engine: Path, each: int = LINES) -> SourceFacts:
    """Write the source into the folder `root` and say what is in it."""
    voices = cast(NAME, "zh", SPEAKERS)
    lines = sentences(NAME, SPEAKERS * each + TESTED, longest=1, most=11)
    entries: list[Entry] = [
        _entry(root, "train", n // each, n % each, line, voices, engine)
        for n, line in enumerate(lines[: SPEAKERS * each])
    ]
    tested = [
        _entry(root, "test", 0, 400 + n, line, voices, engine)
        for n, line in enumerate(lines[SPEAKERS * each :])
    ]
    lost = "SSB90010999"
    plant = Plant("missing_audio", "media_missing", "no such file")
    missing = Entry(f"{lost}.wav\t没 mei2 有 you3 人 ren2", 0, lost, plant)
    labels = _labels(lines[: SPEAKERS * each], entries)
    entries = spread(entries, [missing], rng(NAME, "spread"))
    for split, listed in (("train", entries), ("test", tested)):
        text = "".join(f"{entry.record}\n" for entry in listed)
        (root / FOLDER / split / "content.txt").write_text(text, encoding="utf-8")
    (root / FOLDER / "train/label_train-set.txt").write_text(labels, encoding="utf-8")
    (root / FOLDER / "spk-info.txt").write_text(_speakers(voices), encoding="utf-8")
    facts = SourceFacts()
    facts.add(ANNOTATION, entries)
    return facts


def _entry(
    root: Path, split: str, speaker: int, number: int, line: Line, voices: Sequence[Voice], engine: Path
) -> Entry:
    name = f"SSB9{1 + speaker:03d}{1 + number:04d}"
    path = root / FOLDER / split / "wav" / name[:7] / f"{name}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    said = recorded(engine, voices[speaker], line, RATE, NAME, name)
    path.write_bytes(wav(said.sound, RATE))
    told = " ".join(f"{sign} {sound}" for sign, sound in zip(line.plain, line.pinyin, strict=True))
    return Entry(f"{path.name}\t{told}", 1, name, None, len(said.sound), RATE)


def _labels(lines: Sequence[Line], entries: Sequence[Entry]) -> str:
    rows = ["# id|pinyin|text, % ends a word and $ the sentence"]
    for line, entry in zip(lines, entries, strict=True):
        text = "%".join(line.words)
        rows.append(f"{entry.native_id}|{' '.join(line.pinyin)}|{text}$")
    return "\n".join(rows) + "\n"


def _speakers(voices: Sequence[Voice]) -> str:
    rows = ["# speaker\tage group\tgender\taccent"]
    rows += [f"SSB9{1 + n:03d}\tB\t{voice.gender}\tnorth" for n, voice in enumerate(voices)]
    return "\n".join(rows) + "\n"

"""The source sample-tts-en: one English voice in the layout of LJSpeech, each line as written and as read.

Layout: https://keithito.com/LJ-Speech-Dataset, `metadata.csv` with bars between the columns and no quoting.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vita_data.sample.chance import rng
from vita_data.sample.ledger import Entry, Plant, SourceFacts, spread
from vita_data.sample.sound import silence, wav
from vita_data.sample.speech_text_en import Line, sentences
from vita_data.sample.utterances import recorded
from vita_data.sample.voices import RATE, Voice, cast

NAME = "sample-tts-en"
ANNOTATION = "LJSpeech-1.1/metadata.csv"
COUNT = 64
QUOTED = (
    'He called it "the best bread in town" and left.',
    '"Not today," said the ferryman.',
)


def make(root: Path, engine: Path, count: int = COUNT) -> SourceFacts:
    """Write the source into the folder `root` and say what is in it."""
    (root / "LJSpeech-1.1/wavs").mkdir(parents=True)
    voice = replace(cast(NAME, "en", 1)[0], speed=200)
    lines = [*(Line(text, text) for text in QUOTED), *sentences(NAME, count - len(QUOTED), 1, numbers=0.3)]
    rng(NAME, "order").shuffle(lines)
    entries = [
        _entry(root, f"LJ{1 + n // 40:03d}-{1 + n % 40:04d}", line, voice, engine)
        for n, line in enumerate(lines)
    ]
    entries = spread(entries, _rejects(root), rng(NAME, "spread"))
    text = "".join(f"{entry.record}\n" for entry in entries)
    (root / ANNOTATION).write_text(text, encoding="utf-8")
    facts = SourceFacts()
    facts.add(ANNOTATION, entries)
    return facts


def _entry(root: Path, name: str, line: Line, voice: Voice, engine: Path) -> Entry:
    said = recorded(engine, voice, line, RATE, NAME, name)
    (root / f"LJSpeech-1.1/wavs/{name}.wav").write_bytes(wav(said.sound, RATE))
    plant = None
    if line.written in QUOTED:
        plant = Plant("literal_quotes", None, "kept: the quotation marks are part of the text")
    return Entry(f"{name}|{line.written}|{line.read}", 1, name, plant, len(said.sound), RATE)


def _rejects(root: Path) -> list[Entry]:
    """A sound that is not there, and one of no samples."""
    lost, empty = "LJ099-0001", "LJ099-0002"
    (root / f"LJSpeech-1.1/wavs/{empty}.wav").write_bytes(wav(silence(0, RATE), RATE))
    text = "Nobody has read this.|Nobody has read this."
    return [
        Entry(f"{lost}|{text}", 0, lost, Plant("missing_audio", "media_missing", "no such file")),
        Entry(
            f"{empty}|{text}",
            0,
            empty,
            Plant("wav_without_samples", "audio_empty", "a header and no samples"),
        ),
    ]

"""The source sample-speech-zh: Chinese sentences in the tree of AISHELL-1, WAV and one transcript for all splits.

Layout: https://www.openslr.org/33 after its inner archives are unpacked; blanks part the words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vita_data.sample.chance import rng
from vita_data.sample.ledger import Entry, Plant, SourceFacts, spread
from vita_data.sample.sound import silence, wav
from vita_data.sample.speech_text_zh import Line, sentences
from vita_data.sample.utterances import Recording, recorded
from vita_data.sample.voices import Voice, cast

NAME = "sample-speech-zh"
RATE = 16000
ANNOTATION = "data_aishell/transcript/aishell_transcript_v0.8.txt"
SPEAKERS, LINES = 8, 6
# Which split a speaker belongs to is told by the number alone: the publisher's ranges begin at these.
FIRST = {"train": 2, "dev": 724, "test": 764}
OTHERS = {"dev": 2, "test": 3}  # lines of the one speaker of each other split


def make(
    root: Path, engine: Path, speakers: int = SPEAKERS, curated: Sequence[Recording] = ()
) -> SourceFacts:
    """Write the source into the folder `root` and say what is in it."""
    parts = [("train", FIRST["train"] + number, LINES) for number in range(speakers)]
    parts += [(split, FIRST[split], count) for split, count in OTHERS.items()]
    voices = cast(NAME, "zh", len(parts))
    lines = iter(sentences(NAME, sum(count for _, _, count in parts), longest=1))
    entries: list[Entry] = []
    other: list[Entry] = []
    for (split, number, count), voice in zip(parts, voices, strict=True):
        speaker = f"S{number:04d}"
        for place in range(count):
            name = f"BAC009{speaker}W{121 + place:04d}"
            entry = _entry(root, f"{split}/{speaker}/{name}", next(lines), voice, engine)
            if split == "train":
                entries.append(entry)
                continue
            plant = Plant("line_of_another_split", "other_split", f"the sound lies below wav/{split}")
            other.append(replace(entry, questions=0, plant=plant))
    entries = spread(_awkward(entries), [*_rejects(root), *other], rng(NAME, "spread"))
    entries += _curated(root, curated)
    path = root / ANNOTATION
    path.parent.mkdir(parents=True)
    path.write_text("".join(f"{entry.record}\n" for entry in entries), encoding="utf-8")
    facts = SourceFacts()
    facts.add(ANNOTATION, entries)
    return facts


def _entry(root: Path, place: str, line: Line, voice: Voice, engine: Path) -> Entry:
    path = root / f"data_aishell/wav/{place}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    said = recorded(engine, voice, line, RATE, NAME, path.stem)
    path.write_bytes(wav(said.sound, RATE))
    return Entry(f"{path.stem} {' '.join(line.words)}", 1, path.stem, None, len(said.sound), RATE)


def _awkward(entries: list[Entry]) -> list[Entry]:
    """One line whose words are parted by several blanks, one that ends in them."""
    wide, trailing = entries[3], entries[11]
    note = "kept: several blanks between words are one"
    entries[3] = replace(wide, record=wide.record.replace(" ", "   "), plant=Plant("wide_blanks", None, note))
    note = "kept: blanks at the end are not text"
    entries[11] = replace(trailing, record=f"{trailing.record}  ", plant=Plant("trailing_blanks", None, note))
    return entries


def _curated(root: Path, curated: Sequence[Recording]) -> list[Entry]:
    """What is planted for curation, said by the first speaker."""
    entries = []
    for number, one in enumerate(curated, start=495):
        name = f"BAC009S0002W{number:04d}"
        (root / f"data_aishell/wav/train/S0002/{name}.wav").write_bytes(wav(one.sound, RATE))
        entries.append(Entry(f"{name} {one.words}", 1, name, None, len(one.sound), RATE, one.fate))
    return entries


def _rejects(root: Path) -> list[Entry]:
    """Three sounds that cannot be used."""
    folder = root / "data_aishell/wav/train/S0002"
    names = [f"BAC009S0002W{n:04d}" for n in (490, 491, 492)]
    (folder / f"{names[0]}.wav").write_bytes(wav(silence(0, RATE), RATE))
    (folder / f"{names[1]}.wav").write_bytes(b"")
    plants = (
        Plant("wav_without_samples", "audio_empty", "a header and no samples"),
        Plant("empty_file", "audio_undecodable", "zero bytes"),
        Plant("missing_audio", "media_missing", "no such file"),
    )
    return [
        Entry(f"{name} 这里 什么 也 没有", 0, name, plant) for name, plant in zip(names, plants, strict=True)
    ]

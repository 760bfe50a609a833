"""The source sample-speech-en: English sentences in the tree of LibriSpeech, FLAC with capitals beside it.

Layout: https://www.openslr.org/12, `<split>/<speaker>/<chapter>/<speaker>-<chapter>-NNNN.flac` and one
`.trans.txt` a chapter.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vita_data.sample import damage
from vita_data.sample.ledger import Entry, Plant, SourceFacts
from vita_data.sample.sound import flac
from vita_data.sample.speech_text_en import Line, sentences
from vita_data.sample.utterances import Recording, Utterance, recorded
from vita_data.sample.voices import Voice, cast

NAME = "sample-speech-en"
RATE = 16000
SPEAKERS, CHAPTERS, LINES = 8, 1, 8  # chapters of a speaker, lines of a chapter
FIRST_SPEAKER, FIRST_CHAPTER = 9001, 300100
CLAUSES = 2  # of a line, at most
CURATED = "9021-300900"  # the speaker and chapter of what is planted for curation
TRAIN, TEST = "LibriSpeech/train-clean-100", "LibriSpeech/test-clean"
HIDDEN = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        "  # how a file of a Mac's archiver begins


def make(
    root: Path, engine: Path, speakers: int = SPEAKERS, curated: Sequence[Recording] = ()
) -> SourceFacts:
    """Write the source into the folder `root`, its last speaker into the test split, and say what is in it.

    What is planted for curation has a speaker of its own.
    """
    voices = cast(NAME, "en", speakers + 1)
    lines = sentences(NAME, (speakers + 1) * CHAPTERS * LINES, longest=CLAUSES)
    facts = SourceFacts()
    for number, voice in enumerate(voices):
        split = TRAIN if number < speakers else TEST
        for part in range(CHAPTERS):
            first = (number * CHAPTERS + part) * LINES
            chapter = f"{FIRST_SPEAKER + number}-{FIRST_CHAPTER + 10 * number + part}"
            entries = _chapter(root / split, chapter, voice, lines[first : first + LINES], engine)
            if (number, part) == (1, 0):
                entries = _messy(root / split, chapter, entries)
            annotation = _transcribe(root, split, chapter, entries)
            if split == TRAIN:
                facts.add(annotation, entries)
    if curated:
        entries = _curated(root / TRAIN, curated)
        facts.add(_transcribe(root, TRAIN, CURATED, entries), entries)
    (root / "LibriSpeech/SPEAKERS.TXT").write_text(_speakers(voices), encoding="utf-8")
    return facts


def recording(engine: Path, number: int) -> tuple[str, Utterance]:
    """The id and the recording of a line of the first chapter."""
    (voice,), chapter = cast(NAME, "en", 1), f"{FIRST_SPEAKER}-{FIRST_CHAPTER}"
    line = sentences(NAME, LINES, longest=CLAUSES)[number]
    name = f"{chapter}-{number:04d}"
    return name, recorded(engine, voice, line, RATE, NAME, name)


def _transcribe(root: Path, split: str, chapter: str, entries: Sequence[Entry]) -> str:
    """Writes the transcript of a chapter and returns its path."""
    annotation = f"{split}/{chapter.replace('-', '/')}/{chapter}.trans.txt"
    text = "".join(f"{entry.record}\n" for entry in entries)
    (root / annotation).write_text(text, encoding="utf-8")
    return annotation


def _curated(split: Path, curated: Sequence[Recording]) -> list[Entry]:
    folder = split / CURATED.replace("-", "/")
    folder.mkdir(parents=True)
    entries = []
    for number, one in enumerate(curated):
        name = f"{CURATED}-{number:04d}"
        (folder / f"{name}.flac").write_bytes(flac(one.sound, RATE))
        text = f"{name} {Line(one.words, one.words).upper}"
        entries.append(Entry(text, 1, name, None, len(one.sound), RATE, one.fate))
    return entries


def _chapter(split: Path, chapter: str, voice: Voice, lines: Sequence[Line], engine: Path) -> list[Entry]:
    folder = split / chapter.replace("-", "/")
    folder.mkdir(parents=True)
    entries: list[Entry] = []
    for number, line in enumerate(lines):
        name = f"{chapter}-{number:04d}"
        said: Utterance = recorded(engine, voice, line, RATE, NAME, name)
        (folder / f"{name}.flac").write_bytes(flac(said.sound, RATE))
        entries.append(Entry(f"{name} {line.upper}", 1, name, None, len(said.sound), RATE))
    return entries


def _messy(split: Path, chapter: str, entries: list[Entry]) -> list[Entry]:
    """A Mac's hidden files, one id twice, a cut file, a lost file and a line without words."""
    folder = split / chapter.replace("-", "/")
    whole = (folder / f"{chapter}-0000.flac").read_bytes()
    (folder / f"._{chapter}-0000.flac").write_bytes(HIDDEN)
    (folder / f"._{chapter}.trans.txt").write_bytes(HIDDEN)
    count = len(entries)
    cut, lost, mute = (f"{chapter}-{count + n:04d}" for n in range(3))
    (folder / f"{cut}.flac").write_bytes(damage.cut_short(whole))
    (folder / f"{mute}.flac").write_bytes(whole)
    first = entries[0]
    assert isinstance(first, Entry)
    note = "kept: two lines share this id, the second without the last word"
    twin = Plant("duplicate_id", None, note)
    first = Entry(first.record, 1, first.native_id, twin, first.count, first.rate)
    again = Entry(first.record.rsplit(" ", 1)[0], 1, first.native_id, twin, first.count, first.rate)
    broken = Plant("truncated_flac", "audio_truncated", "the last 40 % of the file are not there")
    missing = Plant("missing_audio", "media_missing", "no such file")
    silent = Plant("no_words", "not_a_record", "an id with no words behind it")
    return [
        first,
        *entries[1:],
        again,
        Entry(f"{cut} THE LAST PART OF THIS IS NOT THERE", 0, cut, broken),
        Entry(f"{lost} NOBODY CAN HEAR THIS", 0, lost, missing),
        Entry(f"{mute} ", 0, mute, silent),
    ]


def _speakers(voices: Sequence[Voice]) -> str:
    rows = [";ID  |SEX| SUBSET           |MINUTES| NAME"]
    for number, voice in enumerate(voices):
        subset = "test-clean" if number == len(voices) - 1 else "train-clean-100"
        rows.append(
            f"{FIRST_SPEAKER + number:<5}| {voice.gender[0].upper()} | {subset:<17}|  1.00 | Sample Reader {number + 1}"
        )
    return "\n".join(rows) + "\n"

"""The source sample-common-voice: English clips as MP3 with a table a split, as Common Voice has them.

Layout: https://github.com/common-voice/cv-dataset, release 17; quotation marks in a sentence are letters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vita_data.sample.chance import rng
from vita_data.sample.ledger import Entry, Plant, SourceFacts, spread
from vita_data.sample.lossy_sound import mp3
from vita_data.sample.sound import at_rate
from vita_data.sample.speech_text_en import Line, sentences
from vita_data.sample.utterances import Recording, recorded
from vita_data.sample.voices import Voice, cast

NAME = "sample-common-voice"
FOLDER = "cv-corpus-17.0-sample/en"
TRAIN = f"{FOLDER}/train.tsv"
RATE = 32000
RECORDED = 16000  # of what is planted for curation
CLIENTS, CLIPS, TESTED = 8, 7, 3  # people, clips of each, clips of the test split
COLUMNS = ("client_id", "path", "sentence_id", "sentence", "sentence_domain", "up_votes", "down_votes", "age",
           "gender", "accents", "variant", "locale", "segment")  # fmt: skip
QUOTED = (
    'The sign said "no entry" in red letters.',
    '"Where is the key?" asked the guard.',
)


@dataclass(frozen=True)
class Client:
    """Somebody who gave clips: what the table says, and the voice."""

    name: str
    age: str
    voice: Voice

    def row(self, clip: str, sentence: str) -> str:
        """The line of a clip in a table."""
        number = hashlib.sha256(sentence.encode("utf-8")).hexdigest()
        gender = f"{self.voice.gender}_{'feminine' if self.voice.gender == 'female' else 'masculine'}"
        cells = (self.name, clip, number, sentence, "", "2", "0", self.age, gender, "", "", "en", "")
        return "\t".join(cells)


def make(root: Path, engine: Path, clients: int = CLIENTS, curated: Sequence[Recording] = ()) -> SourceFacts:
    """Write the source into the folder `root` and say what is in it."""
    (root / FOLDER / "clips").mkdir(parents=True)
    people = [
        Client(
            hashlib.sha512(f"{NAME} {n}".encode()).hexdigest(), rng(NAME, "age", str(n)).choice(AGES), voice
        )
        for n, voice in enumerate(cast(NAME, "en", clients + 1))
    ]
    lines = _lines(clients * CLIPS + TESTED)
    entries: list[Entry] = [
        _entry(root, people[number // CLIPS], 90000001 + number, line, engine)
        for number, line in enumerate(lines[: clients * CLIPS])
    ]
    tested = [
        _entry(root, people[clients], 90000501 + number, line, engine)
        for number, line in enumerate(lines[clients * CLIPS :])
    ]
    rng(NAME, "order").shuffle(entries)
    heading = Entry(b"", 0)  # the names of the columns are no record
    entries = [heading, *spread(entries, _rejects(root, people[0]), rng(NAME, "spread"))]
    entries += _curated(root, people[0], curated)
    _table(root / TRAIN, entries)
    _table(root / FOLDER / "test.tsv", tested)
    _table(root / FOLDER / "validated.tsv", [*entries, *tested])
    facts = SourceFacts()
    facts.add(TRAIN, entries)
    return facts


AGES = ("", "teens", "twenties", "thirties", "fourties", "sixties")  # `fourties` is the publisher's spelling


def _lines(count: int) -> list[Line]:
    quoted = [Line(text, text) for text in QUOTED]
    return [*quoted, *sentences(NAME, count - len(quoted))]


def _entry(root: Path, client: Client, number: int, line: Line, engine: Path) -> Entry:
    clip = f"common_voice_en_{number}.mp3"
    said = recorded(engine, client.voice, line, RATE, NAME, clip)
    (root / FOLDER / "clips" / clip).write_bytes(mp3(said.sound, RATE))
    plant = None
    if line.written in QUOTED:
        plant = Plant("literal_quotes", None, "kept: the quotation marks are part of the sentence")
    return Entry(client.row(clip, line.written), 1, clip, plant, len(said.sound), RATE)


def _curated(root: Path, client: Client, curated: Sequence[Recording]) -> list[Entry]:
    """What is planted for curation, given by a client."""
    entries = []
    for number, one in enumerate(curated):
        clip = f"common_voice_en_{90000701 + number}.mp3"
        sound = at_rate(one.sound, RECORDED, RATE)
        (root / FOLDER / "clips" / clip).write_bytes(mp3(sound, RATE))
        entries.append(Entry(client.row(clip, one.words), 1, clip, None, len(sound), RATE, one.fate))
    return entries


def _rejects(root: Path, client: Client) -> list[Entry]:
    """A clip of zero bytes, one that is not there, and one without a sentence."""
    empty, lost, mute = (f"common_voice_en_{n}.mp3" for n in (90000901, 90000902, 90000903))
    clips = root / FOLDER / "clips"
    (clips / empty).write_bytes(b"")
    (clips / mute).write_bytes((clips / "common_voice_en_90000003.mp3").read_bytes())
    sentence = "This clip cannot be heard."
    broken = Plant("empty_file", "audio_undecodable", "zero bytes")
    missing = Plant("missing_audio", "media_missing", "no such file")
    silent = Plant("no_words", "empty_transcript", "the sentence is empty")
    return [
        Entry(client.row(empty, sentence), 0, empty, broken),
        Entry(client.row(lost, sentence), 0, lost, missing),
        Entry(client.row(mute, ""), 0, mute, silent),
    ]


def _table(path: Path, entries: Sequence[Entry]) -> None:
    rows = ["\t".join(COLUMNS), *(entry.record for entry in entries if not entry.is_blank)]
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")

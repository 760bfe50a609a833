"""The questions of an ordered bucket: which can be spoken, in which order, and how each would sound.

Everything about a question follows from the seed, its sample's key and its turn, so nobody else has a say.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from vita_data import files
from vita_data.manifest.speech import SpeechCard
from vita_data.prompt.template import PLACEHOLDERS
from vita_data.records.canon import canonical
from vita_data.records.key import keyed_hash
from vita_data.select.gather import order_path
from vita_data.speech.task import QUESTION, SpeechTask, bucket_of, load_speech_task, write_batches

LETTERS_A_SECOND = 30  # more than anybody says, so that what is surely too long is not spoken first
NOISE_STEPS = 100
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_MARKS = re.compile("|".join(PLACEHOLDERS.values()))


def question_bucket(task_path: str, bucket: int) -> str:
    """Writes the questions of an ordered bucket, a batch for each bucket of clips; returns the path."""
    task = load_speech_task(task_path)
    path = task.questions_path(bucket)
    rows: list[list[dict[str, Any]]] = [[] for _ in range(task.clips)]
    for row in _selected(order_path(task.work, bucket), frozenset(task.sources)):
        for question in questions_of(row["source"], json.loads(row["record"]), task):
            place = 0 if question["clip"] is None else bucket_of(question["clip"], task.clips)
            rows[place].append(question)
    write_batches(path, [pa.Table.from_pylist(some, QUESTION) for some in rows], QUESTION)
    return path


def _selected(path: str, sources: frozenset[str]) -> Iterator[dict[str, Any]]:
    with files.open_read(path) as stream, pa.ipc.open_file(stream) as reader:
        for number in range(reader.num_record_batches):
            batch = reader.get_batch(number).select(["source", "record"])
            yield from (row for row in batch.to_pylist() if row["source"] in sources)


def questions_of(source: str, record: dict[str, Any], task: SpeechTask) -> Iterator[dict[str, Any]]:
    """A row of QUESTION for each question of a record."""
    heard = bool(record["audio"])
    for turn, said in enumerate(record["conversations"]):
        if said["from"] != "human":
            continue
        names = (record["id"], str(turn))
        text = words_of(spoken_part(said["value"], task.card.part))
        row = {
            "source": source,
            "hash": keyed_hash(task.seed, "spoken", *names),
            "key": names[0],
            "turn": turn,
        }
        language = language_of(text, record["language"], task.card)
        row |= {"text": text, "language": language, "clip": None}
        reason = _unspeakable(text, language, heard, task.card)
        yield row | ({"reason": reason} if reason else _sound(task, names, text, language))


def words_of(value: str) -> str:
    """What there is to say of a question: its words without placeholders, white space made single blanks."""
    return " ".join(_MARKS.sub(" ", value).split())


def spoken_part(value: str, part: str | None) -> str:
    """What of a question is spoken: all of it, or the first thing that `part` finds and no placeholder is in."""
    place = where_spoken(value, part)
    return value if place is None else value[place.start : place.stop]


def where_spoken(value: str, part: str | None) -> slice | None:
    """Where in a question its spoken part stands, empty where there is none; None where all of it is spoken."""
    if part is None:
        return None
    found = (match for match in re.finditer(part, value) if not _MARKS.search(match[0]))
    return next((slice(match.start(), match.end()) for match in found), slice(0, 0))


def language_of(text: str, stated: str, card: SpeechCard) -> str:
    """The language a question is spoken in: by its script, unless the record is of a third one that has voices."""
    if stated in card.voices and stated not in ("en", "zh"):
        return stated
    return "zh" if _HAN.search(text) else "en"


def _unspeakable(text: str, language: str, heard: bool, card: SpeechCard) -> str | None:
    if heard:
        return "has_sound"
    if not any(character.isalnum() for character in text):
        return "no_words"
    if language not in card.voices:
        return "no_voice"
    return "long_text" if len(text) > card.most_seconds * LETTERS_A_SECOND else None


def _sound(task: SpeechTask, names: tuple[str, str], text: str, language: str) -> dict[str, Any]:
    """Voice, speed and noise of a question, each by a hash of its own, and the clip that these make."""
    voices = task.card.voices[language]
    voice = voices[keyed_hash(task.seed, "voice", *names) % len(voices)]
    slowest, fastest = task.card.speed
    speed = slowest + keyed_hash(task.seed, "speed", *names) % (fastest - slowest + 1)
    noise = None
    if task.card.noise != "off":
        least, most = task.card.noise
        step = keyed_hash(task.seed, "noise", *names) % (NOISE_STEPS + 1)
        noise = round(least + (most - least) * step / NOISE_STEPS, 1)
    said = canonical([text, language, voice, speed, noise]).encode()
    clip = hashlib.blake2b(said, digest_size=16).digest()
    return {"voice": voice, "speed": speed, "noise": noise, "clip": clip}

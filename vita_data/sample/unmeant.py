"""The source sample-negative-audio: sound that is not addressed to the model, in VITA's own shape of records.

Shape: https://github.com/VITA-MLLM/VITA, `audio` names files below the folder `audio`, `inserted_id` is the
number of the turn that answers what was not meant for the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from vita_data.sample import unmeant_words as words
from vita_data.sample.chance import rng
from vita_data.sample.ledger import Entry, Plant, SourceFacts, spread
from vita_data.sample.native import Turn, conversations, write_array
from vita_data.sample.sound import SCALE, at_rate, flac, in_a_room, mixed, noise, silence, tone
from vita_data.sample.voices import RATE as SPOKEN_RATE
from vita_data.sample.voices import Sound, cast, speak

NAME = "sample-negative-audio"
ANNOTATION = "negatives.json"
RATE = 16000
SET = "sample"
HEARD = "<audio>"
OTHERS = {"crowd": 6, "hiss": 6, "tune": 8}  # clips in which nobody says one thing


@dataclass(frozen=True)
class Scene:
    """One record: what there is to hear, what was asked and answered before it."""

    name: str
    kind: str
    language: str
    said: str  # by somebody to somebody else; empty where it is no talk
    asked: tuple[str, str] | None  # to the model, as the engine reads it, and the answer


def make(root: Path, engine: Path, scenes: int | None = None) -> SourceFacts:
    """Write the source into the folder `root`, the first `scenes` records of it, and say what is in it."""
    (root / "audio").mkdir(parents=True)
    entries: list[Entry] = [_entry(root, engine, scene) for scene in list(_scenes())[:scenes]]
    rng(NAME, "order").shuffle(entries)
    entries = spread(entries, _rejects(entries[0]), rng(NAME, "spread"))
    write_array(root / ANNOTATION, entries)
    facts = SourceFacts()
    facts.add(ANNOTATION, entries)
    return facts


def _scenes() -> Iterator[Scene]:
    """All of them; every third follows a question that was meant for the model, while there are any."""
    asked = {
        "en": iter(words.ASKED_EN),
        "zh": iter([(sounds, answer) for (_, sounds), answer in words.ASKED_ZH]),
    }
    talk = [("en", text) for text in words.TALK_EN] + [("zh", sounds) for _, sounds in words.TALK_ZH]
    plan = [("talk", language, said) for language, said in talk]
    for kind, count in OTHERS.items():
        plan += [(kind, "en" if number % 2 == 0 else "zh", "") for number in range(count)]
    for number, (kind, language, said) in enumerate(plan):
        before = next(asked[language], None) if number % 3 == 1 else None
        yield Scene(f"{kind}-{number:03d}", kind, language, said, before)


def _entry(root: Path, engine: Path, scene: Scene) -> Entry:
    random = rng(NAME, scene.name)
    clips: list[Sound] = []
    turns: list[Turn] = []
    if scene.asked is not None:
        question, answer = scene.asked
        clips.append(_spoken(engine, scene.language, question, random))
        turns.append((HEARD, answer))
    clips.append(_clip(engine, scene, random))
    turns.append((HEARD, random.choice(words.ANSWERS[scene.kind, scene.language])))
    files = [f"{scene.name}-{place}.flac" for place in range(len(clips))]
    for file, clip in zip(files, clips, strict=True):
        (root / "audio" / file).write_bytes(flac(clip, RATE))
    record = {
        "id": scene.name,
        "set": SET,
        "audio": files if len(files) > 1 else files[0],
        "conversations": conversations(turns),
        "inserted_id": 2 * len(turns) - 1,
    }
    return Entry(record, len(turns), scene.name, None, sum(len(clip) for clip in clips), RATE)


def _clip(engine: Path, scene: Scene, random: Random) -> Sound:
    count = round(random.uniform(1.2, 2.6) * RATE)
    if scene.kind == "talk":
        return _spoken(engine, scene.language, scene.said, random)
    if scene.kind == "hiss":
        return noise(random, count, random.choice((300, 1500, 5000)))
    if scene.kind == "tune":
        return tone(random.sample(SCALE, random.randint(3, 6)), count / RATE, RATE)
    lines = [sounds for _, sounds in words.TALK_ZH] if scene.language == "zh" else list(words.TALK_EN)
    crowd = []
    for line in random.sample(lines, 4):
        pause = silence(random.uniform(0.0, 0.8), RATE)
        crowd.append(np.concatenate([pause, _spoken(engine, scene.language, line, random)]))
    return mixed(*(np.asarray(sound // 2, dtype=np.int16) for sound in crowd))


def _spoken(engine: Path, language: str, text: str, random: Random) -> Sound:
    voice = random.choice(cast(NAME, language, 10))
    return in_a_room(at_rate(speak(engine, voice, text), SPOKEN_RATE, RATE), RATE, random)


def _rejects(whole: Entry) -> list[Entry]:
    """A clip that is not there, and a clip that no turn listens to twice."""
    turns = conversations([(HEARD, "Somebody is talking to somebody else.")])
    lost = {"id": "lost", "set": SET, "audio": "lost.flac", "conversations": turns, "inserted_id": 1}
    twice = whole.record | {"id": "twice", "audio": [_first(whole)], "inserted_id": 1}
    twice["conversations"] = conversations([(HEARD + HEARD, "Somebody is talking to somebody else.")])
    return [
        Entry(lost, 0, "lost", Plant("missing_audio", "media_missing", "no such file")),
        Entry(
            twice, 0, "twice", Plant("more_placeholders", "placeholders_match", "two placeholders, one sound")
        ),
    ]


def _first(entry: Entry) -> str:
    named = entry.record["audio"]
    return str(named if isinstance(named, str) else named[0])

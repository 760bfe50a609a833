"""Corpora of questions that are spoken, an engine that says which ones it was given, and what came of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import soundfile

from tests.factories import picture_source, write_mixture, write_source
from tests.sounds import speechlike
from vita_data.records.key import keyed_hash
from vita_data.shards.prove import prove
from vita_data.shards.read import Sample, Stage

# An engine that counts its calls in a file. TONE_BAD=3:exit lets it fail at every third text or so, in that way.
ENGINE = """
import ctypes, hashlib, io, os
import numpy as np, soundfile

def refuse():
    raise ValueError("cannot say it")

BAD = {"raise": refuse, "exit": lambda: os._exit(3), "segfault": lambda: ctypes.string_at(0)}

def tone(text, language, voice, speed):
    with open(os.environ["TONE_CALLS"], "a") as calls:
        calls.write(text + "\\n")
    every, _, way = os.environ.get("TONE_BAD", "").partition(":")
    if every and hashlib.sha256(text.encode()).digest()[0] % int(every) == 0:
        BAD[way]()
    samples = np.arange(int(22050 * (0.4 + len(text) * 0.3 / speed)))
    sound = 9000 * np.sin(samples * (0.02 + 0.01 * len(voice)))
    buffer = io.BytesIO()
    soundfile.write(buffer, sound.astype(np.int16), 22050, format="WAV")
    return buffer.getvalue()
"""

SPEECH = {"engine": "tone_engine:tone", "voices": {"en": ["ann", "bo"], "zh": ["lin"]}}


def texts(home: Path, name: str = "texts", count: int = 60, most: int = 3) -> None:
    """Conversations of one to `most` questions."""
    told = [
        {
            "id": number,
            "conversations": [
                turn
                for place in range(1 + number % most)
                for turn in (
                    {"from": "human", "value": f"What is {place} times {number}?"},
                    {"from": "gpt", "value": f"It is {place * number}."},
                )
            ],
        }
        for number in range(count)
    ]
    write_source(home, name, told, "QA", "Pure Text")


def spoken_corpus(home: Path, speech: dict[str, Any] | None = None, **card: Any) -> Path:
    """Questions on pictures and without, captions, and a stage card that takes all of them."""
    picture_source(home, "asks", 30)
    picture_source(home, "tells", 20, "Description")
    texts(home)
    stage_card(home)
    sources: dict[str, int | str] = {"asks": "all", "tells": "all", "texts": "all"}
    return write_mixture(home, sources, holdout={"share": 0.05, "least": 4}, speech=speech or SPEECH, **card)


def stage_card(home: Path, spoken: float = 0.5, negatives: float = 0.0) -> None:
    """Stage 2.2 with all of the data, beside the mixture."""
    card = {
        "stage": "2.2",
        "title": "Spoken",
        "unit": "questions",
        "reads": ["image", "text", "audio"],
        "shares": {"caption": 1, "qa": 1},
        "spoken_share": spoken,
        "negatives": negatives,
        "state_tokens": True,
        "trains": ["projector"],
        "loss": "lm",
        "schedule": {
            "learning_rate": 1e-3,
            "warmup_ratio": 0,
            "decay": "constant",
            "weight_decay": 0,
            "clip": 1.0,
            "epochs": 1,
            "global_batch": 4,
            "betas": [0.9, 0.999],
            "precision": "fp32",
        },
        "needs": [],
    }
    (home / "stages").mkdir(exist_ok=True)
    (home / "stages" / "2.2.yaml").write_text(json.dumps(card))


def stage_of(out: Path) -> Stage:
    proof = prove(str(out / "stages/2.2"))
    assert proof["errors"] == []
    return Stage(str(out / "stages/2.2"))


def samples_of(stage: Stage) -> Iterator[Sample]:
    for number in range(stage.shard_count):
        for row in range(len(stage.shard(number))):
            yield stage.sample(number, row)


def spoken_of(stage: Stage) -> set[tuple[str, int]]:
    """(key, turn) of everything that is spoken."""
    return {(s.key, said["turn"]) for s in samples_of(stage) for said in s.record["spoken"]}


def lines_of(facts: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {line["source"]: line for line in facts["sources"]}


def in_order(stage: Stage, source: str, seed: int = 0) -> list[tuple[str, int]]:
    """The questions of a source in the order in which they are spoken, said once more."""
    every = [
        (s.key, turn)
        for s in samples_of(stage)
        if s.source == source
        for turn, said in enumerate(s.record["conversations"])
        if said["from"] == "human"
    ]
    return sorted(every, key=lambda each: (keyed_hash(seed, "spoken", each[0], str(each[1])), *each))


def negatives(home: Path, name: str, count: int) -> None:
    """Clips that nobody meant for the model, in VITA's shape; every third after a question that was meant."""
    (home / name / "audio").mkdir(parents=True)
    told = []
    for number in range(count):
        clips = 2 if number % 3 == 0 else 1
        names = [f"{number}-{place}.flac" for place in range(clips)]
        for place, file in enumerate(names):
            seed = sum(name.encode()) + 10 * number + place
            soundfile.write(home / name / "audio" / file, speechlike(0.4, 16_000, seed), 16_000)
        turns = [{"from": "human", "value": "<audio>"}, {"from": "gpt", "value": "Somebody talks."}]
        told.append(
            {"id": number, "audio": names, "conversations": turns * clips, "inserted_id": 2 * clips - 1}
        )
    bad = {**told[1], "id": "bad", "inserted_id": 0}
    options = {"turns": "conversations", "audio_root": "audio"}
    write_source(home, name, [*told, bad], "Negative", "Speech", options=options)


def with_negatives(home: Path, share: float, *sources: tuple[str, int]) -> Path:
    texts(home)
    for name, count in sources:
        negatives(home, name, count)
    stage_card(home, negatives=share)
    path = write_mixture(home, {"texts": "all"}, holdout={"share": 0.05, "least": 2}, speech=SPEECH)
    card = json.loads(path.read_text().rpartition(', "geometry"')[0] + "}")
    card["sources"] += [{"source": name, "clips": "all"} for name, _ in sources]
    geometry = {"tokenizer": "qwen2.5-8k", "tile_pixels": 112, "tile_tokens": 16, "max_length": 2048}
    path.write_text(json.dumps({**card, "geometry": geometry}))
    return path

"""Texts with their speech at 24 kHz, as stage 3.2 holds them, and runs that have trained a codec."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy
import soundfile

from vita_data import files
from vita_data.prompt.record import measure_record
from vita_data.prompt.tokenizer import load_tokenizer
from vita_data.records.canon import canonical_bytes
from vita_data.records.key import sample_key
from vita_data.shards.write import ShardSample
from vita_model.config.presets import tiny
from vita_model.nets.vita import Vita, build
from vita_model.train.tensors import write

RATE = 24000
TEXTS = ("The kettle sings.", "你好，今天天气不错。", "Seven men (and a dog) went up.", "5% of $3?")


def utterance(number: int, source: str = "voices", **changes: Any) -> ShardSample:
    """The n-th text and its speech of half a second or so; `changes` go into what the index says of it."""
    geometry = tiny().geometry
    samples = 9000 + 1731 * (number % 7)
    key = sample_key(source, "voices.json", str(number), 0)
    member = f"{key}.0.flac"
    record: dict[str, Any] = {
        "conversations": [{"from": "gpt", "value": TEXTS[number % len(TEXTS)]}],
        "id": key,
        "audio": [member],
        "image": [],
        "video": [],
        "inserted_id": None,
        "spoken": [{"audio": member, "turn": 0}],
    }
    tokenizer = load_tokenizer(geometry.tokenizer)
    lengths = measure_record(record, [], [samples], geometry, tokenizer, False)
    said = {
        "text_tokens": lengths.text_tokens,
        "audio_tokens": lengths.audio_tokens,
        "length": lengths.length,
        "seconds": samples / RATE,
        "sound_samples": samples,
        "source": source,
    }
    return ShardSample(key, canonical_bytes(record), [("flac", voice(number, samples))], **(said | changes))


def voice(number: int, samples: int, rate: int = RATE, kind: str = "FLAC", channels: int = 1) -> bytes:
    """A tone with overtones that goes up and down and some breath: something the codec hears as more than one thing."""
    time = numpy.arange(samples) / rate
    phase = 2 * numpy.pi * (110 + 15 * (number % 9)) * (time + 0.02 * numpy.sin(9 * time))
    breath = 0.02 * numpy.random.default_rng(number).standard_normal(samples)
    waves = sum(numpy.sin(n * phase) / n for n in (1, 2, 3, 5)) * 0.2 + breath
    stream = io.BytesIO()
    soundfile.write(stream, numpy.stack([waves] * channels, 1).clip(-1, 1), rate, format=kind)
    return stream.getvalue()


def save_run(run: Path, seed: int = 0) -> Vita:
    """A run whose only checkpoint is the tiny model with weights from a seed."""
    model = build(tiny(), seed)
    folder = run / "checkpoints" / "step-00000009"
    folder.mkdir(parents=True)
    write(folder, "model", iter(model.state_dict().items()), keep=True)
    said = {"stage": "3.1", "step": 9, "preset": "tiny", "seed": seed, "model": tiny().to_json()}
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    files.write_json(str(folder / "complete.json"), {**said, "files": sizes})
    return model

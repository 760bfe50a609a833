"""Conversations as a shard holds them, with pictures, films and sounds of any size, made from seeds."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy
import soundfile
from PIL import Image

from vita_data.prompt.lengths import measure
from vita_data.prompt.tokenizer import load_tokenizer
from vita_data.shards.read import Sample
from vita_model.config.model import ModelConfig


def photograph(width: int, height: int, seed: int) -> bytes:
    """A PNG whose every tile looks different."""
    pixels = numpy.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=numpy.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC).save(stream, "PNG")
    return stream.getvalue()


def recording(samples: int, seed: int) -> bytes:
    """A FLAC of noise that swells."""
    noise = numpy.random.default_rng(seed).standard_normal(samples) * numpy.linspace(0.02, 0.2, samples)
    stream = io.BytesIO()
    soundfile.write(stream, noise, 16000, format="FLAC")
    return stream.getvalue()


def conversation(
    config: ModelConfig,
    said: Sequence[str],
    pictures: Sequence[tuple[int, int]] = (),
    films: Sequence[int] = (),
    sounds: Sequence[int] = (),
    inserted_id: int | None = None,
    seed: int = 0,
) -> Sample:
    """A sample as a shard holds it: turns in turn, pictures by size, films by frames, sounds by length."""
    geometry = config.geometry
    turns = [{"from": ("human", "gpt")[n % 2], "value": value} for n, value in enumerate(said)]
    lengths = measure(
        turns,
        pictures,
        geometry,
        load_tokenizer(geometry.tokenizer),
        True,
        frames=films,
        heard=sounds,
        inserted_id=inserted_id,
    )
    side = geometry.tile_pixels
    media = [photograph(*size, seed + n) for n, size in enumerate([*pictures, *[(side, side)] * sum(films)])]
    media += [recording(samples, seed + n) for n, samples in enumerate(sounds)]
    record = {
        "conversations": turns,
        "image": [f"{n}.png" for n in range(len(pictures))],
        "video": [{"frames": [f"{n}.png" for n in range(frames)]} for frames in films],
        "audio": [f"{n}.flac" for n in range(len(sounds))],
        "inserted_id": inserted_id,
    }
    return Sample(f"sample-{seed}", "made", record, media, lengths.grids, lengths.length)


def conversations(config: ModelConfig) -> list[Sample]:
    """Written only; two pictures, one of them cut up; a film with a spoken question; all at once; spoken only."""
    side = config.geometry.tile_pixels
    wide, square = (2 * side, side), (side, side)
    return [
        conversation(config, ["How are you?", "Well.", "Good.", "Yes, is it not?"], seed=10),
        conversation(
            config, ["<image>\nAnd\n<image>\nWhich is wide?", "The second."], [square, wide], seed=20
        ),
        conversation(config, ["<video>\n<audio>", "It rains."], films=[3], sounds=[9000], seed=30),
        conversation(
            config,
            [
                "<image>\n<audio>",
                "A dog.",
                "Sure?",
                "Yes.",
                "<audio>",
                "Talk of others.",
                "<video>\nHere?",
                "No.",
            ],
            [square],
            [2],
            [16000, 6400],
            inserted_id=5,
            seed=40,
        ),
        conversation(config, ["<audio>", "Good morning."], sounds=[12345], seed=50),
    ]

"""Packs as large as planned ones, of nothing: their index says how much of everything there is, no shard is opened."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import Any

import torch

from vita_data.errors import RecordError
from vita_data.prompt.lengths import audio_tokens, codec_tokens, encoder_frames
from vita_data.shards.read import Pack, Place, Stage
from vita_model.batch.clauses import Clause, Clauses
from vita_model.batch.collate import collate, empty
from vita_model.batch.encode import HEARD_RATE, IGNORED, Encoded
from vita_model.batch.readers import Conversations, Transcripts
from vita_model.nets.batch import Batch, modality
from vita_model.train.task import Task

CLIP = 30 * HEARD_RATE  # samples of the longest sound made; where a sample has more it has several
FRAMES_A_SYMBOL = 3


def mock(task: Task, pack: Pack | None) -> Batch:
    """A batch of the size of a pack; None gives an empty one."""
    reader = task.reader
    nothing = empty(reader.geometry.tile_pixels)
    if pack is None:
        return nothing
    rows = [(place, row_of(task.stage, place)) for place in pack.samples]
    if isinstance(reader, Conversations):
        return collate([_conversation(place.key, row, reader) for place, row in rows], reader.states)
    if isinstance(reader, Transcripts):
        return _transcripts(nothing, rows, len(reader.characters))
    assert isinstance(reader, Clauses)
    return _clauses(nothing, rows, reader)


def row_of(stage: Stage, place: Place) -> dict[str, Any]:
    """What the index says of a sample."""
    row: dict[str, Any] = stage.shard(place.shard).table.slice(place.row, 1).to_pylist()[0]
    return row


def _conversation(key: str, row: dict[str, Any], reader: Conversations) -> Encoded:
    """Pictures, sounds, then text, which is learned from its second token on."""
    geometry, prompts = reader.geometry, reader.encoder.prompts
    sounds = _sounds(row["sound_samples"] or 0)
    seen = row["visual_tokens"]
    at = seen
    heard: list[int] = []
    guided: list[int] = []
    for sound in sounds:
        guided += range(at, at + prompts)
        at += prompts
        heard += range(at, at + audio_tokens(len(sound)))
        at += audio_tokens(len(sound))
    text = max(2, row["length"] - seen - len(heard))
    pixels = geometry.tile_pixels
    return Encoded(
        key=key,
        ids=[0] * (at + text),
        labels=[IGNORED] * (at + 1) + [1] * (text - 1),
        tile_places=list(range(seen)),
        tiles=torch.zeros(seen // geometry.tile_tokens, 3, pixels, pixels, dtype=torch.uint8),
        sounds=sounds,
        sound_places=heard,
        prompt_places=guided,
        states=[(at, 0)],
        holds=modality(image=bool(seen), audio=bool(sounds)),
    )


def _sounds(samples: int) -> list[torch.Tensor]:
    sizes = [min(CLIP, samples - first) for first in range(0, samples, CLIP)]
    return [torch.zeros(size) for size in sizes if encoder_frames(size)]


def _transcripts(nothing: Batch, rows: list[tuple[Place, dict[str, Any]]], characters: int) -> Batch:
    """Clips with a symbol for every so many frames, no two alike beside each other where there are several."""
    sizes = [row["sound_samples"] for _, row in rows]
    counts = [max(1, encoder_frames(size) // FRAMES_A_SYMBOL) for size in sizes]
    kinds = min(2, characters - 1)
    said = [[1 + number % kinds for number in range(count)] for count in counts]
    return replace(
        nothing,
        sounds=torch.zeros(sum(sizes)),
        sound_lengths=tuple(sizes),
        symbols=torch.tensor(list(chain(*said)), dtype=torch.int64),
        symbol_lengths=tuple(counts),
        keys=tuple(place.key for place, _ in rows),
        holds=(modality(audio=True),) * len(rows),
    )


def _clauses(nothing: Batch, rows: list[tuple[Place, dict[str, Any]]], reader: Clauses) -> Batch:
    """Utterances of as many tokens; what the decoder has no positions for is left out, as in training."""
    made = []
    for place, row in rows:
        codes = torch.zeros(codec_tokens(row["sound_samples"]), dtype=torch.int64)
        clause = Clause(place.key, [0] * row["text_tokens"], codes)
        try:
            reader.check(clause)
        except RecordError:
            continue
        made.append(clause)
    if not made:
        return nothing
    return replace(
        nothing,
        clauses=torch.tensor(list(chain(*(clause.ids for clause in made))), dtype=torch.int64),
        clause_lengths=tuple(len(clause.ids) for clause in made),
        codes=torch.cat([clause.codes for clause in made]),
        code_lengths=tuple(len(clause.codes) for clause in made),
        keys=tuple(clause.key for clause in made),
    )

"""What makes a batch of a pack, by what a stage learns: conversations, or transcripts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Protocol

import torch

from vita_data.errors import RecordError, ShardError
from vita_data.manifest.geometry import Geometry
from vita_data.prompt.characters import Characters, check_frames
from vita_data.prompt.lengths import encoder_frames
from vita_data.shards.read import Pack, Sample, Stage
from vita_model.batch.collate import collate, empty
from vita_model.batch.encode import HEARD_RATE, Encoder
from vita_model.batch.sounds import waveform
from vita_model.nets.batch import Batch


class Reader(Protocol):
    """Reads the samples of a pack and makes a batch of them; without a pack one that teaches nothing."""

    geometry: Geometry

    def batch(self, stage: Stage, pack: Pack | None) -> Batch:
        """The pack of this stage, or of its held-out part."""
        ...


def samples(stage: Stage, pack: Pack) -> list[Sample]:
    """The samples of a pack with their bytes."""
    return [stage.sample(place.shard, place.row) for place in pack.samples]


class Conversations:
    """Whole conversations for the language model, and states of what is heard where they are learned."""

    def __init__(self, encoder: Encoder, states: bool = False) -> None:
        self.encoder = encoder
        self.geometry = encoder.geometry
        self.states = states

    def batch(self, stage: Stage, pack: Pack | None) -> Batch:
        """The samples of a pack in one sequence."""
        if pack is None:
            return empty(self.geometry.tile_pixels)
        return collate([self.encoder.encode(sample) for sample in samples(stage, pack)], self.states)


class Transcripts:
    """Sounds and the characters of what is said in them, for the speech encoder alone."""

    def __init__(self, characters: Characters, geometry: Geometry) -> None:
        self.characters = characters
        self.geometry = geometry

    def batch(self, stage: Stage, pack: Pack | None) -> Batch:
        """The sounds of a pack, one after the other; ShardError names one that is too short for its transcript."""
        nothing = empty(self.geometry.tile_pixels)
        if pack is None:
            return nothing
        read = samples(stage, pack)
        sounds = [waveform(sample.media[0], HEARD_RATE, sample.key) for sample in read]
        said = [self._symbols(sample, len(sound)) for sample, sound in zip(read, sounds, strict=True)]
        return Batch(
            ids=nothing.ids,
            positions=nothing.positions,
            segments=nothing.segments,
            tiles=nothing.tiles,
            sounds=torch.cat(sounds),
            sound_lengths=tuple(map(len, sounds)),
            symbols=torch.tensor(list(chain(*said)), dtype=torch.int64),
            symbol_lengths=tuple(map(len, said)),
            keys=tuple(sample.key for sample in read),
        )

    def _symbols(self, sample: Sample, length: int) -> Sequence[int]:
        text = " ".join(turn["value"] for turn in sample.record["conversations"] if turn["from"] == "gpt")
        symbols = self.characters.encode(text)
        try:
            check_frames(symbols, encoder_frames(length))
        except RecordError as error:
            raise ShardError(f"{sample.key}: {error}") from None
        return symbols

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
from vita_model.batch.decode import Decode, decode
from vita_model.batch.encode import HEARD_RATE, Encoder
from vita_model.batch.left_out import LeftOut
from vita_model.batch.sounds import waveform
from vita_model.nets.batch import Batch, modality


class Reader(Protocol):
    """Reads the samples of a pack and makes a batch of them; without a pack one that teaches nothing."""

    geometry: Geometry
    left_out: LeftOut

    def batch(self, stage: Stage, pack: Pack | None) -> Batch:
        """The pack of this stage, or of its held-out part."""
        ...


class Conversations:
    """Whole conversations for the language model, and states of what is heard where they are learned."""

    def __init__(self, encoder: Encoder, states: bool = False) -> None:
        self.encoder = encoder
        self.geometry = encoder.geometry
        self.left_out = LeftOut()
        self.states = states

    def batch(self, stage: Stage, pack: Pack | None) -> Batch:
        """The samples of a pack in one sequence."""
        found = self.left_out.kept(stage, pack, self.encoder.encode) if pack else []
        return collate(found, self.states) if found else empty(self.geometry.tile_pixels)


class Transcripts:
    """Sounds and the characters of what is said in them, for the speech encoder alone."""

    def __init__(self, characters: Characters, geometry: Geometry, by: Decode = decode) -> None:
        self.characters = characters
        self.geometry = geometry
        self.left_out = LeftOut()
        self.by = by

    def batch(self, stage: Stage, pack: Pack | None) -> Batch:
        """The sounds of a pack, one after the other; ShardError names one that is too short for its transcript."""
        nothing = empty(self.geometry.tile_pixels)
        found = self.left_out.kept(stage, pack, self._heard) if pack else []
        if not found:
            return nothing
        keys, sounds, said = zip(*found, strict=True)
        return Batch(
            ids=nothing.ids,
            positions=nothing.positions,
            segments=nothing.segments,
            tiles=nothing.tiles,
            sounds=torch.cat(sounds),
            sound_lengths=tuple(map(len, sounds)),
            symbols=torch.tensor(list(chain(*said)), dtype=torch.int64),
            symbol_lengths=tuple(map(len, said)),
            keys=keys,
            holds=(modality(audio=True),) * len(keys),
        )

    def _heard(self, sample: Sample) -> tuple[str, torch.Tensor, Sequence[int]]:
        """Key, waveform and symbols of a clip."""
        if not sample.media:
            raise ShardError(f"{sample.key} holds no sound; build the stage again with this version.")
        sound = waveform(sample.media[0], HEARD_RATE, sample.key, self.by)
        if not encoder_frames(len(sound)):
            raise ShardError(
                f"{sample.key}: its sound of {len(sound)} samples is too short to be heard as anything; "
                "build the stage again with this version."
            )
        return sample.key, sound, self._symbols(sample, len(sound))

    def _symbols(self, sample: Sample, length: int) -> Sequence[int]:
        text = " ".join(turn["value"] for turn in sample.record["conversations"] if turn["from"] == "gpt")
        symbols = self.characters.encode(text)
        try:
            check_frames(symbols, encoder_frames(length))
        except RecordError as error:
            raise ShardError(f"{sample.key}: {error}") from None
        return symbols

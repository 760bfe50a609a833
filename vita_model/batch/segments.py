"""Segments of clips for the codec: one to make anew and another of the same utterance, drawn by their place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

import torch
from torch.nn import functional

from vita_data.errors import ShardError
from vita_data.records.key import keyed_hash
from vita_data.shards.read import Place, Stage
from vita_model.batch.decode import Decode, decode
from vita_model.batch.left_out import LeftOut
from vita_model.batch.sounds import waveform


@dataclass(frozen=True)
class Segments:
    """N segments and as many others of the same utterances, float32 (N, 1, samples), with the keys of their clips."""

    segments: torch.Tensor
    others: torch.Tensor
    keys: tuple[str, ...]

    def to(self, device: torch.device) -> Segments:
        """The same on a device."""
        return Segments(self.segments.to(device), self.others.to(device), self.keys)


@dataclass(frozen=True)
class Cut:
    """How segments are cut: so many samples at that rate, where `seed` draws them."""

    samples: int
    rate: int
    seed: int
    by: Decode = decode
    left_out: LeftOut = field(default_factory=LeftOut)

    def batch(self, stage: Stage, step: int, drawn: Iterable[tuple[int, Place]]) -> Segments:
        """A segment and another of the clip at each slot of a step; neither depends on anything else.

        The slot of a clip that is left out goes to the others in turn, since a step has as many segments as any.
        """
        slots, places = zip(*drawn, strict=True)
        read = partial(clip, stage, rate=self.rate, by=self.by)
        tried = [(place.key, self.left_out.tried(stage, place, read)) for place in places]
        sounds = [(key, sound) for key, sound in tried if sound is not None]
        if not sounds:
            raise ShardError(f"step {step}: none of its clips can be read, {places[0].key} among them.")
        pairs, keys = [], []
        for number, (slot, (key, sound)) in enumerate(zip(slots, tried, strict=True)):
            if sound is None:
                key, sound = sounds[number % len(sounds)]
            names = str(step), str(slot), key
            pairs.append([self._one(sound, what, *names) for what in ("segment", "other-segment")])
            keys.append(key)
        segments, others = (torch.stack(column)[:, None] for column in zip(*pairs, strict=True))
        return Segments(segments, others, tuple(keys))

    def _one(self, sound: torch.Tensor, purpose: str, *names: str) -> torch.Tensor:
        first = keyed_hash(self.seed, purpose, *names) % (max(len(sound) - self.samples, 0) + 1)
        found = sound[first : first + self.samples]
        return functional.pad(found, (0, self.samples - len(found)))


def clip(stage: Stage, place: Place, rate: int, by: Decode = decode) -> torch.Tensor:
    """The waveform (samples,) of the clip at a place; ShardError for a sample without one."""
    media = stage.sample(place.shard, place.row).media
    if not media:
        raise ShardError(
            f"{place.key} holds no sound; run `vita-data prove` on the stage, or build it again."
        )
    return waveform(media[0], rate, place.key, by)

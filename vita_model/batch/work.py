"""What a pack costs to train on, by its stage's index: no media are read."""

from __future__ import annotations

import numpy

from vita_data.shards.read import Pack, Stage

# Hundredths of a token of text. A token of a picture also stands for its share of the vision tower, one of sound
# for the encoder's: so much more are the operations that `vita_model.cost` counts in the released sizes.
TEXT, SEEN, HEARD = 100, 117, 101


class Work:
    """The cost of packs of a stage, in hundredths of a token of text; each shard's index is read at first use.

    The same for every model and every half of a stage, so that the order of a training follows from its stage.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._shards: dict[int, numpy.ndarray] = {}

    def __call__(self, pack: Pack) -> int:
        """The cost of a pack, the sum over its samples."""
        return sum(int(self._rows(place.shard)[place.row]) for place in pack.samples)

    def _rows(self, shard: int) -> numpy.ndarray:
        if shard not in self._shards:
            table = self._stage.shard(shard).table
            length, seen, heard = (
                table.column(name).to_numpy() for name in ("length", "visual_tokens", "audio_tokens")
            )
            self._shards[shard] = TEXT * length + (SEEN - TEXT) * seen + (HEARD - TEXT) * heard
        return self._shards[shard]

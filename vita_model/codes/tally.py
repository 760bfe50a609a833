"""What the tables of a stage's codes hold together: tokens, how many codes are in use, and the ordinary voice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vita_model.batch.codes import read_codes


@dataclass(frozen=True)
class Tally:
    """Utterances by `keys`, their global codes voices (N, G), and how often each frame code was used, uses (codes,)."""

    keys: list[str]
    voices: Any
    uses: Any

    def to_json(self) -> dict[str, Any]:
        """Utterances, tokens, and the codes in use: their number and their perplexity."""
        shares = self.uses[self.uses > 0] / max(1, self.uses.sum())
        perplexity = float(np.exp(-(shares * np.log(shares)).sum()))
        return {
            "utterances": len(self.keys),
            "tokens": int(self.uses.sum()),
            "codes_used": len(shares),
            "perplexity": round(perplexity, 3),
        }

    def typical_voice(self) -> tuple[str, list[int]]:
        """(key, global codes) of the utterance whose codes most others have too, the first of equals."""
        common = sum(np.bincount(column)[column] for column in self.voices.T.astype(np.int64))
        row = int(np.argmax(common))
        return self.keys[row], self.voices[row].tolist()


def tally(paths: Sequence[str]) -> Tally:
    """The tables at these paths, counted."""
    keys: list[str] = []
    voices: list[Any] = []
    uses = np.zeros(0, np.int64)
    for path in paths:
        table = read_codes(path)
        keys += table.column("key").to_pylist()
        voices += table.column("global_codes").to_pylist()
        found = np.bincount(
            table.column("frame_codes").combine_chunks().flatten().to_numpy().astype(np.int64)
        )
        uses = np.pad(uses, (0, max(0, len(found) - len(uses))))
        uses[: len(found)] += found
    return Tally(keys, np.array(voices, np.int64), uses)

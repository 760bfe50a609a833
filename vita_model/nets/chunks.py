"""Which frames of speech see each other: all of them, or each its own chunk and some chunks before."""

from __future__ import annotations

from dataclasses import dataclass

import torch

LARGEST_DRAWN = 25


@dataclass(frozen=True)
class Chunks:
    """`size` frames a chunk, 0 for one that holds the whole clip; `left` chunks before, -1 for all of them."""

    size: int = 0
    left: int = -1

    @property
    def past(self) -> int | None:
        """How many frames before its chunk a frame sees; None for all."""
        return None if self.left < 0 else self.left * self.size

    def mask(self, frames: int, device: torch.device) -> torch.Tensor | None:
        """True (frames, frames) where a query (row) sees a key; None where all see all."""
        if self.size == 0 or self.size >= frames:
            return None
        chunk = torch.arange(frames, device=device) // self.size
        behind = chunk[:, None] - chunk[None, :]
        return (behind >= 0) if self.left < 0 else (behind >= 0) & (behind <= self.left)


def draw_chunks(frames: int) -> Chunks:
    """Chunks for one batch in training, drawn by torch's generator, so that one model learns many delays.

    In half of the draws everything, else 1 to 25 frames a chunk and any number of chunks before. Zhang et al.,
    "Unified streaming and non-streaming two-pass end-to-end model for speech recognition" (2020).
    """
    size = _draw(1, max(frames, 1))
    if size > frames // 2:
        return Chunks()
    size = size % LARGEST_DRAWN + 1
    return Chunks(size, _draw(0, (frames - 1) // size))


def _draw(least: int, most: int) -> int:
    return int(torch.randint(least, most + 1, ()))

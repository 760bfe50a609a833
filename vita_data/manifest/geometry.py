"""Geometry: how long things become when a model reads them, as a mixture names it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from vita_data.manifest.values import Count, Positive, Text
from vita_data.records.key import digest_of

MOST_TILES = 127  # a grid's sides are one byte each in the index


@dataclass(frozen=True)
class Geometry:
    """Tokenizer, tiles, frames and rates of one model family; the defaults are the paper's.

    Pixels are the side of a square tile; rates are tokens a second; `max_length` counts tokens of a
    training sequence. Source: the model's released configuration and section 3 of its paper.
    """

    tokenizer: Text = "qwen2.5"
    tile_pixels: Count = 448
    tile_tokens: Count = 256
    max_tiles: Count = 12
    thumbnail: bool = True
    max_frames: Count = 16
    min_frames: Count = 4
    audio_rate: Positive = 12.5
    codec_rate: Positive = 40.0
    max_length: Count = 6200

    def complaint(self) -> tuple[str, str] | None:
        """What the keys of a card do not show one by one."""
        if self.max_tiles > MOST_TILES:
            return (
                "max_tiles",
                f"max_tiles {self.max_tiles} is above {MOST_TILES}; write {MOST_TILES} or less",
            )
        if self.min_frames > self.max_frames:
            return (
                "min_frames",
                f"min_frames {self.min_frames} is above max_frames; write {self.max_frames} or less",
            )
        return None

    def digest(self) -> str:
        """Sixteen hex digits that change whenever a length could."""
        return digest_of("geometry", asdict(self))

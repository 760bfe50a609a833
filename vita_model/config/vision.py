"""Dimensions of the vision tower."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class VisionConfig:
    """The vision tower; pixels are the side of a tile, `downsample` the tiles' pixel-shuffle factor.

    The defaults are InternViT-300M-448px.
    """

    hidden: int = 1024
    layers: int = 24
    heads: int = 16
    intermediate: int = 4096
    tile_pixels: int = 448
    patch_pixels: int = 14
    layer_scale: float = 1.0
    drop_path: float = 0.1
    feature_scale: float = 0.5
    downsample: int = 2

    @property
    def tokens_per_tile(self) -> int:
        """How many vectors a tile becomes after the pixel shuffle."""
        return (self.tile_pixels // self.patch_pixels // self.downsample) ** 2

    @property
    def features(self) -> int:
        """The width of a tile's vectors before the projector."""
        return self.hidden * self.downsample**2

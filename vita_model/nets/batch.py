"""What the model is fed: one packed sequence as tensors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch


@dataclass(frozen=True)
class Batch:
    """One pack. T tokens in S samples, K tiles, L labelled places; all bounds and places count from 0.

    ids (T,) int64, with 0 where a tile's vectors go; tile_places (K * tokens a tile,) int64, in tile order;
    tiles (K, 3, px, px) uint8; segments are the S + 1 bounds of the samples; positions (T,) restart in each;
    loss_places (L,) are where a next token is predicted, targets (L,) what it is. `keys` names the samples,
    for people.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    segments: tuple[int, ...]
    tiles: torch.Tensor
    tile_places: torch.Tensor
    loss_places: torch.Tensor
    targets: torch.Tensor
    keys: tuple[str, ...] = ()

    @property
    def tokens(self) -> int:
        """The length of the packed sequence."""
        return len(self.ids)

    @property
    def labelled(self) -> int:
        """How many tokens carry loss."""
        return len(self.targets)

    def to(self, device: torch.device) -> Batch:
        """The same batch with its tensors on a device."""
        moved = {
            name: getattr(self, name).to(device, non_blocking=True)
            for name in ("ids", "positions", "tiles", "tile_places", "loss_places", "targets")
        }
        return replace(self, **moved)

"""The projector: what carries a tile's vectors into the language model's space."""

from __future__ import annotations

from torch import nn


class Projector(nn.Sequential):
    """Linear, GELU, Linear, both with bias and without a norm (the released model's layout).

    (N, tokens, features) -> (N, tokens, hidden).
    """

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__(nn.Linear(features, hidden), nn.GELU(), nn.Linear(hidden, hidden))

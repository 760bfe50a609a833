"""What the Whale encoder is built of: the convolutions that thin frames out, and blocks that attend.

A block's attention scores a key by its content and by its absolute place (Dai et al., "Transformer-XL", 2019,
section 3.3, without the shift that would make places relative): (q + u) k + (q + v) p. As q is in both terms this
is (q + u)(k + p) + (v - u) p, one fused attention with one more column, for (v - u) p needs no query.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn
from torch.nn import functional

from vita_model.config.speech import EncoderConfig
from vita_model.nets.laid import lay, pick

SUBSAMPLING = 4
ROUND = 128  # frames; a CPU makes and keeps a kernel for every shape of a convolution, so few shapes are asked for
SEEN = 7  # filter-bank frames that one row sees before the blocks
ALIGNED = 8  # head widths that GPU kernels take as they are


class Subsampling(nn.Module):
    """Two 3x3 convolutions of stride 2 over time and mel, then a Linear: one frame of four, seven seen by each."""

    def __init__(self, mel_bins: int, hidden: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, hidden, 3, 2)
        self.second = nn.Conv2d(hidden, hidden, 3, 2)
        self.out = nn.Linear(((mel_bins - 1) // 2 - 1) // 2 * hidden, hidden)

    def forward(
        self, frames: torch.Tensor, lengths: tuple[int, ...], counts: tuple[int, ...]
    ) -> torch.Tensor:
        """(sum of lengths, mel_bins) of clips -> (sum of counts, hidden)."""
        slots = tuple(SUBSAMPLING * max(2, -(-length // SUBSAMPLING)) for length in lengths)
        laid = lay(frames, lengths, slots)
        if self.training:
            laid = functional.pad(laid, (0, 0, 0, -len(laid) % ROUND))
        planes = self.first(laid[None, None]).relu()
        planes = self.second(planes).relu()[0].transpose(0, 1)
        hidden: torch.Tensor = self.out(pick(planes.flatten(1), slots, SUBSAMPLING, counts))
        return hidden


class Embedding(nn.Module):
    """Linear, LayerNorm, Dropout, ReLU, times the square root of the width: (R, hidden) -> (R, hidden)."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.linear = nn.Linear(config.hidden, config.hidden)
        self.norm = nn.LayerNorm(config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.scale = config.hidden**0.5

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """A place is not added here: every block scores places by itself."""
        embedded = self.dropout(self.norm(self.linear(hidden))).relu() * self.scale
        return self.dropout(embedded)  # type: ignore[no-any-return]


class Past(Protocol):
    """What a stream remembers of one block."""

    def extend(self, key: torch.Tensor, value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The keys and values that these frames see: those of the past, then their own."""


@dataclass(frozen=True)
class Clips:
    """How rows belong to clips: frames of each, sinusoids (longest, hidden) of their places, a mask for each."""

    frames: tuple[int, ...]
    places: torch.Tensor
    masks: tuple[torch.Tensor | None, ...]

    def laid(self, of_places: torch.Tensor) -> torch.Tensor:
        """(longest, C) of each place -> (R, C) of each row."""
        return torch.cat([of_places[:count] for count in self.frames])


class Attention(nn.Module):
    """Each clip attends to itself; no row of another clip enters its arithmetic."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        width = config.hidden // config.heads
        self.heads, self.dropout = config.heads, config.attention_dropout
        self.query = nn.Linear(config.hidden, config.hidden)
        self.key = nn.Linear(config.hidden, config.hidden)
        self.value = nn.Linear(config.hidden, config.hidden)
        self.out = nn.Linear(config.hidden, config.hidden)
        self.place = nn.Linear(config.hidden, config.hidden, bias=False)
        self.content_bias = nn.Parameter(torch.empty(config.heads, width))
        self.place_bias = nn.Parameter(torch.empty(config.heads, width))
        nn.init.xavier_uniform_(self.content_bias)
        nn.init.xavier_uniform_(self.place_bias)

    def forward(self, hidden: torch.Tensor, clips: Clips, past: Past | None = None) -> torch.Tensor:
        """(R, hidden) -> (R, hidden)."""
        query, key, value = self._projected(hidden, clips)
        if past is not None:
            key, value = past.extend(key, value)
        counts = clips.frames if past is None else (key.shape[2],)
        width = self.content_bias.shape[1]
        pieces = [
            functional.scaled_dot_product_attention(
                queries, keys, values, mask, self.dropout if self.training else 0.0, scale=width**-0.5
            )
            for queries, keys, values, mask in zip(
                query.split(clips.frames, dim=2),
                key.split(counts, dim=2),
                value.split(counts, dim=2),
                clips.masks,
                strict=True,
            )
        ]
        found = torch.cat(pieces, dim=2)[..., :width][0]
        mixed: torch.Tensor = self.out(found.transpose(0, 1).flatten(1))
        return mixed

    def _projected(self, hidden: torch.Tensor, clips: Clips) -> tuple[torch.Tensor, ...]:
        """Queries q + u and a column of ones, keys k + p and (v - u) p, values; (1, heads, R, width) each."""
        query, key, value = (
            layer(hidden).unflatten(1, (self.heads, -1)) for layer in (self.query, self.key, self.value)
        )
        places = self.place(clips.places).unflatten(1, (self.heads, -1))
        preference = ((self.place_bias - self.content_bias) * places).sum(-1, keepdim=True)
        key = torch.cat((key + clips.laid(places), clips.laid(preference)), dim=-1)
        more = -key.shape[-1] % ALIGNED
        query = functional.pad(query + self.content_bias, (0, 1 + more), value=1.0)
        key, value = functional.pad(key, (0, more)), functional.pad(value, (0, 1 + more))
        return tuple(tensor.transpose(0, 1)[None] for tensor in (query, key, value))


class Block(nn.Module):
    """Attention and a ReLU feed-forward, each behind its LayerNorm and beside a skip."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.hidden)
        self.attention = Attention(config)
        self.feed_forward_norm = nn.LayerNorm(config.hidden)
        self.widen = nn.Linear(config.hidden, config.intermediate)
        self.narrow = nn.Linear(config.intermediate, config.hidden)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, hidden: torch.Tensor, clips: Clips, past: Past | None = None) -> torch.Tensor:
        """(R, hidden) -> (R, hidden)."""
        hidden = hidden + self.dropout(self.attention(self.attention_norm(hidden), clips, past))
        widened = self.dropout(self.widen(self.feed_forward_norm(hidden)).relu())
        return hidden + self.dropout(self.narrow(widened))  # type: ignore[no-any-return]

"""Attention in a packed sequence: each segment attends to its own past and to nothing else.

Positions that restart do not isolate samples by themselves, so the bounds of the segments travel as an
argument down to one attention function. On a GPU in half precision that is torch's variable-length flash
kernel. Elsewhere it loops over segments with the fused causal kernel, which on a CPU is several times faster
than one call with a dense block mask, and exact: no other sample's values enter a segment's arithmetic at all.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch.nn import functional
from transformers.modeling_utils import AttentionInterface

NAME = "packed_segments"
HALF = (torch.float16, torch.bfloat16)


def packed_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    segments: tuple[int, ...] = (),
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention inside each segment of one packed sequence.

    query is (1, heads, T, D), key and value (1, kv_heads, S, D). `segments` are the bounds 0 = s0 < s1 < ... = T =
    S; without them the T queries are the last of one sequence of S keys, as in generation from a cache.
    Returns (1, T, heads, D) and no weights. `attention_mask` must be None: bounds replace it.
    """
    count = query.shape[2]
    if attention_mask is not None or (segments and (segments[0] != 0 or segments[-1] != count)):
        raise ValueError("packed attention takes segment bounds from 0 to the sequence's end and no mask")
    if not segments:
        return _last_of(query, key, value, scaling), None
    if query.is_cuda and query.dtype in HALF and dropout == 0.0:
        return varlen(query, key, value, segments, scaling), None
    key, value = _for_all_heads(query, key), _for_all_heads(query, value)
    pieces = [
        functional.scaled_dot_product_attention(
            query[:, :, first:last],
            key[:, :, first:last],
            value[:, :, first:last],
            dropout_p=dropout,
            is_causal=True,
            scale=scaling,
        )
        for first, last in pairwise(segments)
    ]
    return torch.cat(pieces, dim=2).transpose(1, 2), None


def varlen(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    segments: tuple[int, ...],
    scaling: float | None,
) -> torch.Tensor:
    """The same by torch's variable-length flash attention, which runs on GPUs in half precision only."""
    from torch.nn.attention.varlen import varlen_attn

    longest = max(last - first for first, last in pairwise(segments))
    bounds = torch.tensor(segments, dtype=torch.int32, device=query.device)
    rows = [tensor[0].transpose(0, 1).contiguous() for tensor in (query, key, value)]
    found = varlen_attn(
        rows[0],
        rows[1],
        rows[2],
        bounds,
        bounds,
        longest,
        longest,
        scale=scaling,
        window_size=(-1, 0),
        enable_gqa=query.shape[1] != key.shape[1],
    )
    assert isinstance(found, torch.Tensor)  # a tuple only where auxiliary outputs are asked for
    return found[None]


def _last_of(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float | None
) -> torch.Tensor:
    """Attention of the last queries of a sequence to all its keys, each to itself and those before it."""
    count, known = query.shape[2], key.shape[2]
    visible = torch.ones(count, known, dtype=torch.bool, device=query.device).tril(known - count)
    found = functional.scaled_dot_product_attention(
        query, _for_all_heads(query, key), _for_all_heads(query, value), attn_mask=visible, scale=scaling
    )
    return found.transpose(1, 2)


def _for_all_heads(query: torch.Tensor, shared: torch.Tensor) -> torch.Tensor:
    groups = query.shape[1] // shared.shape[1]
    return shared if groups == 1 else shared.repeat_interleave(groups, dim=1)


def register() -> str:
    """Makes the function known to transformers and returns the name to ask for it by."""
    AttentionInterface.register(NAME, packed_attention)
    return NAME

"""Attention under masks that are always spelt out: one for each utterance of a concatenated sequence.

An attention call without a mask means "everything" to one kernel and "the past" to another, so nothing here is
left to a kernel: a mask says of every query which keys it sees. Utterances lie one after another without padding
and none of them enters another's arithmetic.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional
from transformers.modeling_utils import AttentionInterface

NAME = "visible_masks"


def everything(queries: int, keys: int, device: torch.device) -> torch.Tensor:
    """A mask (queries, keys) under which each query sees each key."""
    return torch.ones(queries, keys, dtype=torch.bool, device=device)


def after_a_prefix(prefix: int, length: int, device: torch.device) -> torch.Tensor:
    """A mask (length, length): the first `prefix` places see each other, every later one its past and itself."""
    mask = everything(length, length, device).tril()
    mask[:prefix, :prefix] = True
    return mask


def visible_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    visible: tuple[torch.Tensor, ...] = (),
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of each utterance's queries to its own keys, under its own mask.

    query is (1, heads, Q, D), key and value (1, kv_heads, K, D); the masks, true where a query sees a key, are
    (q_i, k_i) with sums Q and K. Returns (1, Q, heads, D) and no weights. `attention_mask` must be None.
    """
    if attention_mask is not None:
        raise ValueError("visible attention takes one mask for each utterance and no mask over all of them")
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = (tensor.repeat_interleave(groups, dim=1) for tensor in (key, value))
    rows, columns = ([mask.shape[side] for mask in visible] for side in (0, 1))
    pieces = [
        functional.scaled_dot_product_attention(
            asked, keys, values, attn_mask=mask, dropout_p=dropout, scale=scaling
        )
        for asked, keys, values, mask in zip(
            query.split(rows, dim=2),
            key.split(columns, dim=2),
            value.split(columns, dim=2),
            visible,
            strict=True,
        )
    ]
    return torch.cat(pieces, dim=2).transpose(1, 2), None


def register() -> str:
    """Makes the function known to transformers and returns the name to ask for it by."""
    AttentionInterface.register(NAME, visible_attention)
    return NAME

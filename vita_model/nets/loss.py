"""The language model's head and its loss, with logits only where there is a label, a chunk at a time.

At 6,200 tokens and 152,064 classes all logits in fp32 are 3.8 GB, and plain autograd keeps them. Here a
chunk's logits live only while its loss is taken; backward makes them again: one matrix product more. Where one
chunk holds them all, backward has them still.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

CHUNK_LOGITS = 1 << 25  # 128 MB in fp32; backward holds three such tensors at a time
VOCABULARY_SLICE = 16384


def _rows(weight: torch.Tensor) -> int:
    """How many rows are taken at a time."""
    return max(CHUNK_LOGITS // len(weight), 1)


def _logits(hidden: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """fp32 logits; a weight of lower precision is widened a slice at a time, never as a whole."""
    if weight.dtype == torch.float32:
        return functional.linear(hidden.float(), weight)
    return torch.cat(
        [functional.linear(hidden.float(), rows.float()) for rows in weight.split(VOCABULARY_SLICE)], dim=-1
    )


class ChunkedCrossEntropy(torch.autograd.Function):
    """Cross entropy of hidden states (N, D) against targets (N,) through a weight (V, D), one by one."""

    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """-log softmax(hidden @ weight.T)[target] of each row, float32 (N,)."""
        size = _rows(weight)
        kept: tuple[torch.Tensor, ...] = ()
        found = torch.zeros(len(hidden), dtype=torch.float32, device=hidden.device)
        for first in range(0, len(hidden), size):
            chunk = slice(first, first + size)
            logits = _logits(hidden[chunk], weight)
            found[chunk] = functional.cross_entropy(logits, targets[chunk], reduction="none")
            kept = (logits,) if len(hidden) <= size else ()
        ctx.save_for_backward(hidden, weight, targets, *kept)
        return found

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[torch.Tensor | None, ...]:
        """softmax - one-hot, times the incoming gradients, through the weight and onto it."""
        hidden, weight, targets, *kept = ctx.saved_tensors
        wants_hidden, wants_weight, _ = ctx.needs_input_grad
        to_hidden = torch.zeros_like(hidden) if wants_hidden else None
        to_weight = torch.zeros_like(weight, dtype=torch.float32) if wants_weight else None
        size = _rows(weight)
        for first in range(0, len(hidden), size):
            rows, wanted = hidden[first : first + size], targets[first : first + size]
            slope = torch.softmax(kept[0] if kept else _logits(rows, weight), dim=-1)
            slope[torch.arange(len(wanted), device=wanted.device), wanted] -= 1.0
            slope *= grads[0][first : first + size, None]
            if to_hidden is not None:
                to_hidden[first : first + size] = slope.to(weight.dtype) @ weight
            if to_weight is not None:
                to_weight.addmm_(slope.T, rows.float())
        return to_hidden, None if to_weight is None else to_weight.to(weight.dtype), None


class LanguageHead(nn.Linear):
    """The output projection, which is asked for a loss, so that sharded weights are gathered once a pass."""

    def __init__(self, hidden: int, vocabulary: int) -> None:
        super().__init__(hidden, vocabulary, bias=False)
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, hidden: torch.Tensor, targets: torch.Tensor | None = None) -> torch.Tensor:
        """Losses (N,) of (N, D) against (N,); without targets the fp32 logits (N, V)."""
        if targets is None:
            return _logits(hidden, self.weight)
        return ChunkedCrossEntropy.apply(hidden, self.weight, targets)  # type: ignore[no-untyped-call, no-any-return]

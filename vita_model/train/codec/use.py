"""How much of its codebooks a codec uses, over the answers of all ranks."""

from __future__ import annotations

from typing import Any

import torch
from torch import distributed

from vita_model.nets.codec.codebook import code_use
from vita_model.nets.codec.codec import Codec
from vita_model.nets.codec.quantiser import Quantised


def counts_of(codec: Codec, frame_codes: torch.Tensor, global_codes: torch.Tensor) -> torch.Tensor:
    """How often each code is among the answers: int64 (1 + G, codes), frames first.

    `frame_codes` are of any shape, `global_codes` (..., G).
    """
    books: list[Any] = list(codec.quantiser.voice)
    columns = zip(books, global_codes.flatten(0, -2).unbind(1), strict=True)
    return torch.stack(
        [codec.quantiser.frames.count(frame_codes), *(book.count(codes) for book, codes in columns)]
    )


def use_of(codec: Codec, quantised: Quantised) -> dict[str, float]:
    """Perplexity and share of the codes that a batch used on all ranks; all of them call it."""
    return told(counts_of(codec, quantised.frame_codes, quantised.global_codes))


def told(counts: torch.Tensor) -> dict[str, float]:
    """Perplexity and share of the codes in use by these counts of all ranks, the global codebooks' as a mean."""
    distributed.all_reduce(counts)
    perplexity, share = code_use(counts)
    return {
        "frame_perplexity": float(perplexity[0]),
        "frame_share": float(share[0]),
        "global_perplexity": float(perplexity[1:].mean()),
        "global_share": float(share[1:].mean()),
    }

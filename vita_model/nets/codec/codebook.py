"""A codebook: the nearest of its vectors, and what keeps all of them in use."""

from __future__ import annotations

import torch
from torch import distributed, nn
from torch.nn import functional

from vita_model.nets.precision import as_given


class Codebook(nn.Module):
    """`codes` vectors of `width` numbers, moved by gradients (van den Oord et al. 2017, without averages).

    `idle` counts, for each code, how often the codebook was asked since that code last was the answer; it is
    part of a checkpoint. Once that is more than `restart_after` times the codebook's size, the code is restarted
    (0: never): measured in questions, not in steps, one number fits any batch and any number of ranks.
    What a step asks is noted by `forward` while training and settled by `refresh`.
    """

    idle: torch.Tensor

    def __init__(self, codes: int, width: int, restart_after: int) -> None:
        super().__init__()
        self.vectors = nn.Parameter(torch.empty(codes, width).uniform_(-1.0 / codes, 1.0 / codes))
        self.register_buffer("idle", torch.zeros(codes, dtype=torch.int64))
        self._restart_after = restart_after
        self._counts: torch.Tensor | None = None
        self._asked: torch.Tensor | None = None

    def forward(self, asked: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows (M, width) -> the nearest vectors (M, width), whose gradient is the codebook's, and codes (M,)."""
        codes = self.nearest(asked)
        if self._restart_after and self.training and torch.is_grad_enabled():
            counts = self.count(codes)
            self._counts = counts if self._counts is None else self._counts + counts
            self._asked = asked.detach()
        return functional.embedding(codes, self.vectors), codes

    @torch.no_grad()
    def nearest(self, asked: torch.Tensor) -> torch.Tensor:
        """Codes (M,) at the least Euclidean distance, in fp32 whatever the precision around; ties to the first."""
        with as_given(asked.device):
            vectors = self.vectors.float()
            # The square of the row itself is the same for every code and would only cost precision.
            return (vectors.square().sum(1) - 2.0 * asked.float() @ vectors.T).argmin(1)

    def count(self, codes: torch.Tensor) -> torch.Tensor:
        """How often each code is the answer, (codes,) int64."""
        return torch.bincount(codes.flatten(), minlength=len(self.vectors))

    @torch.no_grad()
    def refresh(self, random: torch.Generator) -> torch.Tensor:
        """Settles a step and moves codes that fell out of use to vectors that were asked; returns their numbers.

        Rank 0 draws the places, without repeats, among what it asked last; so all ranks call this, or none.
        The optimiser's moments of the rows returned are the caller's to clear.
        """
        asked = self.vectors[:0] if self._asked is None else self._asked
        counts = torch.zeros_like(self.idle) if self._counts is None else self._counts
        self._counts = self._asked = None
        if _together():
            distributed.all_reduce(counts)
        self.idle.copy_(torch.where(counts > 0, 0, self.idle + counts.sum()))
        limit = self._restart_after * len(self.idle) if self._restart_after else self.idle.max()
        unused = self.idle.argsort(descending=True, stable=True)[: int((self.idle > limit).sum())]
        places = self._places(asked, len(unused), random)
        restarted = unused[: len(places)]
        self.vectors[restarted] = places
        self.idle[restarted] = 0
        return restarted

    def _places(self, asked: torch.Tensor, wanted: int, random: torch.Generator) -> torch.Tensor:
        drawn = torch.randperm(len(asked), generator=random)[:wanted].to(asked.device)
        places = self.vectors.new_zeros(wanted, self.vectors.shape[1])
        places[: len(drawn)] = asked[drawn].to(places.dtype)
        found = torch.tensor(len(drawn), device=places.device)
        if wanted and _together():
            distributed.broadcast(found, 0)
            distributed.broadcast(places, 0)
        return places[: int(found)]


def code_use(counts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Perplexity of the answers, from 1 to the number of codes, and the share of codes among them.

    `counts` is (..., codes); both are (...), and perplexity 1 where nothing was asked.
    """
    shares = counts / counts.sum(-1, keepdim=True).clamp(min=1)
    return torch.special.entr(shares).sum(-1).exp(), (counts > 0).float().mean(-1)


def _together() -> bool:
    return distributed.is_available() and distributed.is_initialized()

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
        """What N segments ask, (N, ..., width) -> the nearest vectors, whose gradient is the codebook's, and codes."""
        rows = asked.flatten(0, -2)
        codes = self.nearest(rows)
        if self._restart_after and self.training and torch.is_grad_enabled():
            counts = self.count(codes)
            self._counts = counts if self._counts is None else self._counts + counts
            self._asked = rows.detach().unflatten(0, (len(asked), -1))
        return functional.embedding(codes, self.vectors).view_as(asked), codes.view(asked.shape[:-1])

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

        The places are drawn without repeats among what the last global batch asked, so all ranks call this, with
        equal seeds. The optimiser's moments of the rows returned are the caller's to clear.
        """
        asked = self.vectors[:0, None] if self._asked is None else self._asked
        counts = torch.zeros_like(self.idle) if self._counts is None else self._counts
        self._counts = self._asked = None
        _add_up(counts)
        self.idle.copy_(torch.where(counts > 0, 0, self.idle + counts.sum()))
        limit = self._restart_after * len(self.idle) if self._restart_after else self.idle.max()
        unused = self.idle.argsort(descending=True, stable=True)[: int((self.idle > limit).sum())]
        if len(unused):
            places = self._places(asked, len(unused), random)
            unused = unused[: len(places)]
            self.vectors[unused] = places
            self.idle[unused] = 0
        return unused

    def _places(self, asked: torch.Tensor, wanted: int, random: torch.Generator) -> torch.Tensor:
        """Rows drawn from the global batch, whose slot i lies on rank i mod world size; every rank gives its own."""
        rank, world = (distributed.get_rank(), distributed.get_world_size()) if _together() else (0, 1)
        segments, rows = torch.tensor(len(asked), device=asked.device), asked.shape[1]
        _add_up(segments)
        drawn = torch.randperm(int(segments) * rows, generator=random)[:wanted].to(asked.device)
        slot = drawn // rows
        mine = slot % world == rank
        places = self.vectors.new_zeros(len(drawn), self.vectors.shape[1])
        places[mine] = asked[slot[mine] // world, drawn[mine] % rows].to(places.dtype)
        _add_up(places)
        return places


def code_use(counts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Perplexity of the answers, from 1 to the number of codes, and the share of codes among them.

    `counts` is (..., codes); both are (...), and perplexity 1 where nothing was asked.
    """
    shares = counts / counts.sum(-1, keepdim=True).clamp(min=1)
    return torch.special.entr(shares).sum(-1).exp(), (counts > 0).float().mean(-1)


def _add_up(values: torch.Tensor) -> None:
    if _together():
        distributed.all_reduce(values)


def _together() -> bool:
    return distributed.is_available() and distributed.is_initialized()

"""Generation of text: one conversation in, token ids out, from a cache of keys and values."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import torch
from transformers.cache_utils import DynamicCache

from vita_model.nets.batch import Batch
from vita_model.nets.vita import Vita


@dataclass(frozen=True)
class Sampling:
    """How the next token is taken: the likeliest at temperature 0, else drawn from the `top_p` likeliest mass."""

    temperature: float = 0.0
    top_p: float = 1.0

    def choose(self, logits: torch.Tensor, draw: torch.Generator | None) -> int:
        """A token id of logits (V,)."""
        if self.temperature == 0.0:
            return int(logits.argmax())
        chances = torch.softmax(logits / self.temperature, dim=-1)
        if self.top_p < 1.0:
            ordered, ids = chances.sort(descending=True)
            beyond = ordered.cumsum(0) - ordered >= self.top_p
            chances = chances.scatter(0, ids[beyond], 0.0)
        return int(torch.multinomial(chances, 1, generator=draw))


@torch.no_grad()
def generate(
    model: Vita,
    prompt: Batch,
    most: int,
    stop: Collection[int],
    sampling: Sampling | None = None,
    draw: torch.Generator | None = None,
) -> Iterator[int]:
    """Token ids that follow a prompt of one sample, up to `most`; a `stop` token ends it and is not given.

    The model should be in eval mode. `draw` makes what is drawn repeatable.
    """
    if len(prompt.segments) != 2:
        raise ValueError("generation takes one conversation at a time")
    sampling = sampling or Sampling()
    cache = DynamicCache(config=model.language_model.model.config)
    states = model.language_model.go_on(model.embed(prompt), cache)
    for _ in range(most):
        token = sampling.choose(model.language_model.lm_head(states[-1:])[0], draw)
        if token in stop:
            return
        yield token
        ids = torch.tensor([token], device=prompt.ids.device)
        states = model.language_model.go_on(model.language_model.embed(ids), cache)

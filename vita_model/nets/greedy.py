"""The likeliest answers to many prompts, those of one length together, from one cache of keys and values.

Prompts of equal length need neither padding nor a mask: no other prompt has a say in an answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import torch
from transformers.cache_utils import DynamicCache

from vita_model.nets.language import LanguageModel

TOGETHER = 64


def answers(
    model: LanguageModel, prompts: Sequence[torch.Tensor], most: Sequence[int], stop: Collection[int]
) -> list[list[int]]:
    """Token ids that follow each prompt (T, D) of embeddings, up to its `most`, greedily, in the order given.

    A `stop` token ends an answer and is not given. For a model in eval mode.
    """
    found: list[list[int]] = [[] for _ in prompts]
    for places in _alike([len(prompt) for prompt in prompts]):
        rows = torch.stack([prompts[place] for place in places])
        some = _answers(model, rows, [most[place] for place in places], stop)
        for place, answer in zip(places, some, strict=True):
            found[place] = answer
    return found


def _alike(lengths: list[int]) -> Iterator[list[int]]:
    """The places of prompts of one length, so many at a time."""
    by_length: dict[int, list[int]] = {}
    for place, length in enumerate(lengths):
        by_length.setdefault(length, []).append(place)
    for places in by_length.values():
        yield from (places[first : first + TOGETHER] for first in range(0, len(places), TOGETHER))


@torch.no_grad()
def _answers(
    model: LanguageModel, prompts: torch.Tensor, most: Sequence[int], stop: Collection[int]
) -> list[list[int]]:
    """The same of N prompts (N, T, D) of one length; what has ended is computed no further."""
    cache = DynamicCache(config=model.model.config)
    found: list[list[int]] = [[] for _ in prompts]
    rows = list(range(len(prompts)))
    states = model.go_on(prompts, cache)[:, -1]
    while True:
        tokens = model.lm_head(states).argmax(dim=-1).tolist()
        going = []
        for place, (row, token) in enumerate(zip(rows, tokens, strict=True)):
            if token in stop:
                continue
            found[row].append(token)
            if len(found[row]) < most[row]:
                going.append(place)
        if not going:
            return found
        if len(going) < len(rows):
            cache.batch_select_indices(torch.tensor(going, device=prompts.device))
            rows = [rows[place] for place in going]
        ids = torch.tensor([found[row][-1] for row in rows], device=prompts.device)
        states = model.go_on(model.embed(ids)[:, None], cache)[:, -1]

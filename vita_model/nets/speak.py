"""Speech from text: clauses to codec tokens to sound, each piece as soon as it is certain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import torch

from vita_model.nets.sampling import DEMO, Sampling
from vita_model.nets.vita import Vita

FIRST, THEN = 20, 40  # codec tokens handed on at a time: half a second at once, then a second


@torch.no_grad()
def speak(
    model: Vita,
    clauses: Iterable[Sequence[int]],
    voice: torch.Tensor | None = None,
    sampling: Sampling = DEMO,
    first: int = FIRST,
    then: int = THEN,
) -> Iterator[torch.Tensor]:
    """Pieces (samples,) of a waveform at the codec's rate, for clauses of token ids as they are written.

    `voice` are the codec's global codes (G,), the config's own where none are given. The first clause begins
    with `first` codec tokens, so that sound comes early. The model should be in eval mode.
    """
    device = next(model.codec.parameters()).device
    chosen = torch.tensor(model.config.codec.voice, device=device) if voice is None else voice
    for clause in clauses:
        vectors = model.language_model.embed(torch.tensor(list(clause), device=device))
        sound = model.codec.stream(chosen)
        for codes in model.speech_decoder.stream(vectors, sampling, first, then):
            yield from _heard(sound.push(codes))
        yield from _heard(sound.finish())
        first = then


def _heard(samples: torch.Tensor) -> Iterator[torch.Tensor]:
    if len(samples):
        yield samples

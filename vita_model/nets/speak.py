"""Speech from text: clauses to codec tokens to sound, each piece as soon as it is certain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NewType

import torch

from vita_data.prompt.spoken_text import spoken_text
from vita_data.prompt.tokenizer import Tokenizer
from vita_model.nets.sampling import DEMO, Sampling
from vita_model.nets.vita import Vita

FIRST, THEN = 20, 40  # codec tokens handed on at a time: half a second at once, then a second
Spoken = NewType("Spoken", tuple[int, ...])  # token ids of a clause in the one spelling that was learned


def spoken(clause: str, tokenizer: Tokenizer) -> Spoken:
    """A clause as the speech decoder has learned to read it; no ids where nothing of it can be said."""
    return Spoken(tuple(tokenizer.encode(spoken_text(clause))))


@torch.no_grad()
def speak(
    model: Vita,
    clauses: Iterable[Spoken],
    voice: torch.Tensor | None = None,
    sampling: Sampling = DEMO,
    first: int = FIRST,
    then: int = THEN,
) -> Iterator[torch.Tensor]:
    """Pieces (samples,) of a waveform at the codec's rate, for clauses as they are written.

    `voice` are the codec's global codes (G,), the config's own where none are given. The first clause begins
    with `first` codec tokens, so that sound comes early; one without words is passed over. The model should be in
    eval mode.
    """
    device = next(model.codec.parameters()).device
    chosen = torch.tensor(model.config.codec.voice, device=device) if voice is None else voice
    for clause in filter(None, clauses):
        vectors = model.language_model.embed(torch.tensor(list(clause), device=device))
        sound = model.codec.stream(chosen)
        for codes in model.speech_decoder.stream(vectors, sampling, first, then):
            yield from _heard(sound.push(codes))
        yield from _heard(sound.finish())
        first = then


def _heard(samples: torch.Tensor) -> Iterator[torch.Tensor]:
    if len(samples):
        yield samples

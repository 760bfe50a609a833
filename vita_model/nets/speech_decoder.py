"""The speech decoder: rows of the language model's embedding table in, codec tokens out.

A NAR half reads the text in both directions; an AR half continues what it read with codec tokens, as a prefix
language model. It never sees hidden states, so any text can be spoken, and a clause as soon as it is written.
Utterances lie one after another without padding, so each one's positions have no gaps, in training as in
sampling, whatever else is in the batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import torch
from torch import nn
from torch.nn import functional
from transformers.cache_utils import DynamicCache
from transformers.models.llama.modeling_llama import LlamaRMSNorm

from vita_data.errors import UsageError
from vita_model.config.decoder import DecoderConfig
from vita_model.nets.llama import Blocks
from vita_model.nets.sampling import DEMO, Sampling
from vita_model.nets.visible import after_a_prefix, everything

Lengths = tuple[int, ...]


class CodeHead(nn.Linear):
    """The projection onto codec tokens and specials, in fp32 whatever its weights are kept in."""

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Logits (N, classes) of hidden states (N, width)."""
        return functional.linear(hidden.float(), self.weight.float(), self.bias.float())


class SpeechDecoder(nn.Module):
    """NAR and AR LLaMA blocks, a table of codec tokens and specials, a final norm and a head with bias.

    `llm_hidden` is the width of the text vectors; each is cut into llm_hidden / width vectors (four in the paper).
    Raises UsageError where that is no whole number.
    """

    def __init__(self, config: DecoderConfig, llm_hidden: int) -> None:
        super().__init__()
        if llm_hidden % config.width:
            raise UsageError(
                f"speech decoder: an embedding of {llm_hidden} is no whole number of its vectors of "
                f"{config.width}; choose a width that divides it."
            )
        self.config = config
        self.pieces = llm_hidden // config.width
        self.embedding = nn.Embedding(config.vocabulary, config.width, padding_idx=config.padding)
        self.nar = Blocks(config, config.nar_layers)
        self.ar = Blocks(config, config.layers)
        self.norm = LlamaRMSNorm(config.width, eps=config.norm_epsilon)
        self.head = CodeHead(config.width, config.vocabulary)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)
        nn.init.normal_(self.embedding.weight, std=0.02)
        with torch.no_grad():
            self.embedding.weight[config.padding].zero_()

    def save_memory(self, on: bool) -> None:
        """Lets blocks be computed twice in training instead of keeping what is inside them."""
        self.nar.saves_memory = self.ar.saves_memory = on

    def forward(
        self, text_vectors: torch.Tensor, text_lengths: Lengths, codes: torch.Tensor, code_lengths: Lengths
    ) -> torch.Tensor:
        """The cross entropy (sum of code_lengths + utterances,) of codec tokens and the end of each utterance, in fp32.

        text_vectors are (sum of text_lengths, llm_hidden), codes (sum of code_lengths,) int64; padding among the
        codes carries no loss. Raises UsageError for an utterance that is longer than the positions.
        """
        logits = self.logits(text_vectors, text_lengths, codes, code_lengths)
        end = codes.new_tensor([self.config.end_speech])
        targets = torch.cat(list(chain(*((said, end) for said in codes.split(code_lengths)))))
        return functional.cross_entropy(logits, targets, reduction="none", ignore_index=self.config.padding)

    def logits(
        self, text_vectors: torch.Tensor, text_lengths: Lengths, codes: torch.Tensor, code_lengths: Lengths
    ) -> torch.Tensor:
        """fp32 logits (sum of code_lengths + utterances, classes): what follows the start and each codec token."""
        for text, said in zip(text_lengths, code_lengths, strict=True):
            self._fits(text, said)
        device = text_vectors.device
        prompts = self._read(text_vectors, text_lengths)
        begin = codes.new_tensor([self.config.begin_speech])
        inputs = torch.cat(list(chain(*((begin, said) for said in codes.split(code_lengths)))))
        spoken = self.embedding(inputs).split([length + 1 for length in code_lengths])
        bounds = [
            (len(prompt), len(prompt) + len(said)) for prompt, said in zip(prompts, spoken, strict=True)
        ]
        hidden = self.ar(
            torch.cat(list(chain(*zip(prompts, spoken, strict=True)))),
            torch.cat([torch.arange(length, device=device) for _, length in bounds]),
            tuple(after_a_prefix(prefix, length, device) for prefix, length in bounds),
        )
        rows = hidden.split([length for _, length in bounds])
        answers = torch.cat([piece[prefix:] for piece, (prefix, _) in zip(rows, bounds, strict=True)])
        logits: torch.Tensor = self.head(self.norm(answers))
        return logits

    def generate(self, text_vectors: torch.Tensor, sampling: Sampling = DEMO) -> torch.Tensor:
        """Codec tokens (N,) int64 of one utterance's text vectors (T, llm_hidden), without the end.

        For a model in eval mode. Raises UsageError where text and `sampling.most` exceed the positions.
        """
        tokens = list(self._draw(text_vectors, sampling))
        return torch.tensor(tokens, dtype=torch.long, device=text_vectors.device)

    def stream(
        self, text_vectors: torch.Tensor, sampling: Sampling = DEMO, first: int = 20, then: int = 40
    ) -> Iterator[torch.Tensor]:
        """The tokens of `generate` as they come: `first` of them, then `then` at a time, the rest last."""
        waiting: list[int] = []
        size = first
        for token in self._draw(text_vectors, sampling):
            waiting.append(token)
            if len(waiting) >= size:
                yield torch.tensor(waiting, dtype=torch.long, device=text_vectors.device)
                waiting, size = [], then
        if waiting:
            yield torch.tensor(waiting, dtype=torch.long, device=text_vectors.device)

    def _read(self, text_vectors: torch.Tensor, text_lengths: Lengths) -> tuple[torch.Tensor, ...]:
        """What the AR half continues, an utterance each: the start of the text and the NAR half's vectors."""
        device = text_vectors.device
        lengths = [length * self.pieces for length in text_lengths]
        start = self.embedding(torch.tensor([self.config.begin_text], device=device))
        vectors = self.nar(
            text_vectors.reshape(-1, self.config.width).to(start.dtype),
            torch.cat([torch.arange(length, device=device) for length in lengths]),
            tuple(everything(length, length, device) for length in lengths),
        )
        return tuple(torch.cat((start, piece)) for piece in vectors.split(lengths))

    @torch.no_grad()
    def _draw(self, text_vectors: torch.Tensor, sampling: Sampling) -> Iterator[int]:
        """Codec tokens one by one, until the end or `sampling.most`, with the keys of what was said kept."""
        self._fits(len(text_vectors), sampling.most)
        device = text_vectors.device
        cache = DynamicCache()
        (prompt,) = self._read(text_vectors, (len(text_vectors),))
        length = len(prompt)
        self.ar(prompt, torch.arange(length, device=device), (everything(length, length, device),), cache)
        generator = sampling.generator()
        drawn: list[int] = []
        token = self.config.begin_speech
        while len(drawn) < sampling.most:
            place = length + len(drawn)
            vector = self.embedding(torch.tensor([token], device=device))
            mask = everything(1, place + 1, device)
            hidden = self.ar(vector, torch.tensor([place], device=device), (mask,), cache)
            token = sampling.draw(self._allowed(self.head(self.norm(hidden))[0]), drawn, generator)
            if token == self.config.end_speech:
                return
            drawn.append(token)
            yield token

    def _allowed(self, logits: torch.Tensor) -> torch.Tensor:
        """Logits (classes,) in which only codec tokens and the end can be drawn."""
        never = [self.config.begin_text, self.config.begin_speech, self.config.padding]
        logits[never] = -torch.inf
        return logits

    def _fits(self, text: int, codes: int) -> None:
        if text < 1:
            raise UsageError("speech decoder: an utterance without text cannot be spoken; leave it out.")
        needed = 1 + text * self.pieces + 1 + codes
        if needed > self.config.positions:
            raise UsageError(
                f"speech decoder: {text} text tokens and {codes} codec tokens take {needed} positions of "
                f"{self.config.positions}; cut the text into shorter clauses."
            )

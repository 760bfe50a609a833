"""The codec as a whole: waveforms into codes, codes into waveforms at once or as they come, and training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from vita_data.errors import UsageError
from vita_model.config.codec import CodecConfig
from vita_model.nets.codec.codebook import code_use
from vita_model.nets.codec.encoder import Encoder
from vita_model.nets.codec.generator import Generator
from vita_model.nets.codec.quantiser import Quantised, Quantiser
from vita_model.nets.codec.stream import GeneratorStream


@dataclass(frozen=True)
class Reconstruction:
    """N training segments after the codec.

    waveform (N, 1, segment); `voice` (N, W) the global vectors before the quantiser, `other_voice` those of other
    segments of the same utterances, without a graph. `metrics` are scalars of this batch's code use.
    """

    waveform: torch.Tensor
    voice: torch.Tensor
    other_voice: torch.Tensor
    quantised: Quantised
    metrics: dict[str, torch.Tensor]


class Codec(nn.Module):
    """Encoder, quantisers and generator of 24 kHz speech: Ren et al., TiCodec (2023), in VITA-1.5's dimensions."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.quantiser = Quantiser(config)
        self.generator = Generator(config)

    def forward(self, segments: torch.Tensor, others: torch.Tensor) -> Reconstruction:
        """Segments (N, 1, samples) and as many others of the same utterances, whole tokens long, for training.

        Raises UsageError for a single segment while training: the global vector is normed over the batch.
        """
        if self.training and len(segments) < 2:
            raise UsageError("the codec trains on two segments a rank at least; give each rank more of them.")
        vectors, voice = self.encoder(segments)
        with torch.no_grad():
            other_voice = self.encoder.global_vector(others)
        quantised: Quantised = self.quantiser(vectors, voice)
        waveform = self.generator(quantised.vectors, quantised.voice)
        return Reconstruction(waveform, voice, other_voice, quantised, self._code_use(quantised))

    def _code_use(self, quantised: Quantised) -> dict[str, torch.Tensor]:
        books: list[Any] = list(self.quantiser.voice)
        columns = zip(books, quantised.global_codes.unbind(1), strict=True)
        voice = torch.stack([book.count(codes) for book, codes in columns])
        frame_perplexity, frame_share = code_use(self.quantiser.frames.count(quantised.frame_codes))
        global_perplexity, global_share = code_use(voice)
        return {
            "frame_perplexity": frame_perplexity,
            "frame_share": frame_share,
            "global_perplexity": global_perplexity.mean(),
            "global_share": global_share.mean(),
        }

    def refresh(self, seed: int) -> list[tuple[nn.Parameter, torch.Tensor]]:
        """Settles an optimiser step in the codebooks, on all ranks together.

        Gives the vectors of each codebook with the rows that were moved, whose moments are the caller's to clear.
        """
        return self.quantiser.refresh(seed)

    @torch.no_grad()
    def encode(self, waveforms: Sequence[torch.Tensor]) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Waveforms (samples,) at the config's rate -> (frame codes (tokens,), global codes (G,)) of each.

        Each goes through alone, filled up with zeros to whole tokens and under the norms of inference: even among
        neighbours of its length the arithmetic would differ in the last bits, and now and then a code with it.
        """
        trained = self.training
        self.eval()
        try:
            return [self._encode_one(place, waveform) for place, waveform in enumerate(waveforms)]
        finally:
            self.train(trained)

    def _encode_one(self, place: int, waveform: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if waveform.dim() != 1 or not len(waveform):
            raise UsageError(
                f"waveform {place} has the shape {tuple(waveform.shape)}; the codec encodes one channel "
                "of one sample or more."
            )
        padded = functional.pad(waveform, (0, -len(waveform) % self.config.hop))
        quantised: Quantised = self.quantiser(*self.encoder(padded[None, None]))
        return quantised.frame_codes[0], quantised.global_codes[0]

    @torch.no_grad()
    def decode(self, frame_codes: torch.Tensor, global_codes: torch.Tensor) -> torch.Tensor:
        """Codes (tokens,) and (G,) -> the waveform (tokens * hop,); UsageError for codes that are none."""
        self._check(frame_codes)
        if not len(frame_codes):
            return torch.zeros(0, device=frame_codes.device)
        vectors = self.quantiser.frame_vectors(frame_codes[None])
        waveform: torch.Tensor = self.generator(vectors, self._voice(global_codes))
        return waveform[0, 0]

    def stream(self, global_codes: torch.Tensor) -> Stream:
        """A decoder in the voice of these codes (G,) that takes frame codes as they come."""
        return Stream(self, self._voice(global_codes))

    def _voice(self, global_codes: torch.Tensor) -> torch.Tensor:
        self._check(global_codes)
        if global_codes.shape != (self.config.global_codes,):
            raise UsageError(
                f"a voice is {self.config.global_codes} codes, not a tensor of {tuple(global_codes.shape)}; "
                "take the second of what `encode` gives."
            )
        return self.quantiser.voice_vector(global_codes[None])

    def _check(self, codes: torch.Tensor) -> None:
        odd = codes[(codes < 0) | (codes >= self.config.codes)]
        if len(odd):
            raise UsageError(
                f"code {int(odd[0])} is none of the codec's {self.config.codes}; take the decoder's specials "
                "out before decoding."
            )


class Stream:
    """One utterance in the making: samples as soon as the tokens that they depend on are there."""

    def __init__(self, codec: Codec, voice: torch.Tensor) -> None:
        self._codec = codec
        self._generator = GeneratorStream(codec.generator, voice)

    def push(self, frame_codes: torch.Tensor) -> torch.Tensor:
        """The next codes (n,), n from 0 -> the samples (m,) that are certain now, which can be none."""
        return self._push(frame_codes, last=False)

    def finish(self) -> torch.Tensor:
        """The samples that are left; together the pieces are what `decode` gives of all codes."""
        device = self._codec.quantiser.frames.vectors.device
        return self._push(torch.zeros(0, dtype=torch.int64, device=device), last=True)

    @torch.no_grad()
    def _push(self, frame_codes: torch.Tensor, last: bool) -> torch.Tensor:
        self._codec._check(frame_codes)
        return self._generator.push(self._codec.quantiser.frame_vectors(frame_codes[None]), last)

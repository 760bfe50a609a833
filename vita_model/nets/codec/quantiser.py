"""The quantisers: one code for each token's vector, and eight for the pieces of the global vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from vita_model.config.codec import CodecConfig
from vita_model.nets.codec.codebook import Codebook


@dataclass(frozen=True)
class Quantised:
    """What the quantisers make of N utterances of T tokens.

    vectors (N, C, T) and voice (N, W) are quantised, with the gradient passed straight through; frame_codes
    (N, T) and global_codes (N, G) are int64; the losses are sums over utterances of the mean over numbers.
    """

    vectors: torch.Tensor
    voice: torch.Tensor
    frame_codes: torch.Tensor
    global_codes: torch.Tensor
    frame_loss: torch.Tensor
    global_loss: torch.Tensor


class Quantiser(nn.Module):
    """A codebook for the frames and one for each piece of the global vector."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.config = config
        piece = config.global_width // config.global_codes
        self.frames = Codebook(config.codes, config.channels, config.restart_after)
        self.voice = nn.ModuleList(
            Codebook(config.codes, piece, config.restart_after) for _ in range(config.global_codes)
        )

    def forward(self, vectors: torch.Tensor, voice: torch.Tensor) -> Quantised:
        """Vectors (N, C, T) and global vectors (N, W)."""
        chosen, frame_codes = self.frames(vectors.transpose(1, 2))
        chosen = chosen.transpose(1, 2)
        pieces = voice.chunk(len(self.voice), dim=1)
        found = [book(piece) for book, piece in zip(self.voice, pieces, strict=True)]
        chosen_voice = torch.cat([piece for piece, _ in found], dim=1)
        return Quantised(
            vectors=vectors + (chosen - vectors).detach(),
            voice=voice + (chosen_voice - voice).detach(),
            frame_codes=frame_codes,
            global_codes=torch.stack([codes for _, codes in found], dim=1),
            frame_loss=self._loss(chosen, vectors),
            global_loss=self._loss(chosen_voice, voice),
        )

    def _loss(self, chosen: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
        to_codebook = (chosen.float() - vectors.detach().float()).square()
        to_encoder = (chosen.detach().float() - vectors.float()).square()
        both = self.config.codebook_weight * to_codebook + self.config.commitment_weight * to_encoder
        return both.flatten(1).mean(1).sum()

    def frame_vectors(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes (N, T) -> vectors (N, C, T)."""
        return functional.embedding(codes, self.frames.vectors).transpose(1, 2)

    def voice_vector(self, codes: torch.Tensor) -> torch.Tensor:
        """Global codes (N, G) -> global vectors (N, W)."""
        books: list[Any] = list(self.voice)
        columns = zip(books, codes.unbind(1), strict=True)
        return torch.cat([functional.embedding(column, book.vectors) for book, column in columns], dim=1)

    def refresh(self, seed: int) -> list[tuple[nn.Parameter, torch.Tensor]]:
        """Settles a step of every codebook by one seed; its vectors with the numbers of those that were moved."""
        random = torch.Generator().manual_seed(seed)
        books: list[Any] = [self.frames, *self.voice]
        return [(book.vectors, book.refresh(random)) for book in books]

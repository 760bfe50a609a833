"""The Whale speech encoder: waveforms in, 25 states a second out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from vita_data.errors import RecordError
from vita_data.prompt.lengths import encoder_frames, fbank_frames
from vita_model.config.speech import EncoderConfig
from vita_model.nets.chunks import Chunks, draw_chunks
from vita_model.nets.cmvn import Cmvn
from vita_model.nets.fbank import fbank
from vita_model.nets.spec_augment import spec_augment
from vita_model.nets.whale_blocks import Block, Clips, Embedding, Past, Subsampling

LONGEST_WAVE = 10000.0


def sinusoids(first: int, count: int, width: int, device: torch.device) -> torch.Tensor:
    """float32 (count, width) of the places from `first` on: sines and cosines in turn (Vaswani et al., 2017)."""
    places = torch.arange(first, first + count, dtype=torch.float32, device=device)[:, None]
    even = torch.arange(0, width, 2, dtype=torch.float32, device=device)
    angles = places * torch.exp(even * -(math.log(LONGEST_WAVE) / width))
    return torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)


class SpeechEncoder(nn.Module):
    """Filter bank, normalisation, sub-sampling by four and pre-norm blocks over whole clips."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.saves_memory = False
        self.cmvn = Cmvn(config.mel_bins)
        self.subsampling = Subsampling(config.mel_bins, config.hidden)
        self.embedding = Embedding(config)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.hidden)

    def save_memory(self, on: bool) -> None:
        """Lets the convolutions and the blocks be computed twice in training instead of keeping their inside."""
        self.saves_memory = on

    def forward(
        self, waveforms: torch.Tensor, lengths: tuple[int, ...]
    ) -> tuple[torch.Tensor, tuple[int, ...]]:
        """States (sum of frames, hidden) of clips laid end to end, and the frames of each.

        waveforms float32 (samples,) from -1 to 1 at 16 kHz; a clip of n samples has `encoder_frames(n)`.
        RecordError `audio_too_long` for a clip past the position table.
        """
        frames = tuple(map(encoder_frames, lengths))
        self.check_places(max(frames))
        clips = self._clips(frames, waveforms.device)
        features = self.features(waveforms, lengths)
        hidden = self._run(self.enter, features, tuple(map(fbank_frames, lengths)), frames)
        return self.through(hidden, clips), frames

    def check_places(self, frames: int) -> None:
        """Raises RecordError `audio_too_long` where a clip has more frames than there are positions."""
        if frames > self.config.positions:
            raise RecordError(
                "audio_too_long",
                f"The clip has {frames} encoder frames and the speech encoder has {self.config.positions} "
                "positions; cut it into shorter ones.",
                frames,
                self.config.positions,
            )

    def features(self, waveforms: torch.Tensor, lengths: tuple[int, ...]) -> torch.Tensor:
        """Normalised filter-bank frames float32 (sum of frames, mel_bins), with noise and masks in training only."""
        dither = self.config.dither if self.training else 0.0
        normalised: torch.Tensor = self.cmvn(fbank(waveforms, lengths, self.config.mel_bins, dither))
        if self.training and (self.config.time_masks or self.config.mel_masks):
            return spec_augment(normalised, tuple(map(fbank_frames, lengths)), self.config)
        return normalised

    def enter(
        self, features: torch.Tensor, lengths: tuple[int, ...], frames: tuple[int, ...]
    ) -> torch.Tensor:
        """Features of clips -> (sum of frames, hidden), as the first block takes them."""
        weight = self.subsampling.first.weight
        embedded: torch.Tensor = self.embedding(self.subsampling(features.to(weight.dtype), lengths, frames))
        return embedded

    def _run(self, part: Callable[..., torch.Tensor], *inputs: Any) -> torch.Tensor:
        if self.saves_memory and self.training:
            found: torch.Tensor = checkpoint(part, *inputs, use_reentrant=False)
            return found
        return part(*inputs)

    def _clips(self, frames: tuple[int, ...], device: torch.device) -> Clips:
        longest = max(frames)
        chunks = Chunks(self.config.chunk, self.config.left_chunks)
        if self.training and self.config.dynamic_chunks:
            chunks = draw_chunks(longest)
        places = self.places(0, longest, device)
        return Clips(frames, places, tuple(chunks.mask(count, device) for count in frames))

    def places(self, first: int, count: int, device: torch.device) -> torch.Tensor:
        """Sinusoids (count, hidden) in the blocks' precision, with dropout in training."""
        rows = sinusoids(first, count, self.config.hidden, device).to(self.norm.weight.dtype)
        return functional.dropout(rows, self.config.dropout, self.training)

    def through(
        self, hidden: torch.Tensor, clips: Clips, pasts: Sequence[Past | None] | None = None
    ) -> torch.Tensor:
        """The blocks and the final norm: (R, hidden) -> (R, hidden), with what a stream remembers of each block."""
        for block, past in zip(self.blocks, pasts or [None] * len(self.blocks), strict=True):
            hidden = self._run(block, hidden, clips, past)
        states: torch.Tensor = self.norm(hidden)
        return states

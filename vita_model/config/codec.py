"""Dimensions of the codec: 24 kHz speech as 40 tokens a second and eight global ones an utterance."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod


@dataclass(frozen=True)
class CodecConfig:
    """A codec of TiCodec's kind; the defaults are the released VITA-1.5 configuration.

    `strides` are the generator's up-sampling rates, first to last, and the encoder's in reverse; `kernels` those
    of its transposed convolutions; `channels` the generator's widest, halved at each stage. The global vector
    of `global_width` is added after the generator's stage `global_stage`, counted from 0, and made at the
    encoder's stage of the same width. `segment` is the length of a training segment in samples.
    """

    rate: int = 24000
    strides: tuple[int, ...] = (8, 5, 5, 3)
    kernels: tuple[int, ...] = (16, 11, 11, 5)
    channels: int = 512
    block_kernels: tuple[int, ...] = (3, 7, 11)
    block_dilations: tuple[int, ...] = (1, 3, 5)
    codes: int = 1024
    groups: int = 1
    residuals: int = 1
    global_codes: int = 8
    global_width: int = 128
    global_hidden: int = 64
    global_stage: int = 1
    segment: int = 24000
    discriminator_width: int = 32

    @property
    def hop(self) -> int:
        """Samples a token stands for."""
        return prod(self.strides)

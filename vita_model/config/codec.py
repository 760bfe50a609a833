"""Dimensions of the codec: 24 kHz speech as 40 tokens a second and eight global ones an utterance."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from vita_data.errors import UsageError


@dataclass(frozen=True)
class CodecConfig:
    """A codec of TiCodec's kind; the defaults are the released VITA-1.5 configuration.

    `strides` are the generator's up-sampling rates, first to last, and the encoder's in reverse; `kernels` those
    of its transposed convolutions; `channels` the generator's widest and the width of a code vector, halved at
    each stage. The global vector is added after the generator's stage `global_stage`, counted from 0, and made
    where the encoder is as wide, in convolutions of `global_hidden` channels. A codebook of `codes` stands behind
    each frame and behind each of the `global_codes`; codes that stay unused while their codebook is asked
    `restart_after` times its size are moved to where the encoder's vectors lie (0: never). `voice` are the global
    codes to speak with where nobody names others. `mel_top` in Hz ends the bands of the reconstruction loss,
    `segment` is the length of a training segment in samples.
    """

    rate: int = 24000
    strides: tuple[int, ...] = (8, 5, 5, 3)
    kernels: tuple[int, ...] = (16, 11, 11, 5)
    channels: int = 512
    block_kernels: tuple[int, ...] = (3, 7, 11)
    block_dilations: tuple[int, ...] = (1, 3, 5)
    codes: int = 1024
    global_codes: int = 8
    global_hidden: int = 64
    global_stage: int = 1
    codebook_weight: float = 1.0
    commitment_weight: float = 0.25
    restart_after: int = 100
    voice: tuple[int, ...] = (473, 975, 419, 219, 565, 121, 550, 616)
    mel_bands: int = 80
    mel_top: float = 8000.0
    segment: int = 24000
    discriminator_width: int = 32

    def __post_init__(self) -> None:
        stages = len(self.strides)
        for right, what in (
            (len(self.kernels) == stages, "as many kernels as strides"),
            (
                all(k >= s and (k - s) % 2 == 0 for k, s in zip(self.kernels, self.strides, strict=False)),
                "kernels longer than their strides by an even number",
            ),
            (all(kernel % 2 for kernel in self.block_kernels), "odd block kernels"),
            (self.channels % 2**stages == 0, f"channels that halve {stages} times"),
            (0 <= self.global_stage <= stages - 2, f"a global stage from 0 to {stages - 2}"),
            (self.global_width % self.global_codes == 0, "a global width that its codes divide"),
            (
                len(self.voice) == self.global_codes and all(0 <= code < self.codes for code in self.voice),
                f"a voice of {self.global_codes} codes below {self.codes}",
            ),
            (self.segment % self.hop == 0, f"a segment of whole tokens of {self.hop} samples"),
            (self.discriminator_width % 4 == 0, "a discriminator width that 4 divides"),
        ):
            if not right:
                raise UsageError(f"the codec's config does not fit together: give it {what}.")

    @property
    def hop(self) -> int:
        """Samples a token stands for."""
        return prod(self.strides)

    @property
    def global_width(self) -> int:
        """The width of the global vector: the channels after the generator's stage `global_stage`."""
        return self.channels >> (self.global_stage + 1)

"""Dimensions of what hears: the Whale encoder and the adapter into the language model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EncoderConfig:
    """The Whale speech encoder; the defaults are VITA-1.5's 357,950,464 parameters.

    `positions` are the rows of the position table, in frames after the sub-sampling. `chunk` frames attend
    to themselves and to `left_chunks` chunks before; a chunk of 0 is full attention, `left_chunks` -1 all of
    the past. `dynamic_chunks` draws a chunk size a batch while training, by the batch's seed. `dither` is the
    noise added to the waveform while training, in units of one 16-bit step, as Kaldi counts it. In training,
    `time_masks` stretches of at most `widest_time_mask` filter-bank frames and `mel_masks` bands of at most
    `widest_mel_mask` bins are hidden in every clip; VITA-1.5 does not say whether it hid any.
    """

    mel_bins: int = 80
    hidden: int = 1024
    layers: int = 24
    heads: int = 16
    intermediate: int = 4096
    positions: int = 5000
    chunk: int = 0
    left_chunks: int = -1
    dynamic_chunks: bool = False
    dropout: float = 0.1
    attention_dropout: float = 0.0
    dither: float = 1.0
    time_masks: int = 0
    widest_time_mask: int = 50
    mel_masks: int = 0
    widest_mel_mask: int = 10


@dataclass(frozen=True)
class AdapterConfig:
    """The convolution between the encoder and the language model, which halves the rate.

    `kind` is "subsampling" (one strided convolution that looks ahead) or "cnn" (two that look back, the second
    strided and twice as wide again), `norm` "layer" or "batch", `activation` "gelu" or "relu". `prompts` are the
    guiding embeddings before the sound, 0 for none. The defaults are what VITA-1.5 was released with, and the
    number of guiding embeddings its public code uses.
    """

    kind: str = "subsampling"
    channels: int = 2048
    kernel: int = 5
    stride: int = 2
    norm: str = "layer"
    norm_epsilon: float = 1e-3
    activation: str = "gelu"
    prompts: int = 25

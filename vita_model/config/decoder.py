"""Dimensions of the speech decoder, from words to codec tokens."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DecoderConfig:
    """NAR and AR LLaMA blocks of one width over text vectors and codec tokens.

    A row of the language model's embedding table becomes hidden / width vectors. `codes` codec tokens and four
    special ones share a table. The defaults are the paper's: four blocks each of width 896.
    """

    width: int = 896
    heads: int = 14
    kv_heads: int = 14
    intermediate: int = 4864
    layers: int = 4
    nar_layers: int = 4
    codes: int = 1024
    positions: int = 2048
    rope_theta: float = 10000.0
    norm_epsilon: float = 1e-6

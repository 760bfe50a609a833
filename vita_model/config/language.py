"""Dimensions of the language model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LanguageConfig:
    """A decoder-only language model; `vocabulary` is the number of rows of the embedding table.

    `architecture` is a `model_type` of transformers: "qwen2", "mistral" (Nemo), "mixtral" or another causal LM
    with the same dimensions. `head_width` is 0 where it is hidden / heads. `experts` and `experts_used` are 0
    except in mixtures of experts. The defaults are Qwen2.5-7B-Instruct.
    """

    architecture: str = "qwen2"
    hidden: int = 3584
    layers: int = 28
    heads: int = 28
    kv_heads: int = 4
    head_width: int = 0
    intermediate: int = 18944
    vocabulary: int = 152064
    rope_theta: float = 1e6
    norm_epsilon: float = 1e-6
    positions: int = 32768
    experts: int = 0
    experts_used: int = 0

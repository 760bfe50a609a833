"""A stack of LLaMA blocks over concatenated utterances, with their own masks and positions.

The blocks are those of `transformers`. Its table of rotary frequencies is not used: it is a buffer, which a
model that is moved to bf16 rounds to eight bits, enough to shift far positions by whole steps.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from transformers.cache_utils import Cache
from transformers.models.llama.configuration_llama import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaDecoderLayer

from vita_model.config.decoder import DecoderConfig
from vita_model.nets import visible

Masks = tuple[torch.Tensor, ...]


def rotary(positions: torch.Tensor, width: int, theta: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines (T, width) in fp32 of the rotary embedding at positions (T,)."""
    rates = 1.0 / theta ** (torch.arange(0, width, 2, dtype=torch.float32, device=positions.device) / width)
    angles = positions.float()[:, None] * rates
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos(), angles.sin()


class Blocks(nn.Module):
    """So many LLaMA blocks without a final norm."""

    def __init__(self, config: DecoderConfig, count: int) -> None:
        super().__init__()
        self.config = config
        self.saves_memory = False
        upstream = _upstream(config, count)
        self.layers = nn.ModuleList(LlamaDecoderLayer(upstream, number) for number in range(count))
        for module in self.layers.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.02)

    def forward(
        self, vectors: torch.Tensor, positions: torch.Tensor, masks: Masks, cache: Cache | None = None
    ) -> torch.Tensor:
        """(T, width) -> (T, width) of concatenated utterances: positions (T,), a mask (queries, keys) for each.

        With a cache, which holds one utterance, its earlier keys come before these and it then holds these too.
        """
        turns = rotary(positions, self.config.width // self.config.heads, self.config.rope_theta)
        cosines, sines = (turn[None].to(vectors.dtype) for turn in turns)
        hidden = vectors[None]
        for layer in self.layers:
            said: dict[str, Any] = {"position_embeddings": (cosines, sines), "visible": masks}
            if self.saves_memory and self.training:
                hidden = checkpoint(layer, hidden, use_reentrant=False, **said)
            else:
                hidden = layer(hidden, past_key_values=cache, **said)
        return hidden[0]


def _upstream(config: DecoderConfig, count: int) -> LlamaConfig:
    said: dict[str, Any] = {
        "vocab_size": config.vocabulary,
        "hidden_size": config.width,
        "intermediate_size": config.intermediate,
        "num_hidden_layers": count,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.kv_heads,
        "rms_norm_eps": config.norm_epsilon,
        "max_position_embeddings": config.positions,
        "attention_dropout": config.dropout,
        "pad_token_id": config.padding,
        "attn_implementation": visible.register(),
    }
    return LlamaConfig(**said)

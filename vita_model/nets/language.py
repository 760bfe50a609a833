"""The language model: a decoder of the Qwen2 architecture over a packed sequence of embeddings.

The key-value cache is switched off in training on purpose: with it on, `transformers` lets the samples of a
packed sequence see each other, positions restarting or not.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers.models.qwen2.configuration_qwen2 import Qwen2Config
from transformers.models.qwen2.modeling_qwen2 import Qwen2Model

from vita_model.config.language import LanguageConfig
from vita_model.nets import attention
from vita_model.nets.loss import LanguageHead


class LanguageModel(nn.Module):
    """Qwen2 with a head that gives the loss; names follow the released checkpoints (`model.*`, `lm_head`)."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        self.model = Qwen2Model(_upstream(config))
        self.lm_head = LanguageHead(config.hidden, config.vocabulary)

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """Embeddings (T, D) of token ids (T,)."""
        rows: torch.Tensor = self.model.embed_tokens(ids)
        return rows

    def hidden(
        self, embeddings: torch.Tensor, positions: torch.Tensor, segments: tuple[int, ...]
    ) -> torch.Tensor:
        """Last hidden states (T, D) of a packed sequence (T, D), its positions (T,) and segment bounds."""
        output = self.model(
            inputs_embeds=embeddings[None], position_ids=positions[None], use_cache=False, segments=segments
        )
        states: torch.Tensor = output.last_hidden_state[0]
        return states


def _upstream(config: LanguageConfig) -> Qwen2Config:
    said: dict[str, Any] = {
        "vocab_size": config.vocabulary,
        "hidden_size": config.hidden,
        "intermediate_size": config.intermediate,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.kv_heads,
        "rms_norm_eps": config.norm_epsilon,
        "max_position_embeddings": config.positions,
        "rope_parameters": {"rope_type": "default", "rope_theta": config.rope_theta},
        "tie_word_embeddings": False,
        "use_cache": False,
        "attn_implementation": attention.register(),
    }
    return Qwen2Config(**said)

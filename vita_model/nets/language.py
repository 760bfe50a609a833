"""The language model: a decoder-only transformer of `transformers` over a packed sequence of embeddings.

The key-value cache is switched off in training on purpose: with it on, `transformers` lets the samples of a
packed sequence see each other, positions restarting or not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModel
from transformers.cache_utils import Cache

from vita_data.errors import UsageError
from vita_model.config.language import LanguageConfig
from vita_model.nets import attention
from vita_model.nets.loss import LanguageHead
from vita_model.nets.memory import checkpoint_blocks
from vita_model.nets.precision import kept_buffers


class LanguageModel(nn.Module):
    """A causal decoder and a head that gives the loss; names follow the released checkpoints (`model`, `lm_head`)."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        self.model = AutoModel.from_config(_upstream(config))
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

    def go_on(self, embeddings: torch.Tensor, cache: Cache) -> torch.Tensor:
        """Last hidden states of what follows on what the cache holds, which then holds it too.

        Both are (T, D), or (N, T, D) for N sequences of one length.
        """
        first = cache.get_seq_length()
        positions = torch.arange(first, first + embeddings.shape[-2], device=embeddings.device)
        output = self.model(
            inputs_embeds=embeddings if embeddings.dim() == 3 else embeddings[None],
            position_ids=positions[None],
            past_key_values=cache,
            use_cache=True,
        )
        states: torch.Tensor = output.last_hidden_state.view(embeddings.shape)
        return states

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Any:
        with kept_buffers(self):
            super()._apply(fn, recurse)
        return self

    def save_memory(self, on: bool) -> None:
        """Lets blocks be computed twice in training instead of keeping what is inside them."""
        checkpoint_blocks(self.model, on)


def _upstream(config: LanguageConfig) -> Any:
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
    if config.head_width:
        said["head_dim"] = config.head_width
    if config.experts:
        said |= {"num_local_experts": config.experts, "num_experts_per_tok": config.experts_used}
    if config.architecture in ("mistral", "mixtral"):
        said["sliding_window"] = None
    try:
        return AutoConfig.for_model(config.architecture, **said)
    except ValueError:
        raise UsageError(
            f"language model architecture {config.architecture!r} is unknown to transformers; write its model_type."
        ) from None

"""The same shapes put together from modules of transformers by hand: what `model.py` measures ours beside."""

from __future__ import annotations

import torch
from torch import nn
from transformers import Qwen2Config, Qwen2ForCausalLM
from transformers.models.internvl.configuration_internvl import InternVLVisionConfig
from transformers.models.internvl.modeling_internvl import InternVLVisionModel

from vita_model.config.model import ModelConfig
from vita_model.nets.vita import Vita

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def tower(config: ModelConfig) -> InternVLVisionModel:
    """InternVL's vision transformer as transformers has it, without stochastic depth."""
    vision = config.vision
    said = InternVLVisionConfig(
        hidden_size=vision.hidden,
        num_hidden_layers=vision.layers,
        num_attention_heads=vision.heads,
        intermediate_size=vision.intermediate,
        image_size=vision.tile_pixels,
        patch_size=vision.patch_pixels,
        attention_bias=True,
        use_mean_pooling=True,
        attn_implementation="sdpa",
    )
    return InternVLVisionModel(said)


def decoder(config: ModelConfig) -> Qwen2ForCausalLM:
    """Qwen2 with its own attention, head and loss."""
    language = config.language
    said = Qwen2Config(
        vocab_size=language.vocabulary,
        hidden_size=language.hidden,
        intermediate_size=language.intermediate,
        num_hidden_layers=language.layers,
        num_attention_heads=language.heads,
        num_key_value_heads=language.kv_heads,
        rms_norm_eps=language.norm_epsilon,
        max_position_embeddings=language.positions,
        rope_parameters={"rope_type": "default", "rope_theta": language.rope_theta},
        tie_word_embeddings=False,
        attn_implementation="sdpa",
    )
    return Qwen2ForCausalLM(said)


class ByHand(nn.Module):
    """Tower, Linear-GELU-Linear and decoder over one sample, with the weights of ours (shared, not copied)."""

    def __init__(self, model: Vita) -> None:
        super().__init__()
        config = model.config
        with torch.device("meta"):
            self.tower, self.language = tower(config), decoder(config)
            self.projector = nn.Sequential(*map(_linear_like, model.projector))
        self.language.model.rotary_emb = type(self.language.model.rotary_emb)(self.language.config)
        for mine, theirs in (
            (self.tower, model.vision_tower.vision_tower),
            (self.projector, model.projector),
            (self.language, model.language_model),
        ):
            mine.load_state_dict(theirs.state_dict(), assign=True)
        self.requires_grad_(True)

    def see(self, tiles: torch.Tensor) -> torch.Tensor:
        """Vectors (K * tokens, D) of tiles (K, 3, px, px) uint8."""
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, STD))
        pixels = (tiles.float() / 255.0 - mean) / std
        patches = self.tower(pixel_values=pixels).last_hidden_state[:, 1:] * 0.5
        side = int(patches.shape[1] ** 0.5) // 2
        grid = patches.view(len(tiles), side, 2, side, 2, -1).permute(0, 1, 3, 2, 4, 5)
        seen: torch.Tensor = self.projector(grid.reshape(len(tiles), side * side, -1))
        return seen.flatten(0, 1)

    def forward(
        self, ids: torch.Tensor, labels: torch.Tensor, tiles: torch.Tensor, places: torch.Tensor
    ) -> torch.Tensor:
        """The mean loss of a sample: ids (T,), labels (T,) with -100 where nothing is learned."""
        vectors = self.language.model.embed_tokens(ids)
        if len(tiles):
            vectors = vectors.index_put((places,), self.see(tiles))
        found = self.language(inputs_embeds=vectors[None], labels=labels[None], use_cache=False)
        loss: torch.Tensor = found.loss
        return loss


def _linear_like(module: nn.Module) -> nn.Module:
    if isinstance(module, nn.Linear):
        return nn.Linear(module.in_features, module.out_features)
    return nn.GELU()

"""The vision tower: tiles in, vectors for the projector out.

InternVL's transformer as `transformers` has it, with what the released VITA-1.5 weights expect of it: biases
in the attention, no final norm, the last hidden state without its class token, features times 0.5 before
the pixel shuffle. Stochastic depth is put where that class keeps its output dropouts, unused by default.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers.models.internvl.configuration_internvl import InternVLVisionConfig
from transformers.models.internvl.modeling_internvl import InternVLVisionModel

from vita_model.config.vision import VisionConfig
from vita_model.nets.memory import checkpoint_blocks

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class DropPath(nn.Module):
    """Drops a residual branch for whole tiles while training, scaling the rest so that the mean stays."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, branch: torch.Tensor) -> torch.Tensor:
        """(N, ...) -> (N, ...): each of the N is kept with probability 1 - rate."""
        if not self.training or self.rate == 0.0:
            return branch
        keep = torch.rand((branch.shape[0],) + (1,) * (branch.dim() - 1), device=branch.device) >= self.rate
        return branch * keep / (1.0 - self.rate)


def normalise(tiles: torch.Tensor) -> torch.Tensor:
    """uint8 (N, 3, px, px) -> float32 with ImageNet's mean and standard deviation taken out."""
    mean, std = (
        torch.tensor(values, device=tiles.device).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD)
    )
    return (tiles.float() / 255.0 - mean) / std


def pixel_shuffle(patches: torch.Tensor, factor: int) -> torch.Tensor:
    """Joins each factor x factor square of patches to one vector, row-major (InternVL's second order).

    (N, rows * cols, C) -> (N, rows * cols / factor^2, C * factor^2), for a square grid.
    """
    count, area, width = patches.shape
    side = int(area**0.5) // factor
    squares = patches.reshape(count, side, factor, side, factor, width).permute(0, 1, 3, 2, 4, 5)
    return squares.reshape(count, side * side, factor * factor * width)


class VisionTower(nn.Module):
    """InternViT with its features scaled and shuffled: (N, 3, px, px) uint8 -> (N, tokens, features)."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.config = config
        self.vision_tower = InternVLVisionModel(_upstream(config))
        # Zeros, as they come, would hide the order of the patches from a tower that starts without weights.
        nn.init.normal_(self.vision_tower.embeddings.position_embeddings, std=0.02)
        blocks: list[Any] = list(self.vision_tower.encoder.layer)
        for number, layer in enumerate(blocks):
            rate = config.drop_path * number / max(config.layers - 1, 1)
            layer.attention.projection_dropout = DropPath(rate)
            layer.dropout = DropPath(rate)

    def save_memory(self, on: bool) -> None:
        """Lets blocks be computed twice in training instead of keeping what is inside them."""
        checkpoint_blocks(self.vision_tower, on)

    def forward(self, tiles: torch.Tensor) -> torch.Tensor:
        """Vectors of each tile, row-major: 16 of a 112-px tile, 256 of a 448-px one."""
        hidden = self.vision_tower(pixel_values=normalise(tiles)).last_hidden_state
        return pixel_shuffle(hidden[:, 1:] * self.config.feature_scale, self.config.downsample)


def _upstream(config: VisionConfig) -> InternVLVisionConfig:
    said: dict[str, Any] = {
        "hidden_size": config.hidden,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "intermediate_size": config.intermediate,
        "image_size": config.tile_pixels,
        "patch_size": config.patch_pixels,
        "attention_bias": True,
        "layer_scale_init_value": config.layer_scale,
        "use_mean_pooling": True,  # upstream's way to say: no final norm
        "attn_implementation": "sdpa",
    }
    return InternVLVisionConfig(**said)

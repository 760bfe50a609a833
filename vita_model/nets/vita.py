"""VITA as a whole, for text and images: tiles become vectors that stand among the embeddings of the text."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

from vita_data.errors import UsageError
from vita_model.config.model import PARTS, ModelConfig
from vita_model.nets.batch import Batch
from vita_model.nets.language import LanguageModel
from vita_model.nets.projector import Projector
from vita_model.nets.vision import VisionTower

Idle = Literal["zeros", "call", "skip"]


class Vita(nn.Module):
    """Vision tower, projector and language model under the names that a stage card uses for them."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.vision_tower = VisionTower(config.vision)
        self.projector = Projector(config.vision.features, config.language.hidden)
        self.language_model = LanguageModel(config.language)
        self.trained_parts: tuple[str, ...] = PARTS

    def part(self, name: str) -> nn.Module:
        """The module of a part; raises UsageError for a name that this model does not have."""
        if name not in PARTS:
            raise UsageError(f"the model has no part {name!r}; its parts are {', '.join(PARTS)}.")
        module: nn.Module = getattr(self, name)
        return module

    def set_trained(self, names: tuple[str, ...]) -> None:
        """Lets exactly these parts learn; the others get no gradient and stay in eval mode."""
        for name in names:
            self.part(name)
        self.trained_parts = names
        for name in PARTS:
            self.part(name).requires_grad_(name in names)
        self.train(self.training)

    def train(self, mode: bool = True) -> Vita:
        """Training mode for the trained parts alone: frozen norms and drop-paths must not act."""
        super().train(mode)
        for name in PARTS:
            self.part(name).train(mode and name in self.trained_parts)
        return self

    def look(self, tiles: torch.Tensor) -> torch.Tensor:
        """Vectors (K * tokens, D) of tiles (K, 3, px, px) in the language model's space."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and "vision_tower" in self.trained_parts):
            features = self.vision_tower(tiles)
        projected: torch.Tensor = self.projector(features)
        return projected.flatten(0, 1)

    def embed(self, batch: Batch, idle: Idle = "zeros") -> torch.Tensor:
        """Embeddings (T, D) of a pack, tile vectors in their places."""
        embeddings = self.language_model.embed(batch.ids)
        if len(batch.tiles):
            vectors = self.look(batch.tiles)
            return embeddings.index_put((batch.tile_places,), vectors.to(embeddings.dtype))
        if idle == "call":
            pixels = self.config.vision.tile_pixels
            blank = torch.zeros(1, 3, pixels, pixels, dtype=torch.uint8, device=batch.ids.device)
            return embeddings + 0.0 * self.look(blank).sum()
        return embeddings

    def hidden(self, batch: Batch, idle: Idle = "zeros") -> torch.Tensor:
        """Last hidden states (T, D) of a pack."""
        return self.language_model.hidden(self.embed(batch, idle), batch.positions, batch.segments)

    def forward(self, batch: Batch, idle: Idle = "zeros") -> torch.Tensor:
        """The summed loss of a pack over its labelled tokens, in fp32; 0 with a graph where there are none.

        `idle` says what becomes of the vision side when the pack has no picture. "zeros": its trained
        parameters get zero gradients, so that every rank reduces the same ones. "call": it runs on one blank
        tile, times 0, because sharded parameters are gathered by all ranks together and another rank needs
        them. "skip": nothing.
        """
        states = self.hidden(batch, idle)
        loss: torch.Tensor = self.language_model.lm_head(states[batch.loss_places], batch.targets)
        if idle == "zeros" and not len(batch.tiles) and torch.is_grad_enabled():
            for name in set(self.trained_parts) & {"vision_tower", "projector"}:
                loss = loss + sum(0.0 * weight.sum() for weight in self.part(name).parameters())
        return loss


def count(config: ModelConfig) -> dict[str, int]:
    """Parameters of each part, counted on the meta device without memory."""
    with torch.device("meta"):
        model = Vita(config)
    return {name: sum(weight.numel() for weight in model.part(name).parameters()) for name in PARTS}


def build(config: ModelConfig, seed: int) -> Vita:
    """A model with random weights that depend on the seed alone."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Vita(config)
        model.vision_tower.init_positions()
    return model

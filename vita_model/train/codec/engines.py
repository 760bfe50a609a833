"""The codec and its discriminators in an engine each, and both together in a checkpoint.

Beside what every checkpoint holds, one of the codec's has

    discriminators-*.safetensors             weights and buffers
    optimizer_discriminators-*.safetensors   Adam's moments of them, once they have learned
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vita_data.manifest.schedule import Schedule
from vita_data.records.key import keyed_hash
from vita_model.config.codec import CodecConfig
from vita_model.nets.codec.codec import Codec, Reconstruction
from vita_model.nets.codec.discriminators import Discriminators
from vita_model.nets.codec.losses import discriminator_terms
from vita_model.nets.vita import Vita
from vita_model.train import checkpoint, state
from vita_model.train.engine import start_engine
from vita_model.train.tensors import Tensors

JUDGES, JUDGES_OPTIMIZER = "discriminators", "optimizer_discriminators"


class Maker(nn.Module):
    """The codec as its engine sees it, under the name that the whole model has for it."""

    def __init__(self, codec: Codec) -> None:
        super().__init__()
        self.codec = codec

    def forward(
        self, segments: torch.Tensor, others: torch.Tensor
    ) -> tuple[Reconstruction, tuple[torch.Tensor, ...]]:
        """What is made of them; and every tensor that a loss begins at, as DeepSpeed looks for these in tuples only."""
        made: Reconstruction = self.codec(segments, others)
        return made, (made.waveform, made.voice, made.quantised.frame_loss, made.quantised.global_loss)


class Trial(nn.Module):
    """The discriminators as their engine sees them."""

    def __init__(self, discriminators: Discriminators) -> None:
        super().__init__()
        self.discriminators = discriminators

    def forward(self, segments: torch.Tensor, waveforms: torch.Tensor) -> dict[str, torch.Tensor]:
        """Their terms on real segments and on what the codec made, without its graph."""
        return discriminator_terms(self.discriminators(segments), self.discriminators(waveforms))


def build_discriminators(config: CodecConfig, seed: int) -> Discriminators:
    """Discriminators with random weights that depend on the seed alone."""
    with torch.random.fork_rng():
        torch.manual_seed(keyed_hash(seed, JUDGES) >> 1)
        return Discriminators(config)


@dataclass(frozen=True)
class Engines:
    """The whole model, of which the codec learns in the engine `maker`, and the discriminators in `trial`."""

    model: Vita
    maker: Any
    trial: Any

    @property
    def codec(self) -> Codec:
        """The codec that learns."""
        return self.model.codec

    @property
    def discriminators(self) -> Discriminators:
        """The discriminators that it learns against."""
        found: Discriminators = self.trial.module.discriminators
        return found

    def save(self, run: Path, step: int, judged: int, said: dict[str, Any]) -> Path:
        """Writes a checkpoint after `step` steps, in `judged` of which the discriminators learned."""
        stems: dict[str, Iterator[tuple[str, torch.Tensor]]] = {
            checkpoint.MODEL: iter(self.model.state_dict().items()),
            checkpoint.OPTIMIZER: state.moments(self.maker),
            JUDGES: iter(self.discriminators.state_dict().items()),
        }
        if judged:
            stems[JUDGES_OPTIMIZER] = state.moments(self.trial)
        return checkpoint.save_stems(run, step, said, stems)

    def load_optimizers(self, place: Path, step: int, judged: int) -> None:
        """Puts both optimizers where they were; the weights came before the engines."""
        checkpoint.load_optimizer(self.maker, place, step)
        if judged:
            checkpoint.load_optimizer(self.trial, place, judged, JUDGES_OPTIMIZER)


def start_engines(model: Vita, discriminators: Discriminators, schedule: Schedule, zero: int) -> Engines:
    """Both engines over weights that have been loaded; a step is one round in each."""
    return Engines(
        model,
        start_engine(Maker(model.codec), schedule, zero, rounds=1),
        start_engine(Trial(discriminators), schedule, zero, rounds=1),
    )


def load_discriminators(discriminators: Discriminators, place: Path) -> None:
    """Copies weights and buffers of discriminators from a checkpoint, to the bit."""
    stored = Tensors(place, JUDGES)
    discriminators.load_state_dict({name: stored.read(name) for name in discriminators.state_dict()})

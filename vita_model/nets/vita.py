"""VITA as a whole: whatever is seen and heard becomes vectors that stand among the embeddings of the text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from torch import nn

from vita_data.errors import UsageError
from vita_model.config.model import PARTS, ModelConfig
from vita_model.nets.adapter import PromptEmbeddings, SpeechAdapter
from vita_model.nets.batch import CODES, CTC, LM, STATE, Batch
from vita_model.nets.codec.codec import Codec
from vita_model.nets.ctc import CtcHead
from vita_model.nets.language import LanguageModel
from vita_model.nets.projector import Projector
from vita_model.nets.speech_decoder import SpeechDecoder
from vita_model.nets.state import StateHead
from vita_model.nets.vision import VisionTower
from vita_model.nets.whale import SpeechEncoder

Idle = Literal["zeros", "call", "skip"]
Sense = Literal["sight", "hearing", "speech"]

SHORTEST = 1360  # samples of the shortest sound that makes a token

# The parts that a pack without anything for a sense leaves idle.
SENSES: dict[Sense, tuple[str, ...]] = {
    "sight": ("vision_tower", "projector"),
    "hearing": ("speech_encoder", "ctc_head", "speech_adapter", "prompt_embeddings"),
    "speech": ("speech_decoder",),
}


def _modules(config: ModelConfig) -> dict[str, Callable[[], nn.Module]]:
    """What makes each part that the config has, in the order of PARTS."""
    hidden, heard = config.language.hidden, config.encoder.hidden
    made: dict[str, Callable[[], nn.Module]] = {
        "vision_tower": lambda: VisionTower(config.vision),
        "projector": lambda: Projector(config.vision.features, hidden),
        "speech_encoder": lambda: SpeechEncoder(config.encoder),
        "ctc_head": lambda: CtcHead(heard, config.characters),
        "speech_adapter": lambda: SpeechAdapter(config.adapter, heard, hidden),
        "prompt_embeddings": lambda: PromptEmbeddings(config.adapter.prompts, hidden),
        "language_model": lambda: LanguageModel(config.language),
        "state_head": lambda: StateHead(hidden, config.states),
        "speech_decoder": lambda: SpeechDecoder(config.decoder, hidden),
        "codec": lambda: Codec(config.codec),
    }
    sized = {"ctc_head": config.characters, "prompt_embeddings": config.adapter.prompts}
    return {name: make for name, make in made.items() if sized.get(name, 1)}


def _put(embeddings: torch.Tensor, places: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    return embeddings.index_put((places,), vectors.to(embeddings.dtype))


def _blank(batch: Batch) -> tuple[torch.Tensor, tuple[int, ...]]:
    """The shortest sound that makes a token."""
    return batch.sounds.new_zeros(SHORTEST), (SHORTEST,)


def _nothing_drawn() -> Any:
    """A context whose draws nobody notices afterwards: a blank row must not change another sense's dropout."""
    return torch.random.fork_rng([torch.cuda.current_device()] if torch.cuda.is_available() else [])


class Vita(nn.Module):
    """The parts under the names that a stage card uses for them, and the losses of a pack."""

    vision_tower: VisionTower
    projector: Projector
    speech_encoder: SpeechEncoder
    ctc_head: CtcHead
    speech_adapter: SpeechAdapter
    prompt_embeddings: PromptEmbeddings
    language_model: LanguageModel
    state_head: StateHead
    speech_decoder: SpeechDecoder
    codec: Codec

    def __init__(self, config: ModelConfig, prepare: Callable[[str], Any] = lambda part: None) -> None:
        """`prepare` is called with the name of each part before it is made."""
        super().__init__()
        self.config = config
        self.parts = tuple(_modules(config))
        for name, make in _modules(config).items():
            prepare(name)
            self.add_module(name, make())
        self.trained_parts: tuple[str, ...] = self.parts
        self.terms: tuple[str, ...] = (LM,)

    def part(self, name: str) -> nn.Module:
        """The module of a part; raises UsageError for a name that this model does not have."""
        if name not in self.parts:
            raise UsageError(f"the model has no part {name!r}; its parts are {', '.join(self.parts)}.")
        module: nn.Module = getattr(self, name)
        return module

    def set_trained(self, names: tuple[str, ...], terms: tuple[str, ...] = (LM,)) -> None:
        """Lets exactly these parts learn, from these terms of the loss; the others stay in eval mode."""
        for name in names:
            self.part(name)
        self.trained_parts = names
        self.terms = terms
        for name in self.parts:
            self.part(name).requires_grad_(name in names)
        self.train(self.training)

    def train(self, mode: bool = True) -> Vita:
        """Training mode for the trained parts alone: frozen norms and drop-paths must not act."""
        super().train(mode)
        for name in self.parts:
            self.part(name).train(mode and name in self.trained_parts)
        return self

    def look(self, tiles: torch.Tensor) -> torch.Tensor:
        """Vectors (K * tokens, D) of tiles (K, 3, px, px) in the language model's space."""
        with self._graph_of("vision_tower"):
            features = self.vision_tower(tiles)
        projected: torch.Tensor = self.projector(features)
        return projected.flatten(0, 1)

    def hear(self, sounds: torch.Tensor, lengths: tuple[int, ...]) -> torch.Tensor:
        """Vectors (sum of tokens, D) of clips laid end to end, float32 at 16 kHz, by their lengths in samples."""
        with self._graph_of("speech_encoder"):
            states, frames = self.speech_encoder(sounds, lengths)
        vectors: torch.Tensor = self.speech_adapter(states, frames)[0]
        return vectors

    def _transcribe(self, batch: Batch, idle: Mapping[Sense, Idle]) -> torch.Tensor:
        """The loss of each clip's transcript, by what the encoder hears."""
        if batch.sound_lengths:
            states, frames = self.speech_encoder(batch.sounds, batch.sound_lengths)
            losses: torch.Tensor = self.ctc_head(states, frames, batch.symbols, batch.symbol_lengths)
            return losses
        zero = self._aside("hearing", idle, lambda: self.ctc_head(self.speech_encoder(*_blank(batch))[0]))
        return torch.zeros(1, device=batch.ids.device) + zero

    def _graph_of(self, part: str) -> Any:
        """No graph through a frozen part that nothing learns behind."""
        return torch.set_grad_enabled(torch.is_grad_enabled() and part in self.trained_parts)

    def forward(self, batch: Batch, idle: Mapping[Sense, Idle] | None = None) -> dict[str, torch.Tensor]:
        """The losses of a pack by term, one number for each thing that is labelled, in fp32.

        `idle` says what becomes of a sense that the pack has nothing for. "zeros", where it is not named: its
        trained parameters get zero gradients, so that every rank reduces the same ones. "call": it runs on one
        blank row, times 0, because sharded parameters are gathered by all ranks together and another rank needs
        them. "skip": nothing.
        """
        idle = {**dict.fromkeys(SENSES, "zeros"), **(idle or {})}  # type: ignore[dict-item]
        losses: dict[str, torch.Tensor] = {}
        if CTC in self.terms:
            losses[CTC] = self._transcribe(batch, idle)
        if LM in self.terms:
            states = self.hidden(batch, idle)
            losses[LM] = self.language_model.lm_head(states[batch.loss_places], batch.targets)
            if STATE in self.terms:
                losses[STATE] = self.state_head(states[batch.state_places], batch.state_targets)
        if CODES in self.terms:
            losses[CODES] = self._say(batch, idle)
        return losses

    def _say(self, batch: Batch, idle: Mapping[Sense, Idle]) -> torch.Tensor:
        """The losses of the codec tokens of a pack's clauses, each with its end."""
        with self._graph_of("language_model"):
            text = self.language_model.embed(batch.clauses)
        if batch.code_lengths:
            loss: torch.Tensor = self.speech_decoder(
                text, batch.clause_lengths, batch.codes, batch.code_lengths
            )
            return loss
        one = text.new_zeros(1, self.config.language.hidden), (1,), batch.codes.new_zeros(1), (1,)
        zero = self._aside("speech", idle, lambda: self.speech_decoder(*one))
        return torch.zeros((), device=text.device) + zero

    def hidden(self, batch: Batch, idle: Mapping[Sense, Idle] | None = None) -> torch.Tensor:
        """Last hidden states (T, D) of a pack."""
        embeddings = self.embed(batch, idle)
        return self.language_model.hidden(embeddings, batch.positions, batch.segments)

    def embed(self, batch: Batch, idle: Mapping[Sense, Idle] | None = None) -> torch.Tensor:
        """Embeddings (T, D) of a pack, the vectors of its media in their places.

        Every rank goes through the senses in one order, since sharded parameters are gathered in it.
        """
        idle = idle or {}
        embeddings = self.language_model.embed(batch.ids)
        if len(batch.tiles):
            embeddings = _put(embeddings, batch.tile_places, self.look(batch.tiles))
        else:
            blank = batch.tiles.new_zeros(1, *batch.tiles.shape[1:])
            embeddings = embeddings + self._aside("sight", idle, lambda: self.look(blank))
        if batch.sound_lengths:
            embeddings = _put(embeddings, batch.sound_places, self.hear(batch.sounds, batch.sound_lengths))
        else:
            embeddings = embeddings + self._aside("hearing", idle, lambda: self._hear_nothing(batch))
        if len(batch.prompt_places):
            prompts = self.prompt_embeddings(len(batch.sound_lengths))
            embeddings = _put(embeddings, batch.prompt_places, prompts)
        return embeddings

    def _hear_nothing(self, batch: Batch) -> torch.Tensor:
        """Vectors of a blank sound, with the guiding ones where these are learned."""
        heard = self.hear(*_blank(batch))
        guided = "prompt_embeddings" in self.trained_parts
        return torch.cat((heard, self.prompt_embeddings(1))) if guided else heard

    def _aside(
        self, sense: Sense, idle: Mapping[Sense, Idle], blank: Callable[[], torch.Tensor]
    ) -> torch.Tensor | float:
        """A zero that depends on the trained parameters of a sense that this pack has nothing for."""
        how = idle.get(sense, "skip")
        if how == "call":
            with _nothing_drawn():
                return 0.0 * blank().sum()
        trained = set(self.trained_parts) & set(SENSES[sense])
        if how == "skip" or not torch.is_grad_enabled():
            return 0.0
        return sum(0.0 * weight.sum() for name in sorted(trained) for weight in self.part(name).parameters())

    def save_memory(self, on: bool = True) -> None:
        """Lets blocks be computed twice in training instead of keeping what is inside them."""
        self.vision_tower.save_memory(on)
        self.speech_encoder.save_memory(on)
        self.language_model.save_memory(on)
        self.speech_decoder.save_memory(on)


def count(config: ModelConfig) -> dict[str, int]:
    """Parameters of each part, counted on the meta device without memory."""
    with torch.device("meta"):
        model = Vita(config)
    return {name: sum(weight.numel() for weight in model.part(name).parameters()) for name in model.parts}


def build(config: ModelConfig, seed: int) -> Vita:
    """A model with random weights; each part's depend on the seed and its name alone."""
    with torch.random.fork_rng():
        return Vita(config, lambda part: torch.manual_seed(seed * len(PARTS) + PARTS.index(part)))

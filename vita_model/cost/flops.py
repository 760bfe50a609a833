"""Floating-point operations of one sample, by part, as they are executed.

The model runs on the meta device, without memory, under torch's own counter: two operations per multiply-add,
attention as executed, norms and element-wise arithmetic left out. What is frozen has no backward pass, and a
frozen part that something learns in front of passes gradients on without making any for itself, because
autograd does just that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from vita_data.prompt.lengths import audio_tokens, encoder_frames
from vita_model.config.model import ModelConfig
from vita_model.nets.batch import CODES, CTC, LM, STATE
from vita_model.nets.codec.codec import Codec
from vita_model.nets.codec.discriminators import Discriminators
from vita_model.nets.vita import SENSES, Vita

HEARD_RATE = 16000


@dataclass(frozen=True)
class Shape:
    """How much there is of everything in one sample: tokens of text, how many of them are learned, tiles or frames.

    `heard` are seconds of sound in the question, `symbols` the characters of its transcript, `said` seconds of
    the answer as codec tokens.
    """

    text: int = 0
    labelled: int = 0
    tiles: int = 0
    heard: float = 0.0
    symbols: int = 0
    said: float = 0.0


@dataclass(frozen=True)
class Flops:
    """Operations of one part: its forward pass, and what the backward pass adds."""

    forward: int
    backward: int

    @property
    def total(self) -> int:
        """Both."""
        return self.forward + self.backward


def flops(
    config: ModelConfig, trains: tuple[str, ...], terms: tuple[str, ...], shape: Shape
) -> dict[str, Flops]:
    """Operations of a sample by part, in a stage that trains these parts from these terms of the loss.

    Each part runs by itself, on what the parts before it give, with a gradient where they learn: a counter over
    the whole model knows the sum but not whose backward pass is whose.
    """
    with torch.device("meta"):
        calls = pieces(outline(config, trains, terms), terms, shape)
        found = {part: counted(run) for part, run in calls.items()}
    return {part: each for part, each in found.items() if each.total}


def outline(config: ModelConfig, trains: tuple[str, ...], terms: tuple[str, ...]) -> Vita:
    """A model without memory, to count in; within the meta device only."""
    model = Vita(config)
    model.set_trained(trains, terms)
    return model.eval()  # arithmetic is the same, and nothing is drawn


def counted(run: Callable[[], torch.Tensor]) -> Flops:
    """Operations of a call and of the backward pass from what it gives, where that has one."""
    with FlopCounterMode(display=False) as counter:
        made = run()
        forward = counter.get_total_flops()
        if made.requires_grad:
            made.sum().backward()
    return Flops(forward, counter.get_total_flops() - forward)


def pieces(model: Vita, terms: tuple[str, ...], shape: Shape) -> dict[str, Callable[[], torch.Tensor]]:
    """What each part does in the stage on such a sample, as a call that gives something to go backward from."""
    config = model.config
    width = config.language.hidden
    samples = int(shape.heard * HEARD_RATE)
    frames = encoder_frames(samples) if samples else 0
    made: dict[str, Callable[[], torch.Tensor]] = {}
    if shape.tiles and LM in terms:
        vision = config.vision
        tiles = torch.zeros(shape.tiles, 3, vision.tile_pixels, vision.tile_pixels, dtype=torch.uint8)
        features = _given(model, ("vision_tower",), shape.tiles, vision.tokens_per_tile, vision.features)
        made["vision_tower"] = lambda: model.vision_tower(tiles)
        made["projector"] = lambda: model.projector(features)
    if frames and (LM in terms or CTC in terms):
        states = _given(model, ("speech_encoder",), frames, config.encoder.hidden)
        made["speech_encoder"] = lambda: model.speech_encoder(torch.zeros(samples), (samples,))[0]
        if LM in terms:
            made["speech_adapter"] = lambda: model.speech_adapter(states, (frames,))[0]
    if LM in terms:
        senses = [*SENSES["sight"] * bool(shape.tiles), *SENSES["hearing"] * bool(frames)]
        length = sequence_length(config, model.trained_parts, shape)
        embeddings = _given(model, (*senses, "language_model"), length, width)
        made["language_model"] = lambda: _language(model, embeddings, shape.labelled)
    if STATE in terms and samples:
        state = _given(model, ("language_model",), 1, width)
        made["state_head"] = lambda: model.state_head(state, _numbers(1))
    if CODES in terms and shape.said:
        codes = round(shape.said * config.geometry.codec_rate)
        text = torch.zeros(shape.text, width)
        made["speech_decoder"] = lambda: model.speech_decoder(text, (shape.text,), _numbers(codes), (codes,))
    return made


def sequence_length(config: ModelConfig, trains: Collection[str], shape: Shape) -> int:
    """Tokens of a sample's training sequence in a stage that trains these parts: text, tiles and what is heard."""
    samples = int(shape.heard * HEARD_RATE)
    heard = audio_tokens(samples) if samples else 0
    guided = bool(heard) and "prompt_embeddings" in trains  # as the trainer reads such a stage
    seen = shape.tiles * config.vision.tokens_per_tile
    return shape.text + seen + heard + config.adapter.prompts * guided


def _given(model: Vita, by: tuple[str, ...], *size: int) -> torch.Tensor:
    """What a part is given, with a gradient to pass on where one of the parts `by` which it is made learns."""
    return torch.zeros(size).requires_grad_(bool(set(by) & set(model.trained_parts)))


def _language(model: Vita, embeddings: torch.Tensor, labelled: int) -> torch.Tensor:
    length = len(embeddings)
    states = model.language_model.hidden(embeddings, _numbers(length), (0, length))
    losses: torch.Tensor = model.language_model.lm_head(states[_numbers(labelled)], _numbers(labelled))
    return losses


def _numbers(count: int) -> torch.Tensor:
    return torch.zeros(count, dtype=torch.int64)


def codec_flops(config: ModelConfig) -> dict[str, Flops]:
    """Operations of one training segment of the codec, its discriminators' judging included."""
    sizes = config.codec
    with torch.device("meta"):
        codec, judges = Codec(sizes).eval(), Discriminators(sizes)
        segment = torch.zeros(1, 1, sizes.segment)
    with FlopCounterMode(display=False) as counter:
        made = codec.generator(*codec.encoder(segment))
        forward = counter.get_total_flops()
        made.sum().backward()
    lookup = 2 * (sizes.segment // sizes.hop) * sizes.codes * sizes.channels  # distances to the codebook
    found = {"codec": Flops(forward + lookup, counter.get_total_flops() - forward)}
    # They judge what is real and what was made, both times, and learn from it once; what the codec learns from goes
    # back through them without a gradient for their own weights. Torch counts the backward pass of a grouped
    # convolution as if it had no groups, so it is taken as what it is: once the forward pass for each gradient.
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        judges(segment)
        once = counter.get_total_flops()
    found["discriminators"] = Flops(4 * once, 5 * once)
    return found

"""The model written down once more, as plainly as can be: one sample at a time, nothing packed, nothing left out."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional
from transformers import Qwen2Config, Qwen2ForCausalLM

from vita_data.prompt.template import TextPiece, encode_chat
from vita_data.shards.read import Sample
from vita_model.batch.encode import Encoder
from vita_model.batch.pictures import tiles
from vita_model.batch.sounds import waveform
from vita_model.batch.states import NOT_ADDRESSED, REPLY
from vita_model.config.language import LanguageConfig
from vita_model.nets.vita import Vita


def qwen(config: LanguageConfig, attention: str = "eager") -> Qwen2ForCausalLM:
    """Qwen2 as transformers makes it, with nothing of ours inside."""
    said = Qwen2Config(
        vocab_size=config.vocabulary,
        hidden_size=config.hidden,
        intermediate_size=config.intermediate,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        num_key_value_heads=config.kv_heads,
        rms_norm_eps=config.norm_epsilon,
        max_position_embeddings=config.positions,
        rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
        tie_word_embeddings=False,
        attn_implementation=attention,
    )
    return Qwen2ForCausalLM(said)


def plain_twin(model: Vita) -> Vita:
    """A copy with weights of its own under the same names, whose language model is transformers' own."""
    twin = deepcopy(model)
    language = qwen(model.config.language).eval()
    language.load_state_dict(model.language_model.state_dict())
    nn.Module.__setattr__(twin, "language_model", language)
    return twin


@dataclass(frozen=True)
class Laid:
    """A sample as it lies before the language model: T vectors, T labels, where its sounds end, and their states."""

    vectors: torch.Tensor
    labels: torch.Tensor
    ends: list[int]
    states: list[int]


def see(twin: Vita, picture: torch.Tensor) -> torch.Tensor:
    """Vectors of the tiles of one picture: each two by two patches joined, row by row, then projected."""
    config = twin.config.vision
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    pixels = ((picture.permute(0, 2, 3, 1) / 255 - mean) / std).permute(0, 3, 1, 2)
    patches = twin.vision_tower.vision_tower(pixel_values=pixels).last_hidden_state[:, 1:] * 0.5
    side = config.tile_pixels // config.patch_pixels
    grid = patches.unflatten(1, (side, side))
    squares = [
        torch.cat(
            [
                grid[:, row, column],
                grid[:, row, column + 1],
                grid[:, row + 1, column],
                grid[:, row + 1, column + 1],
            ],
            -1,
        )
        for row in range(0, side, 2)
        for column in range(0, side, 2)
    ]
    seen: torch.Tensor = twin.projector(torch.stack(squares, dim=1))
    return seen.flatten(0, 1)


def hear(twin: Vita, sound: torch.Tensor) -> torch.Tensor:
    """Vectors of one sound, the guiding embeddings before them."""
    return torch.cat((twin.prompt_embeddings.weight, twin.hear(sound, (len(sound),))))


def lay(twin: Vita, encoder: Encoder, sample: Sample) -> Laid:
    """The pieces of a conversation laid one behind the other: text, pictures, films and sounds as they come."""
    turns, inserted = sample.record["conversations"], sample.record["inserted_id"]
    seen = [
        tiles(data, grid, encoder.geometry.tile_pixels, encoder.geometry.thumbnail, "picture")
        for data, grid in zip(sample.media, sample.grids, strict=False)
    ]
    pictures = seen[: len(sample.record["image"])]
    frames = iter(seen[len(pictures) :])
    films = [torch.cat([next(frames) for _ in film["frames"]]) for film in sample.record["video"]]
    sounds = [waveform(data, 16000, "sound") for data in sample.media[len(seen) :]]
    media = {"image": pictures, "video": films, "audio": sounds}
    rows: list[torch.Tensor] = []
    labels: list[int] = []
    ends: list[int] = []
    for piece in encode_chat(turns, encoder.tokenizer, encoder.state_tokens, inserted_id=inserted):
        if isinstance(piece, TextPiece):
            rows.append(twin.language_model.model.embed_tokens(torch.tensor(piece.ids)))
            labels += piece.ids if piece.labelled else [-100] * len(piece.ids)
            continue
        medium = media[piece.kind][piece.index]
        rows.append(hear(twin, medium) if piece.kind == "audio" else see(twin, medium))
        labels += [-100] * len(rows[-1])
        if piece.kind == "audio":
            ends.append(len(labels) - 1)
    asked = [n for n, turn in enumerate(turns) for _ in range(turn["value"].count("<audio>"))]
    states = [NOT_ADDRESSED if n + 1 == inserted else REPLY for n in asked]
    return Laid(torch.cat(rows), torch.tensor(labels), ends, states)


@dataclass(frozen=True)
class Found:
    """What comes of a sample: last hidden states (T, D), and the two summed losses."""

    hidden: torch.Tensor
    language: torch.Tensor
    state: torch.Tensor


def run(twin: Vita, encoder: Encoder, sample: Sample) -> Found:
    """One sample by itself: all logits, the cross entropy of the next token, the state where a sound ends."""
    laid = lay(twin, encoder, sample)
    hidden = twin.language_model.model(inputs_embeds=laid.vectors[None]).last_hidden_state[0]
    logits = twin.language_model.lm_head(hidden)
    language = functional.cross_entropy(logits[:-1], laid.labels[1:], ignore_index=-100, reduction="sum")
    state = torch.zeros(())
    if laid.ends:
        heard = functional.linear(hidden[laid.ends], twin.state_head.weight, twin.state_head.bias)
        weights = torch.tensor([1.0, 5.0, 1.0])
        state = functional.cross_entropy(heard, torch.tensor(laid.states), weight=weights, reduction="sum")
    return Found(hidden, language, state)

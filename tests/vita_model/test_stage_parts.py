"""What each stage's card lets learn, learns, and nothing else of the model changes by a bit."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.vita_model.conversations import conversations
from tests.vita_model.formulas import noise
from vita_data.manifest.find import load_stage
from vita_data.manifest.loss import TERMS
from vita_data.manifest.stage import Training, split_stage
from vita_data.prompt.tokenizer import load_tokenizer
from vita_model.batch.collate import collate, empty
from vita_model.batch.encode import Encoder
from vita_model.config.model import ModelConfig
from vita_model.config.presets import tiny
from vita_model.nets.batch import CTC, Batch
from vita_model.nets.codec.losses import MelDistances, codec_terms, weighted
from vita_model.nets.vita import Vita, build
from vita_model.train.parts import groups
from vita_model.train.task import ENCODER, HEAD, PROMPTS

STAGES = ("1.1", "1.2", "1.3", "2.1a", "2.1b", "2.2", "3.1", "3.2")
CHARACTERS = 30


@pytest.fixture(scope="module")
def config() -> ModelConfig:
    return replace(tiny(), characters=CHARACTERS)


@pytest.fixture()
def model(config: ModelConfig) -> Vita:
    return build(config, seed=2)


def training_of(stage: str) -> Training:
    name, half = split_stage(stage)
    return load_stage(name).training(half)


def prepared(model: Vita, training: Training) -> tuple[str, ...]:
    """Lets the stage's parts learn, with the head that a loss on transcripts brings; their names."""
    terms = TERMS[training.loss]
    trains = training.trains + ((HEAD,) if CTC in terms and ENCODER in training.trains else ())
    model.set_trained(trains, terms)
    model.train()
    return trains


def full_pack(config: ModelConfig, trains: tuple[str, ...]) -> Batch:
    """Everything there is to see, to hear, to transcribe and to say."""
    prompts = config.adapter.prompts if PROMPTS in trains else 0
    encoder = Encoder(load_tokenizer(config.geometry.tokenizer), config.geometry, True, prompts)
    batch = collate([encoder.encode(sample) for sample in conversations(config)], states=True)
    draw = torch.Generator().manual_seed(4)
    count = len(batch.sound_lengths)
    return replace(
        batch,
        symbols=torch.randint(2, CHARACTERS, (3 * count,), generator=draw),
        symbol_lengths=(3,) * count,
        clauses=torch.randint(8192, (11,), generator=draw),
        clause_lengths=(4, 7),
        codes=torch.randint(1024, (30,), generator=draw),
        code_lengths=(20, 10),
    )


def loss_of(model: Vita, training: Training, batch: Batch) -> torch.Tensor:
    """The sum of a stage's losses; the codec's without its discriminators."""
    if training.loss == "codec":
        segments = noise(3 * 3600).view(3, 1, -1)
        made = model.codec(segments, segments.roll(1, 0))
        return weighted(codec_terms(made, MelDistances(model.config.codec)(made.waveform, segments)))
    return torch.stack([term.sum() for term in model(batch).values()]).sum()


@pytest.mark.parametrize("stage", STAGES)
def test_one_step_of_a_stage_changes_every_part_it_trains_and_no_other_bit(
    model: Vita, config: ModelConfig, stage: str
) -> None:
    training = training_of(stage)
    trains = prepared(model, training)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(0)
    loss_of(model, training, full_pack(config, trains)).backward()
    reached = {name for name, weight in model.named_parameters() if weight.grad is not None}
    inside = tuple(f"{part}." for part in trains)
    assert reached == {name for name in dict(model.named_parameters()) if name.startswith(inside)}
    torch.optim.AdamW(groups(model, 0.01), lr=1e-3).step()
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert reached <= changed and all(name.startswith(inside) for name in changed)


def test_the_statistics_of_a_frozen_batch_norm_stay(config: ModelConfig) -> None:
    adapter = replace(config.adapter, kind="cnn", norm="batch", activation="relu")
    model = build(replace(config, adapter=adapter), seed=2)
    model.set_trained(("language_model",))
    model.train()
    norms = [
        (name, value.clone()) for name, value in model.named_buffers() if name.startswith("speech_adapter")
    ]
    loss_of(model, training_of("2.2"), full_pack(config, ())).backward()
    assert norms and all(torch.equal(model.get_buffer(name), value) for name, value in norms)


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "3.1"])
def test_a_pack_with_nothing_in_it_gives_what_is_trained_zero_gradients_and_not_none(
    model: Vita, config: ModelConfig, stage: str
) -> None:
    training = training_of(stage)
    prepared(model, training)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    loss = loss_of(model, training, empty(config.geometry.tile_pixels))
    assert loss.item() == 0.0
    loss.backward()
    for weight in model.parameters():
        assert (weight.grad is None) != weight.requires_grad
        assert weight.grad is None or not weight.grad.any()
    torch.optim.AdamW(groups(model, 0.0), lr=1e-3).step()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())

"""Everything that can be seen and heard, packed into one sequence, beside each sample by itself in plain calls."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from tests.vita_model import plain
from tests.vita_model.conversations import conversations
from vita_data.manifest.geometry import Geometry
from vita_data.prompt.tokenizer import load_tokenizer
from vita_data.shards.read import Sample
from vita_model.batch.collate import collate
from vita_model.batch.encode import Encoder
from vita_model.config.decoder import DecoderConfig
from vita_model.config.language import LanguageConfig
from vita_model.config.model import ModelConfig
from vita_model.config.presets import tiny
from vita_model.config.speech import AdapterConfig
from vita_model.config.vision import VisionConfig
from vita_model.nets.batch import LM, STATE, Batch
from vita_model.nets.cmvn import Moments
from vita_model.nets.fbank import fbank
from vita_model.nets.vita import Vita, build

LEARNED = (
    "vision_tower",
    "projector",
    "speech_encoder",
    "speech_adapter",
    "prompt_embeddings",
    "language_model",
    "state_head",
)
# A number added to all keys of a query changes no attention: these gradients are nothing but rounding.
KEY_BIASES = ("attention.k_proj.bias", "attention.key.bias")
UNHEARD = ("speech_decoder", "codec")  # what reading and listening never use


def paper_tiles() -> ModelConfig:
    """The paper's geometry, of 448 pixels and 256 tokens a tile, at a narrow width and a short vocabulary."""
    return ModelConfig(
        preset="narrow",
        vision=VisionConfig(hidden=64, layers=1, heads=2, intermediate=128),
        language=LanguageConfig(
            hidden=32, layers=2, heads=4, kv_heads=2, intermediate=64, vocabulary=8256, positions=8192
        ),
        geometry=replace(Geometry(), tokenizer="qwen2.5-8k"),
        encoder=tiny().encoder,
        adapter=AdapterConfig(channels=32, prompts=3),
        decoder=DecoderConfig(width=16, heads=2, kv_heads=2, intermediate=32, layers=1, nar_layers=1),
        codec=tiny().codec,
    )


@pytest.fixture(scope="module", params=[tiny, paper_tiles], ids=["tiles-of-112", "tiles-of-448"])
def config(request: pytest.FixtureRequest) -> ModelConfig:
    made: ModelConfig = request.param()
    return made


@pytest.fixture(scope="module")
def model(config: ModelConfig, encoder: Encoder, samples: list[Sample]) -> Vita:
    """Random weights, its speech features normalised as before a training: else all its frames are alike."""
    made = build(config, seed=3).eval()
    made.set_trained(LEARNED, (LM, STATE))
    sounds = collate([encoder.encode(sample) for sample in samples])
    bins = config.encoder.mel_bins
    made.speech_encoder.cmvn.take(Moments.of(fbank(sounds.sounds, sounds.sound_lengths, bins)))
    return made


@pytest.fixture(scope="module")
def encoder(config: ModelConfig) -> Encoder:
    geometry = config.geometry
    return Encoder(load_tokenizer(geometry.tokenizer), geometry, True, prompts=config.adapter.prompts)


@pytest.fixture(scope="module")
def samples(config: ModelConfig) -> list[Sample]:
    return conversations(config)


@pytest.fixture(scope="module")
def pack(encoder: Encoder, samples: list[Sample]) -> Batch:
    return collate([encoder.encode(sample) for sample in samples], states=True)


def apart(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """The relative distance of two tensors."""
    return float(((found - wanted).norm() / wanted.norm()).detach())


def test_packed_samples_give_the_states_losses_and_gradients_of_plain_calls(
    model: Vita, encoder: Encoder, samples: list[Sample], pack: Batch
) -> None:
    twin = plain.plain_twin(model)
    model.zero_grad()
    losses = model(pack)
    (losses[LM].sum() + losses[STATE].sum()).backward()
    with torch.no_grad():
        hidden = model.hidden(pack)
    alone = [plain.run(twin, encoder, sample) for sample in samples]
    torch.stack([found.language + found.state for found in alone]).sum().backward()
    for found, first, last in zip(alone, pack.segments, pack.segments[1:], strict=False):
        assert len(found.hidden) == last - first
        assert apart(hidden[first:last], found.hidden) < 1e-5
    for term, single in ((LM, [one.language for one in alone]), (STATE, [one.state for one in alone])):
        assert apart(losses[term].sum(), torch.stack(single).sum()) < 1e-5
    wanted = {name: weight.grad for name, weight in twin.named_parameters()}
    for name, weight in model.named_parameters():
        found, right = weight.grad, wanted[name]
        if found is None or right is None:
            assert found is right and name.startswith(UNHEARD)
        elif name.endswith(KEY_BIASES):
            beside = wanted[name.replace("bias", "weight")]
            assert beside is not None and max(found.norm(), right.norm()) < 1e-5 * beside.norm()
        else:
            assert apart(found, right) < 1e-5, name


@pytest.mark.parametrize("what", ["pixels", "sounds", "ids"])
def test_changing_what_a_neighbour_shows_says_or_sounds_like_changes_nothing_to_the_bit(
    model: Vita, encoder: Encoder, samples: list[Sample], pack: Batch, what: str
) -> None:
    """Of equal sizes, since kernels cut their work by the number of rows; else the distance above holds."""
    mine = 3
    encoded = [encoder.encode(sample) for sample in samples]
    first, last = pack.segments[mine : mine + 2]
    others = torch.ones(pack.tokens, dtype=torch.bool)
    others[first:last] = False
    if what == "ids":
        changed = replace(pack, ids=torch.where(others, pack.ids.roll(1) % 5000, pack.ids))
    elif what == "pixels":
        turned = [255 - one.tiles if n != mine else one.tiles for n, one in enumerate(encoded)]
        changed = replace(pack, tiles=torch.cat(turned))
    else:
        louder = [2 * s if n != mine else s for n, one in enumerate(encoded) for s in one.sounds]
        changed = replace(pack, sounds=torch.cat(louder))
    with torch.no_grad():
        before, after = model.hidden(pack), model.hidden(changed)
    assert torch.equal(before[first:last], after[first:last])
    assert not torch.equal(before[others], after[others])


def test_a_head_of_two_classes_learns_at_the_end_of_every_question_of_a_pack() -> None:
    config = replace(tiny(), states=2)
    model = build(config, seed=3).eval()
    model.set_trained(("state_head",), (LM, STATE))
    encoder = Encoder(load_tokenizer(config.geometry.tokenizer), config.geometry, True, classes=config.states)
    pack = collate([encoder.encode(sample) for sample in conversations(config)], states=True)
    assert pack.state_targets.tolist() == [0, 0, 0, 1, 1, 0, 1, 0, 1]
    with torch.no_grad():
        logits = model.state_head(model.hidden(pack)[pack.state_places])
        plainly = functional.cross_entropy(logits, pack.state_targets, reduction="sum")
        torch.testing.assert_close(model(pack)[STATE].sum(), plainly)

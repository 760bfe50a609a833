"""The language model: other architectures, its cache, and what lower precision must leave alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from transformers.cache_utils import DynamicCache

from vita_data.errors import UsageError
from vita_model.config.language import LanguageConfig
from vita_model.nets.language import LanguageModel

QWEN = LanguageConfig(
    hidden=64, layers=2, heads=4, kv_heads=2, intermediate=96, vocabulary=300, positions=512
)
KINDS = {
    "qwen2": QWEN,
    "nemo": replace(QWEN, architecture="mistral", head_width=32),
    "mixtral": replace(QWEN, architecture="mixtral", experts=4, experts_used=2),
    "llama": replace(QWEN, architecture="llama"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_packed_samples_and_a_cache_give_what_each_sample_alone_gives(kind: str) -> None:
    torch.manual_seed(1)
    model = LanguageModel(KINDS[kind]).eval()
    rows = torch.randn(20, 64)
    positions = torch.cat([torch.arange(8), torch.arange(12)])
    packed = model.hidden(rows, positions, (0, 8, 20))
    alone = [model.hidden(rows[a:b], positions[a:b], (0, b - a)) for a, b in ((0, 8), (8, 20))]
    torch.testing.assert_close(packed, torch.cat(alone), atol=1e-5, rtol=1e-5)
    cache = DynamicCache(config=model.model.config)
    pieces = [model.go_on(rows[a:b], cache) for a, b in ((8, 13), (13, 14), (14, 20))]
    torch.testing.assert_close(torch.cat(pieces), alone[1], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        (
            LanguageConfig("mixtral", 4096, 32, 32, 8, 0, 14336, 51760, experts=8, experts_used=2),
            46_864_666_624,
        ),
        (LanguageConfig("mistral", 5120, 40, 32, 8, 128, 14336, 131072), 12_247_782_400),
    ],
    ids=["Mixtral-8x7B with VITA-1.0's vocabulary", "Nemo"],
)
def test_the_other_language_models_of_vita_have_their_size(config: LanguageConfig, parameters: int) -> None:
    with torch.device("meta"):
        model = LanguageModel(config)
    assert sum(weight.numel() for weight in model.parameters()) == parameters


def test_an_architecture_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UsageError, match="'cleverest' is unknown"):
        LanguageModel(replace(QWEN, architecture="cleverest"))


def test_rotary_frequencies_stay_exact_in_a_model_of_lower_precision() -> None:
    model = LanguageModel(QWEN)
    before = dict(model.named_buffers())
    kept = {name: buffer.clone() for name, buffer in before.items()}
    model.bfloat16()
    assert kept and next(model.parameters()).dtype == torch.bfloat16
    assert all(torch.equal(buffer, kept[name]) for name, buffer in model.named_buffers())


def test_blocks_that_are_computed_twice_give_the_same_gradients() -> None:
    rows, positions = torch.randn(20, 64), torch.arange(20)
    found = []
    for on in (False, True):
        torch.manual_seed(1)
        model = LanguageModel(QWEN).train()
        model.save_memory(on)
        model.hidden(rows, positions, (0, 20)).square().sum().backward()
        found.append([weight.grad for weight in model.model.parameters()])
    assert all(torch.equal(one, two) for one, two in zip(*found, strict=True) if one is not None)

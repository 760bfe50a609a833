"""The adapter between speech and language: its size, its counts, its variants."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from vita_data.errors import UsageError
from vita_data.prompt.lengths import audio_tokens, encoder_frames
from vita_model.config.speech import AdapterConfig
from vita_model.nets.adapter import PromptEmbeddings, SpeechAdapter

SMALL = AdapterConfig(channels=12)
CNN = AdapterConfig(kind="cnn", channels=12, kernel=3, norm="batch", activation="relu")


def made(config: AdapterConfig = SMALL, hidden: int = 6, llm_hidden: int = 8) -> SpeechAdapter:
    """An adapter in eval mode, with random weights that are always the same."""
    torch.manual_seed(0)
    return SpeechAdapter(config, hidden, llm_hidden).eval()


def test_the_released_adapter_has_17835520_parameters() -> None:
    with torch.device("meta"):
        adapter = SpeechAdapter(AdapterConfig(), 1024, 3584)
    assert sum(weight.numel() for weight in adapter.parameters()) == 17_835_520


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 60000), min_size=1, max_size=4), st.sampled_from([SMALL, CNN]))
def test_every_clip_has_the_tokens_that_the_build_counts(samples: list[int], config: AdapterConfig) -> None:
    frames = tuple(map(encoder_frames, samples))
    vectors, tokens = made(config)(torch.randn(sum(frames), 6), frames)
    assert tokens == tuple(map(audio_tokens, samples)) and vectors.shape == (sum(tokens), 8)


def test_a_vector_sees_two_states_and_three_behind_them_with_zeros_after_the_clip() -> None:
    adapter = made()
    states = torch.randn(7 + 4, 6)
    found, tokens = adapter(states, (7, 4))
    assert tokens == (4, 2)
    stage = adapter.stages[0]
    for clip, vectors in zip(states.split((7, 4)), found.split(tokens), strict=True):
        padded = functional.pad(clip.T, (0, 4))[None]
        rows = functional.conv1d(padded, stage.convolution.weight, stage.convolution.bias, 2)[0].T
        rows = functional.gelu(functional.layer_norm(rows, (12,), stage.norm.weight, stage.norm.bias, 1e-3))
        torch.testing.assert_close(vectors, adapter.project(rows[: len(vectors)]))


@pytest.mark.parametrize("config", [SMALL, replace(SMALL, kernel=3), CNN, replace(CNN, stride=1, kernel=1)])
def test_a_clips_vectors_do_not_depend_on_its_batch(config: AdapterConfig) -> None:
    adapter, frames = made(config), (5, 0, 1, 12, 2)
    states = torch.randn(sum(frames), 6)
    together, tokens = adapter(states, frames)
    clips = zip(states.split(frames), frames, strict=True)
    alone = [adapter(clip, (count,))[0] for clip, count in clips]
    torch.testing.assert_close(together, torch.cat(alone))
    assert tuple(map(len, alone)) == tokens


def test_a_causal_adapter_does_not_look_ahead() -> None:
    adapter, states = made(CNN), torch.randn(9, 6)
    changed = torch.cat((states[:5], torch.randn(4, 6)))
    assert torch.equal(adapter(states, (9,))[0][:3], adapter(changed, (9,))[0][:3])


def test_batch_norm_learns_from_real_rows_alone() -> None:
    adapter = made(replace(CNN, kernel=1)).train()
    states = torch.randn(9, 6)
    adapter(states, (2, 0, 7))
    stage = adapter.stages[0]
    rows = functional.linear(states, stage.convolution.weight[..., 0], stage.convolution.bias)
    torch.testing.assert_close(stage.norm.running_mean, 0.1 * rows.mean(0))


@pytest.mark.parametrize("field", ["kind", "norm", "activation"])
def test_an_unknown_variant_is_refused_with_those_there_are(field: str) -> None:
    with pytest.raises(UsageError, match=f"{field} 'swish' is unknown; write one of"):
        made(replace(SMALL, **{field: "swish"}))


def test_guiding_embeddings_come_as_a_whole_set_for_each_clip() -> None:
    prompts = PromptEmbeddings(25, 8)
    found = prompts(3)
    assert found.shape == (75, 8) and torch.equal(found[25:50], prompts.weight)
    found.sum().backward()
    assert torch.equal(prompts.weight.grad, torch.full((25, 8), 3.0))

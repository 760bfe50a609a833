"""Blocks under spelt-out masks, against the same blocks as `transformers` runs them."""

from __future__ import annotations

import pytest
import torch
from transformers.models.llama.configuration_llama import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaDecoderLayer, LlamaRotaryEmbedding

from vita_model.config.decoder import DecoderConfig
from vita_model.nets.llama import Blocks, rotary
from vita_model.nets.visible import after_a_prefix, everything, visible_attention

CONFIG = DecoderConfig(width=64, heads=4, kv_heads=2, intermediate=96)
CPU = torch.device("cpu")


def upstream() -> LlamaConfig:
    return LlamaConfig(
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        attn_implementation="eager",
        max_position_embeddings=2048,
    )


@pytest.mark.parametrize("mask", [everything(9, 9, CPU), after_a_prefix(4, 9, CPU)], ids=["nar", "ar"])
def test_blocks_equal_those_of_transformers(mask: torch.Tensor) -> None:
    torch.manual_seed(0)
    blocks = Blocks(CONFIG, 2)
    config = upstream()
    layers = torch.nn.ModuleList(LlamaDecoderLayer(config, number) for number in range(2))
    layers.load_state_dict(blocks.layers.state_dict())
    vectors = torch.randn(9, 64)
    wanted = vectors[None]
    turns = LlamaRotaryEmbedding(config)(wanted, torch.arange(9)[None])
    fill = torch.zeros(9, 9).masked_fill(~mask, torch.finfo(torch.float32).min)[None, None]
    for layer in layers:
        wanted = layer(wanted, attention_mask=fill, position_embeddings=turns)
    found = blocks(vectors, torch.arange(9), (mask,))
    torch.testing.assert_close(found, wanted[0], rtol=1e-6, atol=1e-6)


def test_rotations_are_those_of_transformers_up_to_the_last_position() -> None:
    wanted = LlamaRotaryEmbedding(upstream())(torch.zeros(1), torch.arange(2048)[None])
    for found, turn in zip(rotary(torch.arange(2048), 16, 10000.0), wanted, strict=True):
        assert torch.equal(found, turn[0])


def test_a_prefix_sees_itself_whole_and_what_follows_sees_its_past() -> None:
    assert after_a_prefix(2, 4, CPU).int().tolist() == [
        [1, 1, 0, 0],
        [1, 1, 0, 0],
        [1, 1, 1, 0],
        [1, 1, 1, 1],
    ]


def test_changing_a_neighbour_changes_nothing_to_the_bit() -> None:
    torch.manual_seed(1)
    tensors = [torch.randn(1, heads, 12, 8) for heads in (4, 2, 2)]
    masks = (everything(5, 5, CPU), after_a_prefix(3, 7, CPU))
    before, _ = visible_attention(torch.nn.Module(), *tensors, None, visible=masks)
    for tensor in tensors:
        tensor[:, :, :5] = float("nan")
    after, _ = visible_attention(torch.nn.Module(), *tensors, None, visible=masks)
    assert torch.equal(before[:, 5:], after[:, 5:])


def test_a_mask_over_all_utterances_is_refused() -> None:
    tensors = [torch.randn(1, 2, 4, 8) for _ in range(3)]
    with pytest.raises(ValueError, match="one mask for each utterance"):
        visible_attention(torch.nn.Module(), *tensors, torch.ones(4, 4), visible=(everything(4, 4, CPU),))

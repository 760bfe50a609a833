"""Packed attention: exact inside a segment, blind outside it."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from vita_model.nets.attention import packed_attention, varlen

SEGMENTS = (0, 5, 6, 19, 32)


def tensors(seed: int = 0) -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return [torch.randn(1, heads, 32, 16, generator=draw) for heads in (4, 2, 2)]


def test_it_equals_attention_under_a_dense_block_mask() -> None:
    query, key, value = tensors()
    owner = torch.bucketize(torch.arange(32), torch.tensor(SEGMENTS[1:]), right=True)
    mask = (owner[:, None] == owner[None]) & torch.ones(32, 32, dtype=torch.bool).tril()
    dense = functional.scaled_dot_product_attention(
        query, key.repeat_interleave(2, 1), value.repeat_interleave(2, 1), attn_mask=mask, scale=0.3
    )
    found, _ = packed_attention(torch.nn.Module(), query, key, value, None, scaling=0.3, segments=SEGMENTS)
    torch.testing.assert_close(found, dense.transpose(1, 2), atol=1e-6, rtol=1e-5)


def test_changing_a_neighbour_changes_nothing_to_the_bit() -> None:
    query, key, value = tensors()
    before, _ = packed_attention(torch.nn.Module(), query, key, value, None, segments=SEGMENTS)
    for tensor in (query, key, value):
        tensor[:, :, :6] = 1e4
        tensor[:, :, 19:] = float("nan")
    after, _ = packed_attention(torch.nn.Module(), query, key, value, None, segments=SEGMENTS)
    assert torch.equal(before[:, 6:19], after[:, 6:19])


@pytest.mark.parametrize("segments", [(0, 31), (1, 32)])
def test_bounds_that_do_not_cover_the_sequence_are_refused(segments: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="segment bounds"):
        packed_attention(torch.nn.Module(), *tensors(), None, segments=segments)


def test_it_equals_flex_attention_under_a_block_mask_within_1e_5() -> None:
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    query, key, value = tensors()
    owner = torch.bucketize(torch.arange(32), torch.tensor(SEGMENTS[1:]), right=True)

    def visible(batch: object, head: object, row: torch.Tensor, column: torch.Tensor) -> torch.Tensor:
        return (owner[row] == owner[column]) & (row >= column)

    mask = create_block_mask(visible, None, None, 32, 32, device="cpu")
    flexible = flex_attention(query, key, value, block_mask=mask, enable_gqa=True)
    found, _ = packed_attention(torch.nn.Module(), query, key, value, None, segments=SEGMENTS)
    torch.testing.assert_close(found, flexible.transpose(1, 2), atol=1e-5, rtol=1e-5)


def test_half_precision_agrees_with_full_precision_within_2e_2() -> None:
    query, key, value = tensors()
    full, _ = packed_attention(torch.nn.Module(), query, key, value, None, segments=SEGMENTS)
    halves = [tensor.bfloat16() for tensor in (query, key, value)]
    half, _ = packed_attention(torch.nn.Module(), *halves, None, segments=SEGMENTS)
    torch.testing.assert_close(half.float(), full, atol=2e-2, rtol=2e-2)


def test_the_kernel_of_gpus_takes_what_it_is_given_as_far_as_a_machine_without_one_can_tell() -> None:
    query, key, value = (tensor.to("meta", torch.bfloat16) for tensor in tensors())
    assert varlen(query, key, value, SEGMENTS, 0.3).shape == (1, 32, 4, 16)


def test_without_bounds_the_queries_are_the_last_of_what_the_cache_holds() -> None:
    query, key, value = tensors()
    whole, _ = packed_attention(torch.nn.Module(), query, key, value, None, segments=(0, 32))
    last, _ = packed_attention(torch.nn.Module(), query[:, :, 27:], key, value, None)
    torch.testing.assert_close(last, whole[:, 27:], atol=1e-6, rtol=1e-5)

"""Packed attention: exact inside a segment, blind outside it."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from vita_model.nets.attention import packed_attention

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


@pytest.mark.parametrize("segments", [(), (0, 31), (1, 32)])
def test_bounds_that_do_not_cover_the_sequence_are_refused(segments: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="segment bounds"):
        packed_attention(torch.nn.Module(), *tensors(), None, segments=segments)

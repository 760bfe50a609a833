"""The quantisers: nearest codes, gradients past and into them, and codes that come back into use."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vita_model.config.codec import CodecConfig
from vita_model.nets.codec.codebook import Codebook, code_use
from vita_model.nets.codec.quantiser import Quantiser

SMALL = CodecConfig(channels=32, codes=16, global_codes=2, voice=(0, 0), global_hidden=4, restart_after=2)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_a_row_gets_the_code_at_the_least_distance(seed):
    torch.manual_seed(seed)
    book, rows = Codebook(9, 3, 0), torch.randn(20, 3)
    torch.nn.init.normal_(book.vectors)
    vectors, codes = book(rows)
    assert torch.equal(codes, torch.cdist(rows.double(), book.vectors.double()).argmin(1))
    assert torch.equal(vectors, book.vectors[codes])


def test_codes_are_chosen_in_full_precision_under_autocast():
    book = Codebook(2, 1, 0)
    with torch.no_grad():
        book.vectors.copy_(torch.tensor([[1.0], [1.001]]))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert book.nearest(torch.tensor([[1.0009]])).tolist() == [1]


def test_the_gradient_passes_straight_through_and_the_losses_pull_both_sides():
    torch.manual_seed(0)
    quantiser = Quantiser(SMALL)
    vectors = torch.randn(2, 32, 5, requires_grad=True)
    voice = torch.randn(2, 8, requires_grad=True)
    made = quantiser(vectors, voice)
    weight = torch.randn_like(made.vectors)
    ((straight,),) = [torch.autograd.grad((made.vectors * weight).sum(), [vectors], retain_graph=True)]
    assert torch.equal(straight, weight)
    chosen = quantiser.frame_vectors(made.frame_codes)
    assert torch.allclose(chosen, made.vectors, atol=1e-6)
    assert torch.allclose(quantiser.voice_vector(made.global_codes), made.voice, atol=1e-6)
    wanted = 1.25 * sum((chosen[n] - vectors[n]).square().mean() for n in range(2))
    assert torch.allclose(made.frame_loss, wanted)
    to_vectors, to_book = torch.autograd.grad(made.frame_loss, [vectors, quantiser.frames.vectors])
    assert torch.allclose(to_vectors, 0.25 * 2 * (vectors - chosen) / (32 * 5), atol=1e-7)
    pulls = torch.zeros_like(to_book)
    rows = ((chosen - vectors) * 2 / (32 * 5)).transpose(1, 2).reshape(-1, 32)
    pulls.index_add_(0, made.frame_codes.flatten(), rows.detach())
    assert torch.allclose(to_book, pulls, atol=1e-7)


def test_a_code_that_stays_unused_moves_to_a_row_that_was_asked():
    book = Codebook(4, 2, restart_after=2).train()
    with torch.no_grad():
        book.vectors.copy_(torch.tensor([[0.0, 0.0], [5.0, 5.0], [9.0, 9.0], [-7.0, -7.0]]))
    rows = torch.tensor([[0.1, 0.0], [5.1, 5.0], [0.0, 0.2]])
    for step in range(2):
        book(rows)
        assert book.refresh(torch.Generator().manual_seed(step)).tolist() == []
    assert book.idle.tolist() == [0, 0, 6, 6]
    book(rows)
    restarted = book.refresh(torch.Generator().manual_seed(2)).tolist()
    assert sorted(restarted) == [2, 3] and book.idle.tolist() == [0, 0, 0, 0]
    moved = book.vectors[[2, 3]].tolist()
    assert all(row in rows.tolist() for row in moved) and moved[0] != moved[1]
    assert book.vectors[:2].tolist() == [[0.0, 0.0], [5.0, 5.0]]


def test_restarts_depend_on_the_seed_alone():
    def restarted(seed: int) -> torch.Tensor:
        torch.manual_seed(1)
        quantiser = Quantiser(SMALL)
        for _ in range(6):
            quantiser(torch.randn(4, 32, 10), torch.randn(4, 8))
            torch.rand(seed)
            quantiser.refresh(7)
            torch.manual_seed(2)
        return quantiser.frames.vectors.detach()

    assert torch.equal(restarted(1), restarted(3))


def test_nothing_is_restarted_where_the_switch_is_off_and_nothing_noted_in_evaluation():
    off = Codebook(4, 2, restart_after=0).train()
    before = off.vectors.detach().clone()
    for seed in range(20):
        off(torch.randn(8, 2))
        assert not len(off.refresh(torch.Generator().manual_seed(seed)))
    assert torch.equal(off.vectors, before)
    quiet = Codebook(4, 2, restart_after=1).eval()
    quiet(torch.randn(100, 2))
    quiet.refresh(torch.Generator())
    assert quiet.idle.tolist() == [0, 0, 0, 0]


def test_more_idle_codes_than_rows_are_restarted_longest_idle_first():
    book = Codebook(5, 1, restart_after=1).train()
    book.idle.copy_(torch.tensor([0, 30, 10, 50, 40]))
    with torch.no_grad():
        book.vectors.copy_(torch.tensor([[0.0], [100.0], [200.0], [300.0], [400.0]]))
    book(torch.tensor([[1.0], [2.0]]))
    assert book.refresh(torch.Generator().manual_seed(0)).tolist() == [3, 4]


def test_code_use_is_a_perplexity_and_a_share():
    perplexity, share = code_use(torch.tensor([[4, 4, 0, 0], [8, 0, 0, 0], [0, 0, 0, 0]]))
    assert torch.allclose(perplexity, torch.tensor([2.0, 1.0, 1.0]))
    assert share.tolist() == [0.5, 0.25, 0.0]

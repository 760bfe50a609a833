"""Training in bf16: what was learned is handed on as it was, and not as the engine rounds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from vita_model.config.presets import tiny
from vita_model.nets.adapter import SpeechAdapter
from vita_model.train import checkpoint
from vita_model.train.options import Options
from vita_model.train.program import train
from vita_model.train.tensors import Tensors


def weights(run: Path) -> dict[str, torch.Tensor]:
    stored = Tensors(checkpoint.find(run), "model")
    return {name: stored.read(name) for name in stored.names()}


@pytest.mark.slow
def test_what_bf16_has_learned_reaches_the_next_stage_to_the_bit(
    make_stage: Callable[..., Path], tmp_path: Path
) -> None:
    rough, still = {"precision": "bf16"}, {"precision": "bf16", "learning_rate": 0.0}
    make_stage(tmp_path, "1.1", shards=1, held_out=0, trains=["projector"], schedule=rough)
    still |= {"vision_learning_rate": 0.0}
    make_stage(tmp_path, "1.2", shards=1, held_out=0, needs=["1.1"], schedule=still)
    first = Options("1.1", str(tmp_path), "tiny", tmp_path / "first")
    train(first)
    learned = weights(first.out)["projector.0.weight"]
    assert learned.dtype == torch.float32 and not torch.equal(learned, learned.bfloat16().float())
    for zero in (1, 2, 3):
        run = tmp_path / f"second{zero}"
        train(Options("1.2", str(tmp_path), "tiny", run, init=(first.out,), zero=zero))
        before, after = weights(first.out), weights(run)
        moved = [name for name, value in before.items() if not torch.equal(value, after[name])]
        assert moved == [], zero


def test_the_adapters_batch_norm_keeps_its_statistics_in_fp32() -> None:
    config = replace(tiny().adapter, norm="batch")
    torch.manual_seed(0)
    exact = SpeechAdapter(config, 16, 32).train()
    norm = exact.stages[0].norm
    assert isinstance(norm, nn.BatchNorm1d)
    reference = nn.BatchNorm1d(norm.num_features, eps=norm.eps)
    rows = torch.randn(40, norm.num_features) + 3.0
    assert torch.equal(norm(rows), reference(rows))
    for name, buffer in reference.named_buffers():
        assert torch.equal(norm.get_buffer(name), buffer), name
    rough = exact.bfloat16()
    states = (torch.randn(64, 16) * 3.0).bfloat16()
    vectors, _ = rough(states, (64,))
    assert vectors.dtype == torch.bfloat16 and norm.running_mean is not None
    assert norm.running_mean.dtype == torch.float32 and norm.weight.dtype == torch.bfloat16
    assert not torch.equal(norm.running_mean, norm.running_mean.bfloat16().float())
    vectors.float().sum().backward()
    assert norm.weight.grad is not None and norm.weight.grad.dtype == torch.bfloat16

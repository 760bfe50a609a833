"""The chunked loss against the plain one."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch.nn import functional

from vita_model.nets import loss
from vita_model.nets.loss import LanguageHead


@pytest.mark.parametrize("rows", [1, 7, 64, 100])
def test_loss_and_gradients_equal_the_plain_ones(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(loss, "CHUNK_LOGITS", 32 * 301)
    torch.manual_seed(rows)
    head = LanguageHead(24, 301)
    hidden = torch.randn(rows, 24, requires_grad=True)
    targets = torch.randint(0, 301, (rows,))
    plain = functional.cross_entropy(functional.linear(hidden, head.weight), targets, reduction="none")
    shares = torch.rand(rows)
    wanted = torch.autograd.grad((plain * shares).sum(), (hidden, head.weight))
    chunked = head(hidden, targets)
    found = torch.autograd.grad((chunked * shares).sum(), (hidden, head.weight))
    torch.testing.assert_close(chunked, plain, atol=1e-6, rtol=1e-6)
    for mine, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-6, rtol=1e-6)


def test_no_labels_give_a_loss_of_zero_and_zero_gradients() -> None:
    head = LanguageHead(8, 16)
    total = head(torch.zeros(0, 8), torch.zeros(0, dtype=torch.int64)).sum()
    total.backward()
    assert total == 0 and head.weight.grad is not None and not head.weight.grad.any()


def test_a_frozen_head_passes_the_gradient_on_and_gets_none() -> None:
    head = LanguageHead(8, 16).requires_grad_(False)
    hidden = torch.randn(3, 8, requires_grad=True)
    head(hidden, torch.tensor([1, 2, 3])).sum().backward()
    assert hidden.grad is not None and hidden.grad.any() and head.weight.grad is None


def test_half_precision_weights_give_logits_in_full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss, "VOCABULARY_SLICE", 100)
    head = LanguageHead(24, 301).bfloat16()
    hidden = torch.randn(5, 24).bfloat16()
    found = head(hidden)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, functional.linear(hidden.float(), head.weight.float()))


PEAK = """
from pathlib import Path
import torch
from torch.nn import functional
from vita_model.nets.loss import LanguageHead

def peak():  # getrusage would tell the peak of the process that started this one, where that is higher
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) << 10

head = LanguageHead(16, 152064).requires_grad_(False)
hidden = torch.randn(6200, 16, requires_grad=True)
targets = torch.randint(0, 152064, (6200,))
head(hidden[:2], targets[:2]).sum().backward()  # libraries are loaded
before = peak()
head(hidden, targets).sum().backward()
print(peak() - before)
"""


@pytest.mark.slow
def test_the_loss_of_a_full_sequence_of_the_paper_stays_below_a_gigabyte() -> None:
    done = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert 1 << 20 < int(done.stdout) < 1 << 30

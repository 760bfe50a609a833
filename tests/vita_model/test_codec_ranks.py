"""What of the codec looks at the whole batch, on two ranks: the norm and the codebooks do what one rank would do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from vita_model.nets.codec.codebook import Codebook
from vita_model.nets.codec.norm import BatchNorm

ROOT = Path(__file__).parents[2]
TYPES = (torch.float64, torch.float32)

# A rank: its every second row of the batch that the test has left through a norm and a codebook.
RANK = """
import sys
from pathlib import Path
import torch
from torch import distributed
from tests.vita_model import test_codec_ranks as ranks
rank, home = int(sys.argv[1]), Path(sys.argv[2])
distributed.init_process_group("gloo", init_method=f"file://{home}/meeting", rank=rank, world_size=2)
found = {f"norm {kind}": ranks.normed(ranks.BatchNorm, kind, slice(rank, None, 2)) for kind in ranks.TYPES}
found["codebook"] = ranks.restarted(slice(rank, None, 2))
torch.save(found, home / f"{rank}.pt")
distributed.barrier()
distributed.destroy_process_group()
"""


def normed(kind: type[nn.BatchNorm1d], dtype: torch.dtype, mine: slice) -> dict[str, torch.Tensor]:
    """Two batches of five rows, alike to a thousandth, through a norm; what it makes, its gradients and statistics."""
    torch.manual_seed(0)
    norm = kind(7, dtype=dtype)
    nn.init.uniform_(norm.weight, 0.5, 2.0)
    nn.init.normal_(norm.bias)
    rows = (0.1 + 1e-3 * torch.randn(2, 5, 7, dtype=torch.float64)).to(dtype)
    pull = torch.randn(5, 7, dtype=torch.float64).to(dtype)
    given = rows[:, mine].clone().requires_grad_()
    made = torch.stack([norm(batch) for batch in given])
    (made[1] * pull[mine]).sum().backward()
    gradients = {f"gradient of {name}": value.grad for name, value in norm.named_parameters()}
    return {"made": made.detach(), "gradient": given.grad, **gradients, **dict(norm.named_buffers())}


def restarted(mine: slice) -> dict[str, torch.Tensor]:
    """Five segments of three rows ask a codebook that restarts what they did not use."""
    torch.manual_seed(1)
    book = Codebook(24, 2, restart_after=1).train()
    asked = torch.randn(4, 5, 3, 2)
    moved = []
    for step, batch in enumerate(asked):
        book(batch[mine])
        moved.append(book.refresh(torch.Generator().manual_seed(step)))
    return {"moved": torch.cat(moved), "idle": book.idle, "vectors": book.vectors.detach()}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of two ranks found."""
    home = tmp_path_factory.mktemp("ranks")
    running = [
        subprocess.Popen([sys.executable, "-c", RANK, str(rank), str(home)], cwd=ROOT) for rank in range(2)
    ]
    assert [each.wait(120) for each in running] == [0, 0]
    return [torch.load(home / f"{rank}.pt") for rank in range(2)]


@pytest.mark.parametrize(("dtype", "apart"), zip(TYPES, (1e-12, 2e-5), strict=True))
def test_the_norm_of_two_ranks_is_torchs_norm_of_the_joined_batch(
    found: list[dict[str, Any]], dtype: torch.dtype, apart: float
) -> None:
    joined = normed(nn.BatchNorm1d, dtype, slice(None))
    first, second = (each[f"norm {dtype}"] for each in found)
    made, gradient = torch.empty_like(joined["made"]), torch.empty_like(joined["gradient"])
    made[:, 0::2], made[:, 1::2] = first["made"], second["made"]
    gradient[:, 0::2], gradient[:, 1::2] = first["gradient"], second["gradient"]
    torch.testing.assert_close(made, joined["made"], rtol=apart, atol=apart)
    torch.testing.assert_close(gradient, joined["gradient"], rtol=apart, atol=apart)
    for name in ("gradient of weight", "gradient of bias"):
        torch.testing.assert_close(first[name] + second[name], joined[name], rtol=apart, atol=apart)
    for name in ("running_mean", "running_var", "num_batches_tracked"):
        assert torch.equal(first[name], second[name])
        torch.testing.assert_close(first[name], joined[name], rtol=apart, atol=0)


def test_one_rank_norms_as_torch_does_in_training_and_in_use() -> None:
    for dtype in TYPES:
        mine, torchs = (normed(kind, dtype, slice(None)) for kind in (BatchNorm, nn.BatchNorm1d))
        for name, value in torchs.items():
            torch.testing.assert_close(
                mine[name], value, rtol=2e-4, atol=2e-4 if dtype is TYPES[1] else 1e-10
            )
    norm = BatchNorm(3).eval()
    rows = torch.randn(4, 3)
    assert torch.equal(norm(rows), nn.BatchNorm1d(3).eval()(rows))


def test_two_ranks_restart_the_codes_that_one_would_at_the_places_where_one_would(
    found: list[dict[str, Any]],
) -> None:
    alone = restarted(slice(None))
    assert len(alone["moved"]) > 20 and alone["vectors"].unique(dim=0).shape[0] > 10
    for each in found:
        assert all(torch.equal(each["codebook"][name], value) for name, value in alone.items())

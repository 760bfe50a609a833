"""Files of tensors: nothing in them is run, and no more than one of them is in memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from vita_data.errors import VitaError
from vita_model.weights.stores import Pickled, Shards

MEGABYTE = 1 << 20
SHARD_BYTES = 96 * MEGABYTE
MEASURE = """
import sys
from pathlib import Path
import torch
from torch import nn
from vita_model.weights.load import Job, load
from vita_model.weights.names import Entry
from vita_model.weights.stores import Shards

def memory(name):  # getrusage would tell the peak of the process that started this one, where that is higher
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) << 10

model = nn.Module()
for number in range(32):
    model.register_parameter(f"w{number}", nn.Parameter(torch.ones(1024, 3072)))
entries = tuple(Entry(f"t{number}", ((f"w{number}", (1024, 3072)),)) for number in range(32))
before = memory("VmRSS")
load(model, [Job(Shards(Path(sys.argv[1])), entries)])
peak = memory("VmHWM")
assert float(model.w31.detach()[0, 0]) == 31.0
print(before, peak)
"""


class Hostile:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.path),)


def test_a_pickle_that_wants_something_run_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    torch.save({"model": {"weight": torch.ones(2), "x": Hostile(tmp_path / "made")}}, tmp_path / "final.pt")
    with pytest.raises(VitaError, match=r"final\.pt is no file of plain tensors"):
        Pickled(tmp_path / "final.pt").shapes()
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("content", [b"", b"no pickle at all", b"PK\x03\x04 half an archive"])
def test_a_damaged_pickle_is_refused_with_its_name(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "final.pt").write_bytes(content)
    with pytest.raises(VitaError, match=r"final\.pt"):
        Pickled(tmp_path / "final.pt").shapes()


def test_a_pickle_of_anything_but_tensors_is_refused(tmp_path: Path) -> None:
    torch.save({"generator": {"a": torch.ones(1)}, "steps": 7}, tmp_path / "final.pt")
    with pytest.raises(VitaError, match="steps is no tensor"):
        Pickled(tmp_path / "final.pt").shapes()


def test_a_cut_safetensors_file_is_refused_with_its_name(tmp_path: Path) -> None:
    save_file({"a": torch.ones(64)}, tmp_path / "model.safetensors")
    whole = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[:-20])
    with pytest.raises(VitaError, match=r"model\.safetensors is no whole safetensors file"):
        Shards(tmp_path).shapes()


@pytest.mark.parametrize("content", ["{", "[]", '{"metadata": {}}'])
def test_a_damaged_index_is_refused_with_its_name(content: str, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(content)
    with pytest.raises(VitaError, match=r"index\.json is no index of shards"):
        Shards(tmp_path)


@pytest.mark.slow
def test_loading_takes_no_more_memory_than_the_model_and_little_over_one_shard(tmp_path: Path) -> None:
    for shard in range(4):
        held = {
            f"t{number}": torch.full((1024, 3072), float(number))
            for number in range(shard * 8, shard * 8 + 8)
        }
        save_file(held, tmp_path / f"model-{shard}.safetensors")
    assert (tmp_path / "model-0.safetensors").stat().st_size >= SHARD_BYTES
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path)], capture_output=True, text=True, check=True
    )
    before, peak = map(int, run.stdout.split())
    assert peak - before <= 1.2 * SHARD_BYTES, f"{(peak - before) / SHARD_BYTES:.2f} shards over the model"

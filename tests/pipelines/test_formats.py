"""The shards as the public loaders of the field read them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vita_data.shards.read import Stage


@pytest.fixture(scope="module")
def expected(built: Path) -> dict[str, list[str]]:
    """Key -> names of its pictures, of every sample of the stage."""
    stage = Stage(built / "stages/1.3")
    shards = [stage.shard(number) for number in range(stage.shard_count)]
    return {key: shard.names(row)[1:] for shard in shards for row, key in enumerate(shard.keys)}


def place_of(name: str) -> int:
    """Where a medium stands in its sample: its number, which is no text to be sorted by."""
    return int(name.rpartition(".")[0].rpartition(".")[2])


def pictures(sample: dict[str, Any]) -> list[str]:
    """The fields of a sample that are pictures, each checked to be one, in order."""
    names = sorted((name for name in sample if name.split(".")[-1] in ("jpg", "png")), key=place_of)
    assert all(isinstance(sample[name], Image.Image) and sample[name].size[0] > 0 for name in names)
    return names


@pytest.mark.slow
def test_webdataset_reads_the_shards_as_they_are(built: Path, expected: dict[str, list[str]]) -> None:
    import webdataset

    shards = [str(path) for path in sorted((built / "stages/1.3/shards").glob("*.tar"))]
    found: dict[str, list[str]] = {}
    for sample in webdataset.WebDataset(shards, shardshuffle=False, empty_check=False).decode("pil"):
        key = sample["__key__"]
        assert key not in found
        assert sample["json"]["id"] == key
        found[key] = [f"{key}.{name}" for name in pictures(sample)]
        frames = [name for film in sample["json"]["video"] for name in film["frames"]]
        assert found[key] == [*sample["json"]["image"], *frames]
    assert found == expected
    assert any(len(names) == 2 for names in found.values())
    assert any(not names for names in found.values())


READ_WITH_ENERGON = """
import json, sys
from megatron.energon import Cooker, DefaultTaskEncoder, WorkerConfig
from megatron.energon import basic_sample_keys, get_loader, get_val_dataset, stateless

@stateless
def cook(sample):
    return {**basic_sample_keys(sample), **{k: v for k, v in sample.items() if not k.startswith("__")}}

class Encoder(DefaultTaskEncoder):
    cookers = [Cooker(cook)]

    def encode_sample(self, sample):
        return sample

    def batch(self, samples):
        return samples

config = WorkerConfig(rank=0, world_size=1, num_workers=0)
options = {"worker_config": config, "batch_size": 1, "task_encoder": Encoder()}
found = get_val_dataset(sys.argv[1], split_part="val", **options)
for batch in get_loader(found):
    for sample in batch:
        names = [name for name in sample if name.split(".")[-1] in ("jpg", "png")]
        names.sort(key=lambda name: int(name.rpartition(".")[0].rpartition(".")[2]))
        assert all(tuple(sample[name].shape)[-1] > 0 for name in names)
        print("SAMPLE", json.dumps([sample["json"]["id"], names]))
"""


@pytest.mark.slow
def test_energon_reads_a_copy_after_its_own_prepare(
    built: Path, expected: dict[str, list[str]], tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(built / "stages/1.3/shards", tmp_path / "copy"))
    environment = {**os.environ, "HOME": str(tmp_path), "CUDA_VISIBLE_DEVICES": ""}
    prepare = [
        sys.executable,
        "-c",
        "from megatron.energon.cli.main import main; main()",
        "prepare",
        "--non-interactive",
    ]
    prepare += [
        "--split-parts",
        "val:.*",
        "--sample-type",
        "CrudeWebdataset",
        "--num-workers",
        "1",
        "--no-progress",
    ]
    done = subprocess.run([*prepare, str(copy)], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    read = [sys.executable, "-c", READ_WITH_ENERGON, str(copy)]
    done = subprocess.run(read, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    told = [
        json.loads(line.removeprefix("SAMPLE "))
        for line in done.stdout.splitlines()
        if line.startswith("SAMPLE ")
    ]
    assert len(told) == len(expected)
    assert {key: [f"{key}.{name}" for name in names] for key, names in told} == expected

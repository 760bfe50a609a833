"""Small finished stages, written by the shard writer itself: coloured squares and questions about them."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import pyarrow
import pytest
import soundfile
import torch
from PIL import Image

from vita_data import files
from vita_data.manifest.geometry import Geometry
from vita_data.prompt.lengths import measure
from vita_data.prompt.template import template_digest
from vita_data.prompt.tokenizer import load_tokenizer
from vita_data.records.canon import canonical, canonical_bytes
from vita_data.records.key import sample_key
from vita_data.records.schema import PACKS
from vita_data.select.characters import write_characters
from vita_data.shards.seal import sealed_facts, sealed_plan
from vita_data.shards.write import ShardSample, index_name, write_shard
from vita_model.config.presets import tiny

ROOT = Path(__file__).parents[2]
torch.set_num_threads(1)  # several tests run side by side, and small matrices gain nothing from more
COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (40, 60, 230), "yellow": (240, 230, 40)}
PARTS = ["vision_tower", "projector", "language_model"]


def picture(colour: str, size: tuple[int, int]) -> bytes:
    """A PNG of one colour with a grey corner."""
    image = Image.new("RGB", size, COLOURS[colour])
    image.paste((128, 128, 128), (0, 0, size[0] // 4, size[1] // 4))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def sample(number: int, source: str = "squares", text_only: bool = False) -> ShardSample:
    """The n-th sample: a square and its colour, or every third without a picture when `text_only`."""
    geometry = tiny().geometry
    colour = list(COLOURS)[number % 4]
    size = [(112, 112), (224, 112), (100, 300)][number % 3]
    key = sample_key(source, "squares.json", str(number), 0)
    seen = not (text_only and number % 3 == 0)
    turns = [
        {"from": "human", "value": f"{'<image>' if seen else ''}\nWhich colour is square {number}?".strip()},
        {"from": "gpt", "value": f"It is {colour if seen else 'unseen'}."},
        {"from": "human", "value": "Are you sure?"},
        {"from": "gpt", "value": "Yes."},
    ]
    lengths = measure(turns, [size] if seen else [], geometry, load_tokenizer(geometry.tokenizer))
    record = {"conversations": turns, "id": key, "image": [f"{key}.0.png"] if seen else [], "video": []}
    record |= {"audio": [], "inserted_id": None}
    return ShardSample(
        key=key,
        record=canonical_bytes(record),
        media=[("png", picture(colour, size))] if seen else [],
        questions=2,
        text_tokens=lengths.text_tokens,
        visual_tokens=lengths.visual_tokens,
        length=lengths.length,
        grids=tuple(lengths.grids),
        source=source,
    )


def omni(number: int, source: str = "senses") -> ShardSample:
    """The n-th sample of something to see, to hear, both, or neither; what is heard is sometimes not for the model."""
    geometry = tiny().geometry
    seen, heard = number % 4 in (0, 2), number % 4 in (1, 2)
    size, samples = (112, 112), 8000 + 1600 * (number % 5)
    key = sample_key(source, "senses.json", str(number), 0)
    marks = "<image>\n" * seen + ("<audio>" if heard else f"What is number {number}?")
    turns = [{"from": "human", "value": marks}, {"from": "gpt", "value": f"It is number {number % 7}."}]
    inserted_id = 1 if heard and number % 8 == 1 else None
    sizes, sounds = [size] * seen, [samples] * heard
    tokenizer = load_tokenizer(geometry.tokenizer)
    lengths = measure(turns, sizes, geometry, tokenizer, True, heard=sounds, inserted_id=inserted_id)
    media = [("png", picture(list(COLOURS)[number % 4], size))] * seen + [
        ("flac", tone(number, samples))
    ] * heard
    record = {"conversations": turns, "id": key, "inserted_id": inserted_id, "video": []}
    record |= {"image": [f"{key}.0.png"] * seen, "audio": [f"{key}.{int(seen)}.flac"] * heard}
    return ShardSample(
        key=key,
        record=canonical_bytes(record),
        media=media,
        text_tokens=lengths.text_tokens,
        visual_tokens=lengths.visual_tokens,
        audio_tokens=lengths.audio_tokens,
        length=lengths.length,
        grids=tuple(lengths.grids),
        seconds=sum(sounds) / 16000,
        sound_samples=sum(sounds),
        source=source,
    )


def spoken(number: int, source: str = "voices") -> ShardSample:
    """The n-th clip with its transcript: a pitch for each letter, two tenths of a second long."""
    geometry = tiny().geometry
    text = "".join("abcd"[(number * step + step) % 4] for step in range(1, 4 + number % 3))
    letters = [0.3 * numpy.sin(numpy.arange(3200) * (0.1 + 0.1 * "abcd".index(letter))) for letter in text]
    stream = io.BytesIO()
    soundfile.write(stream, numpy.concatenate(letters), 16000, format="FLAC")
    key = sample_key(source, "said.json", str(number), 0)
    turns = [{"from": "human", "value": "<audio>"}, {"from": "gpt", "value": text}]
    tokenizer = load_tokenizer(geometry.tokenizer)
    lengths = measure(turns, [], geometry, tokenizer, heard=[3200 * len(text)])
    record = {"conversations": turns, "id": key, "image": [], "video": [], "audio": [f"{key}.0.flac"]}
    return ShardSample(
        key=key,
        record=canonical_bytes({**record, "inserted_id": None, "type": "asr"}),
        media=[("flac", stream.getvalue())],
        text_tokens=lengths.text_tokens,
        audio_tokens=lengths.audio_tokens,
        length=lengths.length,
        seconds=0.2 * len(text),
        sound_samples=3200 * len(text),
        source=source,
    )


def tone(number: int, samples: int) -> bytes:
    """A FLAC of one pitch at 16 kHz."""
    stream = io.BytesIO()
    waves = 0.3 * numpy.sin(numpy.arange(samples) * (0.02 + 0.005 * (number % 11)))
    soundfile.write(stream, waves, 16000, format="FLAC")
    return stream.getvalue()


def plan_of(stage: str, geometry: Geometry, **changes: Any) -> dict[str, Any]:
    """A plan.json as the build writes it, with some of its values changed."""
    schedule = {
        "learning_rate": 1e-3,
        "vision_learning_rate": 1e-3,
        "warmup_ratio": 0.1,
        "decay": "cosine",
        "weight_decay": 0.0,
        "clip": 1.0,
        "epochs": 1,
        "global_batch": 4,
        "betas": [0.9, 0.999],
        "precision": "fp32",
    }
    schedule.update(changes.pop("schedule", {}))
    plan = {
        "stage": stage,
        "mixture": "squares",
        "seed": 7,
        "geometry": asdict(geometry),
        "geometry_digest": geometry.digest(),
        "template_digest": template_digest(bool(changes.get("state_tokens"))),
        "trains": PARTS,
        "loss": "lm",
        "needs": [],
        "schedule": schedule,
    }
    return sealed_plan({**plan, **changes})


def write_packs(folder: Path, window: int, packs: list[dict[str, Any]], plan: dict[str, Any]) -> None:
    """One window's packs, with the digests they were made for."""
    said = {name: plan[name] for name in ("geometry_digest", "template_digest")}
    table = pyarrow.Table.from_pylist(packs, schema=PACKS.with_metadata({"vita": canonical(said)}))
    files.write_table(str(folder / "packs" / index_name(window)), table)


def make_stage(
    folder: Path,
    stage: str = "1.2",
    shards: int = 2,
    per_shard: int = 12,
    per_pack: int = 2,
    held_out: int = 4,
    text_only: bool = True,
    make: Callable[..., ShardSample] | None = None,
    **changes: Any,
) -> Path:
    """A finished stage below `folder`/stages: every shard one window, its samples packed in order."""
    home = folder / "stages" / stage
    plan = plan_of(stage, tiny().geometry, **changes)
    make = make or partial(sample, text_only=text_only)
    number = 0
    for shard in range(shards):
        samples = [make(n) for n in range(shard * per_shard, (shard + 1) * per_shard)]
        write_shard(str(home), shard, samples)
        packs = []
        for first in range(0, per_shard, per_pack):
            held = samples[first : first + per_pack]
            places = [{"shard": shard, "row": first + n, "key": one.key} for n, one in enumerate(held)]
            packs.append(
                {
                    "pack": number,
                    "window": shard,
                    "tokens": sum(one.length for one in held),
                    "samples": places,
                }
            )
            number += 1
        write_packs(home, shard, packs, plan)
    if held_out:
        kept = [make(1000 + n, source=("squares", "others")[n % 2]) for n in range(held_out)]
        write_shard(str(home / "eval"), 0, kept)
        files.write_json(str(home / "eval" / "plan.json"), plan)
        write_facts(home / "eval", plan, shards=1, windows=0)
    files.write_json(str(home / "plan.json"), plan)
    write_facts(home, plan, shards=shards, windows=shards)
    return home


def write_facts(home: Path, plan: dict[str, Any], shards: int, windows: int) -> None:
    """A stage.json with what a reader asks of it."""
    facts = {"digest": plan["digest"], "shards": [{}] * shards, "packs": {"windows": windows}}
    facts["characters"] = write_characters(str(home), plan, shards)
    files.write_json(str(home / "stage.json"), sealed_facts(str(home), facts))


def outside() -> dict[str, str]:
    """The environment without what a training in this process has put into it."""
    launched = {"RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}
    plain = {name: value for name, value in os.environ.items() if name not in launched}
    return {**plain, "OMP_NUM_THREADS": "1"}


def run_cli(*arguments: object, processes: int = 1, **environment: str) -> subprocess.CompletedProcess[str]:
    """`vita-model` in processes of its own, under torchrun when they are several."""
    command = [sys.executable, "-m", "vita_model"]
    if processes > 1:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        launch = ["-m", "torch.distributed.run", f"--nproc-per-node={processes}", "--master-addr=127.0.0.1"]
        command = [sys.executable, *launch, f"--master-port={port}", "-m", "vita_model"]
    return subprocess.run(
        [*command, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**outside(), **environment},
        timeout=240,
    )


def metrics_of(run: Path) -> list[dict[str, Any]]:
    """Every line of a run's metrics."""
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture(name="make_stage", scope="session")
def make_stage_fixture() -> Callable[..., Path]:
    """The function that writes a small stage."""
    return make_stage


@pytest.fixture(name="make_sample", scope="session")
def make_sample_fixture() -> Callable[..., ShardSample]:
    """The function that makes a small sample."""
    return sample


@pytest.fixture(name="make_omni", scope="session")
def make_omni_fixture() -> Callable[..., ShardSample]:
    """The function that makes a small sample of what is seen and heard."""
    return omni


@pytest.fixture(name="make_spoken", scope="session")
def make_spoken_fixture() -> Callable[..., ShardSample]:
    """The function that makes a small clip with its transcript."""
    return spoken


@pytest.fixture(scope="session")
def cli() -> Callable[..., subprocess.CompletedProcess[str]]:
    """The function that runs `vita-model` in its own process."""
    return run_cli


@pytest.fixture(name="outside", scope="session")
def outside_fixture() -> Callable[[], dict[str, str]]:
    """The function that gives a process of its own its environment."""
    return outside


@pytest.fixture(scope="session")
def metrics() -> Callable[[Path], list[dict[str, Any]]]:
    """The function that reads a run's metrics."""
    return metrics_of

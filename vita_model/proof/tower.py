"""The step before stage 1.1: a vision tower that has learned to tell pictures apart, in place of a published one.

The paper starts from InternViT, which no laptop trains. Here the tower learns plain classification on the pictures of
a finished stage, and goes into one checkpoint with the language model that learned its own texts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from vita_data import files
from vita_data.errors import ShardError
from vita_data.records.key import keyed_hash
from vita_data.shards.read import Stage
from vita_model.batch.pictures import tiles
from vita_model.config.model import ModelConfig
from vita_model.config.presets import preset
from vita_model.nets.vita import build
from vita_model.train import checkpoint, starts
from vita_model.train.engine import start_processes
from vita_model.train.folder import add_metrics

NAME = "base"
CLASSES = 10
BATCH = 32
LEARNING_RATE = 3e-3
TURN, RESIZE, SHIFT = 0.2, 0.1, 0.1  # radians; parts of the size; parts of half the side
_DIGIT = re.compile(r"\d")


def train_tower(
    data: str, preset_name: str, language: Path, out: Path, epochs: int, seed: int = 0
) -> dict[str, Any]:
    """Trains the tower on the pictures of a stage folder and joins it to a language model's run.

    What a picture shows is the first digit of its answer. Writes a run whose checkpoint stage 1.1 starts from;
    returns {run, right, pictures} of the held-out pictures. ShardError for a stage without pictures.
    """
    start_processes()
    out.mkdir(parents=True, exist_ok=True)
    config = preset(preset_name)
    found = [starts.find(language)]
    model = build(config, seed)
    starts.load(model, found)
    stage = Stage(data)
    pictures = _pictures(stage, config)
    head = nn.Linear(config.vision.features, CLASSES)
    _learn(model.vision_tower, head, pictures, epochs, seed, out)
    held = _pictures(stage.held_out, config) if stage.held_out is not None else []
    right = sum(_right(model.vision_tower, head, batch) for batch in _batches(held, range(len(held))))
    said = {
        "stage": NAME,
        "preset": config.preset,
        "final": True,
        "model": config.to_json(),
        "seed": seed,
        "trained": {**found[0].trained, "vision_tower": NAME},
    }
    checkpoint.save_stems(out, epochs, said, {checkpoint.MODEL: model.state_dict().items()})
    files.write_json(str(out / "eval.json"), {"stage": NAME, "right": right, "pictures": len(held)})
    return {"run": str(out), "right": right, "pictures": len(held)}


Pictures = list[tuple[torch.Tensor, int]]


def _pictures(stage: Stage, config: ModelConfig) -> Pictures:
    """The only tile of each picture and what it shows, of the samples whose answer names a digit."""
    found: Pictures = []
    for number in range(stage.shard_count):
        for row, said in enumerate(stage.shard(number).table.select(["key"]).to_pylist()):
            sample = stage.sample(number, row)
            answer = _DIGIT.search(sample.record["conversations"][1]["value"])
            asked = sample.record["conversations"][0]["value"]
            if not sample.record["image"] or answer is None or _DIGIT.search(asked) or sample.record["audio"]:
                continue
            tile = tiles(sample.media[0], (1, 1), config.geometry.tile_pixels, False, said["key"])
            found.append((tile, int(answer[0])))
    if not found:
        raise ShardError(f"{stage} has no pictures that an answer names; build it with some.")
    return found


def _batches(pictures: Pictures, order: Any) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    places = list(order)
    for first in range(0, len(places), BATCH):
        some = [pictures[place] for place in places[first : first + BATCH]]
        yield torch.cat([tile for tile, _ in some]), torch.tensor([shown for _, shown in some])


def _scores(tower: nn.Module, head: nn.Module, tile: torch.Tensor) -> torch.Tensor:
    scores: torch.Tensor = head(tower(tile).mean(dim=1))
    return scores


@torch.no_grad()
def _right(tower: nn.Module, head: nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> int:
    tower.eval()
    return int((_scores(tower, head, batch[0]).argmax(-1) == batch[1]).sum())


def _moved(pictures: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Pictures uint8 (count, 3, side, side), each turned, moved and resized a little, so that none comes twice."""
    draws = torch.rand(4, len(pictures), generator=generator) * 2 - 1
    angle, size, across, down = draws * torch.tensor([TURN, RESIZE, SHIFT, SHIFT])[:, None]
    cosine, sine = angle.cos() * (1 + size), angle.sin() * (1 + size)
    rows = torch.stack((cosine, -sine, across, sine, cosine, down), dim=1).view(-1, 2, 3)
    grid = functional.affine_grid(rows, list(pictures.shape), align_corners=False)
    moved = functional.grid_sample(pictures.float(), grid, padding_mode="border", align_corners=False)
    return moved.round().to(pictures.dtype)


def _learn(tower: nn.Module, head: nn.Module, pictures: Pictures, epochs: int, seed: int, out: Path) -> None:
    learned = [*tower.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(learned, lr=LEARNING_RATE, weight_decay=0.05)
    steps = epochs * math.ceil(len(pictures) / BATCH)
    warmup = max(1, steps // 20)
    tower.train()
    generator = torch.Generator().manual_seed(seed)
    step = 0
    for epoch in range(epochs):
        order = sorted(range(len(pictures)), key=lambda n: keyed_hash(seed, "tower", str(epoch), str(n)))
        for tile, shown in _batches(pictures, order):
            rate = min(1.0, (step + 1) / warmup) * 0.5 * (1.0 + math.cos(math.pi * step / steps))
            for group in optimizer.param_groups:
                group["lr"] = LEARNING_RATE * rate
            loss = functional.cross_entropy(_scores(tower, head, _moved(tile, generator)), shown)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(learned, 1.0)
            optimizer.step()
            add_metrics(out, {"step": step, "loss": float(loss.detach())})
            step += 1

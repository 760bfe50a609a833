"""The vision tower: what the released weights expect of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from vita_model.config.presets import tiny
from vita_model.config.vision import VisionConfig
from vita_model.nets.vision import DropPath, VisionTower, normalise, pixel_shuffle


def test_the_shuffle_joins_squares_of_patches_row_by_row() -> None:
    patches = torch.arange(2 * 36 * 3).float().view(2, 36, 3)
    grid = patches.view(2, 6, 6, 3)
    found = pixel_shuffle(patches, 2)
    for row in range(3):
        for col in range(3):
            square = [grid[:, 2 * row + a, 2 * col + b] for a in (0, 1) for b in (0, 1)]
            assert torch.equal(found[:, 3 * row + col], torch.cat(square, dim=-1))


def test_a_448_px_tile_gives_256_vectors_of_4096() -> None:
    tower = VisionTower(replace(VisionConfig(), layers=1)).eval()
    with torch.no_grad():
        assert tower(torch.zeros(1, 3, 448, 448, dtype=torch.uint8)).shape == (1, 256, 4096)


def test_features_are_the_last_state_without_class_token_or_norm_halved() -> None:
    tower = VisionTower(tiny().vision).eval()
    tiles = torch.randint(0, 256, (2, 3, 112, 112), dtype=torch.uint8)
    with torch.no_grad():
        inner = tower.vision_tower
        hidden = inner.encoder(inner.embeddings(normalise(tiles))).last_hidden_state
        assert torch.equal(tower(tiles), pixel_shuffle(hidden[:, 1:] * 0.5, 2))
    assert isinstance(inner.layernorm, nn.Identity)


def test_pixels_lose_imagenets_mean_and_spread() -> None:
    tile = torch.tensor([124, 116, 104], dtype=torch.uint8).view(1, 3, 1, 1)
    assert normalise(tile).abs().max() < 0.02
    white = normalise(torch.full((1, 3, 1, 1), 255, dtype=torch.uint8)).flatten()
    torch.testing.assert_close(white, torch.tensor([2.2489, 2.4286, 2.6400]), atol=1e-4, rtol=0)


def test_drop_path_acts_on_whole_tiles_in_training_only() -> None:
    drop = DropPath(0.5)
    branch = torch.ones(400, 3, 2)
    torch.manual_seed(0)
    found = drop.train()(branch)
    assert set(found.flatten().tolist()) == {0.0, 2.0}
    assert torch.equal(found, found[:, :1, :1].expand_as(found))
    assert drop.eval()(branch) is branch


def test_drop_path_rises_from_zero_to_its_rate_over_the_blocks() -> None:
    blocks = VisionTower(tiny().vision).vision_tower.encoder.layer
    rates = [block.dropout.rate for block in blocks]
    assert rates[0] == 0 and rates[-1] == pytest.approx(0.1) and rates == sorted(rates)
    assert rates == [block.attention.projection_dropout.rate for block in blocks]

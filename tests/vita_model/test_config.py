"""Presets: their dimensions, and what a checkpoint says of them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from vita_data.errors import UsageError
from vita_data.prompt.tokenizer import load_tokenizer
from vita_model.config.language import LanguageConfig
from vita_model.config.model import ModelConfig
from vita_model.config.presets import PRESETS, preset, tiny, vita_1_5
from vita_model.config.vision import VisionConfig


@pytest.mark.parametrize("name", PRESETS)
def test_a_config_reads_back_from_json(name: str) -> None:
    config = preset(name)
    assert ModelConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_a_config_of_another_version_is_refused_with_the_key() -> None:
    said = tiny().to_json()
    said["vision"]["windows"] = 4
    with pytest.raises(UsageError, match="VisionConfig at: windows"):
        ModelConfig.from_json(said)


def test_an_unknown_preset_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UsageError, match=r"tiny, proof, small, vita-1\.5"):
        preset("huge")


def test_a_geometry_that_the_tower_does_not_make_is_refused() -> None:
    wrong = replace(tiny().geometry, tile_tokens=64)
    with pytest.raises(UsageError, match="64 tokens a tile, its parts make 16"):
        ModelConfig("odd", tiny().vision, tiny().language, wrong)


def test_an_adapter_by_whose_stride_no_build_counts_is_refused() -> None:
    fast = replace(tiny().geometry, audio_rate=25.0)
    with pytest.raises(UsageError, match="adapter has stride 1, and builds count"):
        replace(tiny(), adapter=replace(tiny().adapter, stride=1), geometry=fast)


def test_tiles_become_the_papers_number_of_tokens() -> None:
    assert (VisionConfig().tokens_per_tile, VisionConfig().features) == (256, 4096)
    assert (tiny().vision.tokens_per_tile, tiny().geometry.max_length) == (16, 2048)


def test_the_tables_have_the_rows_that_the_tokenizers_need() -> None:
    assert load_tokenizer(tiny().geometry.tokenizer).rows == tiny().language.vocabulary
    assert LanguageConfig().vocabulary == 152064
    assert vita_1_5().geometry.max_length == 6200

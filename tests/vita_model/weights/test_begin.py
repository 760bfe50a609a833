"""A stage that starts from a released folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from vita_data.errors import UsageError
from vita_model.config.model import ModelConfig
from vita_model.nets.vita import Vita
from vita_model.train import starts


def test_what_hears_and_speaks_is_as_large_as_the_release_whatever_the_preset(
    release: Path, config: ModelConfig, make: Callable[..., Vita]
) -> None:
    preset = replace(config, decoder=replace(config.decoder, layers=config.decoder.layers + 1))
    begun = starts.find(release)
    found = starts.config_of([begun], preset)
    assert found.decoder.layers == config.decoder.layers and found.preset == preset.preset
    model = make(found, seed=3)
    before = model.language_model.lm_head.weight.clone()
    lines = starts.load(model, [begun])
    assert "released weights" in lines[0] and not torch.equal(before, model.language_model.lm_head.weight)


def test_a_release_of_another_language_model_is_refused(release: Path, config: ModelConfig) -> None:
    other = replace(config, language=replace(config.language, layers=config.language.layers + 1))
    with pytest.raises(UsageError, match="another model than preset"):
        starts.config_of([starts.find(release)], other)

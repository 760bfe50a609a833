"""What a released folder says of the model's dimensions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from vita_data.errors import UsageError
from vita_model.config.model import ModelConfig
from vita_model.weights.shape import release_config

AUDIO = "audio-encoder-2wh"


def test_the_folders_dimensions_are_read(release: Path, config: ModelConfig) -> None:
    said = release_config(release, config.vision, config.geometry)
    assert said.language == config.language and said.decoder == config.decoder
    assert (said.encoder.chunk, said.encoder.left_chunks, said.encoder.dynamic_chunks) == (4, 16, False)
    assert (said.adapter.norm, said.adapter.activation, said.adapter.prompts) == ("layer", "gelu", 0)
    assert (said.codec.hop, said.codec.global_stage, said.codec.global_width) == (600, 1, 16)


def test_full_attention_is_what_a_chunk_size_of_minus_one_means(release: Path, config: ModelConfig) -> None:
    path = release / AUDIO / "train.yaml"
    said = yaml.safe_load(path.read_text())
    said["encoder_conf"]["para_conf"]["transformer"]["transformer-chunk_size"] = -1
    path.write_text(yaml.safe_dump(said))
    assert release_config(release, config.vision, config.geometry).encoder.chunk == 0


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("config.json", "{", "config.json cannot be read"),
        (f"{AUDIO}/train.yaml", "!!python/object/apply:os.system ['true']", "train.yaml cannot be read"),
        (f"{AUDIO}/train.yaml", "input_dim: 80", "train.yaml: encoder_conf.overview_conf is missing"),
        ("vita_tts_ckpt/decoder/model.json", "[1, 2]", "no list of width, codes and arguments"),
    ],
)
def test_a_file_that_says_no_dimensions_is_refused(
    name: str, text: str, words: str, release: Path, config: ModelConfig
) -> None:
    (release / name).write_text(text)
    with pytest.raises(UsageError, match=words):
        release_config(release, config.vision, config.geometry)


def test_a_codec_of_several_groups_is_refused(release: Path, config: ModelConfig) -> None:
    path = release / "vita_tts_ckpt/codec/model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"n_code_groups": 4}))
    with pytest.raises(UsageError, match="n_code_groups is 4; only 1 fits"):
        release_config(release, config.vision, config.geometry)

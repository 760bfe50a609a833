"""The config of a released VITA-1.5 folder, so that a model can be made which its tensors fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from vita_data.errors import UsageError
from vita_data.manifest.geometry import Geometry
from vita_model.config import released
from vita_model.config.codec import CodecConfig
from vita_model.config.decoder import DecoderConfig
from vita_model.config.model import ModelConfig
from vita_model.config.speech import AdapterConfig, EncoderConfig
from vita_model.config.vision import VisionConfig
from vita_model.weights.release import SPEECH, audio_folder

NAME = "released"


def release_config(
    folder: Path, vision: VisionConfig | None = None, geometry: Geometry | None = None
) -> ModelConfig:
    """The dimensions that the folder's config.json, train.yaml and model.json state.

    It states none of the vision tower, which is InternViT-300M-448px where nobody says otherwise, and little of the
    geometry, which is the paper's then. Parts whose files are not there get the paper's dimensions. Raises
    UsageError for a file that cannot be read and for dimensions that do not fit together.
    """
    main = _read(folder / "config.json", json.loads)
    encoder, adapter = EncoderConfig(), AdapterConfig(prompts=0)
    audio = audio_folder(folder)
    if audio is not None:
        prompts = main.get("audio_prompt_num", 0) if main.get("audio_prompt_finetune") else 0
        path = audio / "train.yaml"
        encoder, adapter = released.speech_configs(_read(path, yaml.safe_load), prompts or 0, str(path))
    return ModelConfig(
        preset=NAME,
        vision=vision or VisionConfig(),
        language=released.language_config(main, str(folder / "config.json")),
        geometry=geometry
        or replace(Geometry(), max_length=main.get("tokenizer_model_max_length", Geometry().max_length)),
        encoder=encoder,
        adapter=adapter,
        decoder=_spoken(folder, "speech_decoder", released.decoder_config, DecoderConfig()),
        codec=_spoken(folder, "codec", released.codec_config, CodecConfig()),
    )


def _spoken(folder: Path, part: str, read: Callable[[Any, str], Any], otherwise: Any) -> Any:
    path = folder / SPEECH[part] / "model.json"
    return read(_read(path, json.loads), str(path)) if path.exists() else otherwise


def _read(path: Path, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(path.read_text())
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(
            f"{path} cannot be read ({reason}); give the folder of a complete download."
        ) from error

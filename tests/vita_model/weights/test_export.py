"""Models out: released names, bit for bit what came in, and files that say how the model is made."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from vita_data.errors import UsageError
from vita_model.config.model import ModelConfig
from vita_model.nets.vita import Vita
from vita_model.weights.export import export_release
from vita_model.weights.release import load_release
from vita_model.weights.shape import release_config

AUDIO = "audio-encoder-2wh"
TTS = "vita_tts_ckpt"


def main_of(folder: Path) -> dict[str, torch.Tensor]:
    return {name: tensor for path in folder.glob("*.safetensors") for name, tensor in load_file(path).items()}


def flat(path: Path) -> dict[str, torch.Tensor]:
    said = torch.load(path, weights_only=True)
    said = said.get("model", said)
    return {
        f"{name}.{inner}" if inner else name: tensor
        for name, value in said.items()
        for inner, tensor in (value.items() if isinstance(value, dict) else [("", value)])
    }


def assert_same(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> None:
    assert sorted(found) == sorted(wanted)
    for name, tensor in wanted.items():
        assert found[name].dtype == tensor.dtype and torch.equal(found[name], tensor), name


@pytest.mark.parametrize("prompts", [False, True])
def test_a_release_comes_out_as_it_went_in_to_the_bit(
    prompts: bool,
    tmp_path: Path,
    config: ModelConfig,
    make: Callable[..., Vita],
    write: Callable[..., Path],
) -> None:
    adapter = replace(config.adapter, prompts=3 if prompts else 0)
    release, model = write(tmp_path / "in", prompts=prompts), make(replace(config, adapter=adapter))
    load_release(model, release)
    export_release(model, tmp_path / "out", torch.bfloat16, like=release)
    assert_same(main_of(tmp_path / "out"), main_of(release))
    for part in ("decoder", "codec"):
        place = f"{TTS}/{part}/final.pt"
        assert_same(flat(tmp_path / "out" / place), flat(release / place))
    for name in ("config.json", "merges.txt", f"{AUDIO}/train.yaml", f"{TTS}/codec/model.json"):
        assert (tmp_path / "out" / name).read_bytes() == (release / name).read_bytes()


def test_an_audio_folder_comes_out_as_it_went_in_to_the_bit(
    tmp_path: Path, config: ModelConfig, make: Callable[..., Vita], write: Callable[..., Path]
) -> None:
    release, model = write(tmp_path / "in", audio_inside=False, prompts=True), make(config)
    load_release(model, release)
    export_release(model, tmp_path / "out", like=release)
    assert_same(flat(tmp_path / "out" / AUDIO / "final.pt"), flat(release / AUDIO / "final.pt"))


def test_a_model_of_our_own_comes_back_from_its_export_to_the_bit(
    tmp_path: Path, config: ModelConfig, make: Callable[..., Vita]
) -> None:
    model = make(config, seed=1)
    model.speech_encoder.cmvn.mean.normal_(15, 3)
    model.speech_encoder.cmvn.istd.uniform_(0.2, 2)
    export_release(model, tmp_path / "out", shard_bytes=50_000)
    said = release_config(tmp_path / "out", config.vision, config.geometry)
    own = ("discriminator_width", "restart_after")  # matters of training that no file says
    codec = replace(said.codec, **{name: getattr(config.codec, name) for name in own})
    assert replace(said, preset=config.preset, codec=codec, characters=7) == config
    other = make(replace(said, characters=7), seed=2)
    left = load_release(other, tmp_path / "out")
    assert set(left) == {"encoder.linear.0.weight", "encoder.linear.0.bias"}
    for name, tensor in model.state_dict().items():
        if not name.startswith(("state_head", "ctc_head")):
            assert torch.equal(other.state_dict()[name], tensor), name


def test_unused_tensors_and_precisions_are_those_of_the_release(
    tmp_path: Path, release: Path, config: ModelConfig, make: Callable[..., Vita]
) -> None:
    place = f"{TTS}/decoder/final.pt"
    held = {name: tensor.bfloat16() for name, tensor in flat(release / place).items()}
    held["layers_prefix.0.mlp.up_proj.weight"] = torch.randn(24, 16)
    torch.save({"model": held}, release / place)
    model = make(config)
    assert "layers_prefix.0.mlp.up_proj.weight" in load_release(model, release)
    export_release(model, tmp_path / "out", like=release)
    assert_same(flat(tmp_path / "out" / place), held)


def test_shards_are_bounded_and_the_index_names_each_tensors_shard(
    tmp_path: Path, config: ModelConfig, make: Callable[..., Vita]
) -> None:
    export_release(make(config), tmp_path / "out", torch.bfloat16, shard_bytes=20_000)
    index = json.loads((tmp_path / "out/model.safetensors.index.json").read_text())
    shards = sorted((tmp_path / "out").glob("*.safetensors"))
    assert shards[0].name == f"model-00001-of-{len(shards):05d}.safetensors" and len(shards) > 3
    total = 0
    for path in shards:
        held = load_file(path)
        size = sum(tensor.numel() * tensor.element_size() for tensor in held.values())
        assert size <= 20_000 or len(held) == 1
        total += size
        assert all(index["weight_map"].pop(name) == path.name for name in held)
    assert not index["weight_map"] and index["metadata"]["total_size"] == total


def test_no_head_of_a_single_stage_and_no_counter_is_exported(
    tmp_path: Path, config: ModelConfig, make: Callable[..., Vita]
) -> None:
    export_release(make(config), tmp_path / "out")
    names = set(main_of(tmp_path / "out"))
    for path in (tmp_path / "out").rglob("final.pt"):
        names |= set(flat(path))
    assert not [name for name in names if "ctc" in name or "state" in name or "idle" in name]
    assert "model.audio_encoder.adpter.bn2.weight" in names and "encoder.linear.0.weight" in names


def test_an_export_never_writes_over_a_folder(
    release: Path, config: ModelConfig, make: Callable[..., Vita]
) -> None:
    with pytest.raises(UsageError, match="is there already"):
        export_release(make(config), release)


def test_a_shape_that_the_public_code_cannot_build_is_refused(
    tmp_path: Path, config: ModelConfig, make: Callable[..., Vita]
) -> None:
    odd = replace(config, decoder=replace(config.decoder, nar_layers=2))
    with pytest.raises(UsageError, match="2 NAR and 2 AR blocks"):
        export_release(make(odd), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_another_kind_of_language_model_has_no_released_layout(
    tmp_path: Path, config: ModelConfig, make: Callable[..., Vita]
) -> None:
    odd = replace(config, language=replace(config.language, architecture="mistral"))
    with pytest.raises(UsageError, match="architecture mistral has no released layout"):
        export_release(make(odd), tmp_path / "out")

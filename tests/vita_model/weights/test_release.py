"""Released folders in: every tensor at its place, everything that does not fit named at once, nothing half done."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import prod
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from vita_data.errors import UsageError
from vita_model.config.model import ModelConfig
from vita_model.config.presets import vita_1_5
from vita_model.nets.cmvn import Moments
from vita_model.nets.vita import Vita
from vita_model.weights.keys import PREFIXES
from vita_model.weights.names import entries
from vita_model.weights.release import load_part, load_release, released_parts, shapes_of

AUDIO = "audio-encoder-2wh"
SHARD = "model-00001-of-00002.safetensors"


def main_of(folder: Path) -> dict[str, torch.Tensor]:
    return {name: tensor for path in folder.glob("*.safetensors") for name, tensor in load_file(path).items()}


def change(path: Path, *, drop: str = "", add: str = "", reshape: str = "") -> None:
    """Spoils one tensor of a safetensors file in each of the ways that are named."""
    held = load_file(path)
    if drop:
        del held[drop]
    if add:
        held[add] = torch.zeros(3)
    if reshape:
        held[reshape] = torch.zeros(5, 2)
    save_file(held, path)


def test_every_tensor_of_the_model_gets_the_released_values(
    release: Path, config: ModelConfig, make: Callable[..., Vita]
) -> None:
    one, other = make(config, seed=1), make(config, seed=2)
    for model in (one, other):
        load_release(model, release)
    own = ("ctc_head", "state_head", "prompt_embeddings")
    for name, tensor in one.state_dict().items():
        equal = torch.equal(tensor, other.state_dict()[name])
        assert equal != name.startswith(own), name


def test_released_values_stand_where_they_belong(
    release: Path, config: ModelConfig, make: Callable[..., Vita]
) -> None:
    model = make(config)
    load_release(model, release)
    ours, main = model.state_dict(), main_of(release)
    audio = "model.audio_encoder."
    fused = main["model.vision_tower.vision_tower.encoder.layers.1.attn.qkv.weight"].float()
    for part, rows in zip("qkv", fused.split(32), strict=True):
        name = f"vision_tower.vision_tower.encoder.layer.1.attention.{part}_proj.weight"
        assert torch.equal(ours[name], rows)
    for name, released in {
        "vision_tower.vision_tower.encoder.layer.0.lambda_2": "model.vision_tower.vision_tower.encoder.layers.0.ls2",
        "projector.2.bias": "model.mm_projector.2.bias",
        "language_model.lm_head.weight": "lm_head.weight",
        "speech_encoder.cmvn.istd": f"{audio}encoder.global_cmvn.istd",
        "speech_encoder.blocks.1.attention.place_bias": f"{audio}encoder.enc.1.encoders.1.self_attn.pos_bias_v",
        "speech_encoder.blocks.1.feed_forward_norm.bias": f"{audio}encoder.enc.1.encoders.1.norm2.bias",
        "speech_adapter.stages.0.convolution.weight": f"{audio}adpter.conv1d2.weight",
        "speech_adapter.stages.0.norm.weight": f"{audio}adpter.bn2.weight",
    }.items():
        assert torch.equal(ours[name], main[released].float()), name
    assert isinstance(model.speech_adapter.stages[0].norm, nn.LayerNorm)
    decoder = torch.load(release / "vita_tts_ckpt/decoder/final.pt")["model"]
    assert torch.equal(
        ours["speech_decoder.nar.layers.0.mlp.up_proj.weight"], decoder["layers_pre_nn.0.mlp.up_proj.weight"]
    )
    codec = torch.load(release / "vita_tts_ckpt/codec/final.pt")
    weight = "parametrizations.weight"
    assert torch.equal(
        ours[f"codec.generator.stages.2.blocks.1.plain.0.{weight}.original1"],
        codec["generator"]["resblocks.7.convs2.0.weight_v"],
    )
    assert torch.equal(
        ours[f"codec.encoder.stages.3.down.{weight}.original0"], codec["encoder"]["ups.3.weight_g"]
    )
    books = "quantizer_modules_globaltokens.5.embedding.weight"
    assert torch.equal(ours["codec.quantiser.voice.5.vectors"], codec["quantizer"][books])


def test_what_no_part_uses_is_named_and_left(
    release: Path, config: ModelConfig, make: Callable[..., Vita]
) -> None:
    left = load_release(make(config), release)
    assert set(left) == {"encoder.linear.0.weight", "encoder.linear.0.bias"}


def test_every_tensor_that_does_not_fit_is_named_in_one_complaint(
    release: Path, config: ModelConfig, make: Callable[..., Vita]
) -> None:
    names = sorted(load_file(release / SHARD))
    gone, odd = names[0], next(name for name in names if "mlp" in name)
    change(release / SHARD, drop=gone, add="model.visitor.weight", reshape=odd)
    path = release / "vita_tts_ckpt/codec/final.pt"
    codec = torch.load(path)
    del codec["quantizer"]["quantizer_modules.0.embedding.weight"]
    codec["generator"]["guest"] = torch.zeros(1)
    torch.save(codec, path)
    model = make(config)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(UsageError) as raised:
        load_release(model, release)
    said = str(raised.value)
    assert f"misses: {gone};" in said and "holds unknown tensors: model.visitor.weight;" in said
    assert f"{odd} of 5x2, the model's is" in said
    assert "misses: quantizer.quantizer_modules.0.embedding.weight;" in said and "generator.guest" in said
    assert "\n" not in said and said.count("final.pt") == 2
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), f"{name} was changed by a release that does not fit"


def test_a_part_that_is_missing_as_a_whole_is_named_tensor_by_tensor(
    release: Path, config: ModelConfig, make: Callable[..., Vita]
) -> None:
    for path in release.glob("*.safetensors"):
        held = {name: tensor for name, tensor in load_file(path).items() if "mm_projector" not in name}
        save_file(held, path)
    with pytest.raises(UsageError) as raised:
        load_release(make(config), release)
    for name in ("0.weight", "0.bias", "2.weight", "2.bias"):
        assert f"model.mm_projector.{name}" in str(raised.value)


def test_parts_that_nobody_asked_for_are_left_alone(
    release: Path, config: ModelConfig, make: Callable[..., Vita]
) -> None:
    model = make(config)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    left = load_release(model, release, ["vision_tower"])
    changed = {
        name.partition(".")[0]
        for name, tensor in model.state_dict().items()
        if not torch.equal(tensor, before[name])
    }
    assert changed == {"vision_tower"} and "lm_head.weight" in left
    with pytest.raises(UsageError, match=r"codec/final\.pt is not there"):
        (release / "vita_tts_ckpt/codec/final.pt").unlink()
        load_release(model, release)


def test_the_audio_encoder_comes_from_its_folder_where_the_shards_have_none(
    tmp_path: Path, config: ModelConfig, make: Callable[..., Vita], write: Callable[..., Path]
) -> None:
    folder, model = write(tmp_path / "text", audio_inside=False), make(config)
    load_release(model, folder)
    said = torch.load(folder / AUDIO / "final.pt")
    assert torch.equal(model.speech_encoder.norm.bias, said["encoder.enc.1.after_norm.bias"])
    assert torch.equal(model.speech_adapter.project.weight, said["adpter.project.weight"])


def test_guiding_embeddings_are_loaded_where_a_release_has_them(
    tmp_path: Path, config: ModelConfig, make: Callable[..., Vita], write: Callable[..., Path]
) -> None:
    for inside in (True, False):
        folder, model = write(tmp_path / f"fo-{inside}", audio_inside=inside, prompts=True), make(config)
        load_release(model, folder)
        said = torch.load(folder / AUDIO / "final.pt")["prompt_embeddings.weight"]
        wanted = said.bfloat16().float() if inside else said
        assert torch.equal(model.prompt_embeddings.weight, wanted)


@pytest.mark.parametrize("form", ["json", "kaldi"])
def test_rounded_cmvn_is_taken_in_full_precision_from_the_text_beside_it(
    form: str, release: Path, config: ModelConfig, make: Callable[..., Vita]
) -> None:
    draw = torch.Generator().manual_seed(4)
    moments = Moments.of(torch.randn(50, 80, generator=draw) * 3 + 15)
    text = moments.to_text()
    if form == "kaldi":
        rows = (" ".join(map(repr, row.tolist())) for row in (moments.sums, moments.squares))
        text = "[ {} 50\n {} 0 ]".format(*rows)
    (release / AUDIO / "global_cmvn").write_text(text)
    model = make(config)
    load_release(model, release)
    stored = main_of(release)["model.audio_encoder.encoder.global_cmvn.mean"].float()
    assert torch.equal(model.speech_encoder.cmvn.mean, stored), "statistics of something else are not taken"
    for path in release.glob("*.safetensors"):
        held = load_file(path)
        for name, exact in (("mean", moments.mean), ("istd", moments.istd)):
            if f"model.audio_encoder.encoder.global_cmvn.{name}" in held:
                held[f"model.audio_encoder.encoder.global_cmvn.{name}"] = exact.bfloat16()
        save_file(held, path)
    load_release(model, release)
    assert torch.equal(model.speech_encoder.cmvn.mean, moments.mean.float())
    assert torch.equal(model.speech_encoder.cmvn.istd, moments.istd.float())


def test_a_plain_vision_folder_and_a_plain_language_folder_are_loaded(
    plain_vision: Path, plain_language: Path, config: ModelConfig, make: Callable[..., Vita]
) -> None:
    model = make(config)
    load_part(model, "vision_tower", plain_vision)
    load_part(model, "language_model", plain_language)
    vision, language = (load_file(path / "model.safetensors") for path in (plain_vision, plain_language))
    patches = model.vision_tower.vision_tower.embeddings.patch_embeddings.projection
    assert torch.equal(patches.weight, vision["embeddings.patch_embedding.weight"])
    assert torch.equal(model.language_model.lm_head.weight, language["lm_head.weight"])


def test_a_head_that_is_tied_to_the_embeddings_is_filled_with_them(
    plain_language: Path, config: ModelConfig, make: Callable[..., Vita]
) -> None:
    change(plain_language / "model.safetensors", drop="lm_head.weight")
    model = make(config)
    with pytest.raises(UsageError, match=r"misses: lm_head\.weight"):
        load_part(model, "language_model", plain_language)
    (plain_language / "config.json").write_text(json.dumps({"tie_word_embeddings": True}))
    load_part(model, "language_model", plain_language)
    assert torch.equal(model.language_model.lm_head.weight, model.language_model.model.embed_tokens.weight)
    assert model.language_model.lm_head.weight is not model.language_model.model.embed_tokens.weight


def test_a_model_in_half_precision_keeps_it(
    release: Path, config: ModelConfig, make: Callable[..., Vita]
) -> None:
    model = make(config).to(torch.bfloat16)
    load_release(model, release)
    assert model.projector[0].weight.dtype == torch.bfloat16
    assert torch.equal(model.projector[0].weight, main_of(release)["model.mm_projector.0.weight"])


def test_a_folder_without_weights_or_with_a_shard_gone_is_refused(
    release: Path, tmp_path: Path, config: ModelConfig, make: Callable[..., Vita]
) -> None:
    with pytest.raises(UsageError, match="safetensors is not there"):
        load_release(make(config), tmp_path)
    (release / SHARD).unlink()
    with pytest.raises(UsageError, match=f"{SHARD} is not there"):
        load_release(make(config), release)


def test_the_map_has_a_line_for_every_tensor_and_no_two_for_one(
    config: ModelConfig, make: Callable[..., Vita]
) -> None:
    model = make(config)
    shapes = shapes_of(model)
    for part in released_parts(model):
        found = entries(part, shapes)
        ours = [name for entry in found for name, _ in entry.pieces]
        assert len(ours) == len(set(ours)) and len(found) == len({entry.name for entry in found})
        counters = [name for name in shapes if name.startswith(part) and name.endswith(".idle")]
        assert len(ours) + len(counters) == sum(name.startswith(part + ".") for name in shapes)


def test_at_full_size_the_released_files_have_their_published_sizes() -> None:
    with torch.device("meta"):
        model = Vita(vita_1_5())
    shapes = shapes_of(model)
    found = {part: entries(part, shapes, PREFIXES.get(part, "")) for part in released_parts(model)}
    sizes = {part: sum(prod(entry.shape) for entry in held) for part, held in found.items()}
    assert sizes["vision_tower"] == 304_012_288 and sizes["speech_encoder"] == 357_950_464 + 2 * 80
    main = sum(sizes[part] for part in PREFIXES if part != "prompt_embeddings")
    assert abs(2 * main / 1e9 - (4.88 + 4.93 + 4.99 + 1.84)) < 0.02
    codec = 4 * (sizes["codec"] + 128 * 128 + 128)
    assert 0 < 253_718_273 - codec < 250_000, "what is left is the archive around the codec's tensors"
    named = {entry.name: entry.shape for held in found.values() for entry in held}
    assert named["model.vision_tower.vision_tower.encoder.layers.23.attn.qkv.weight"] == (3072, 1024)
    assert named["model.audio_encoder.encoder.enc.1.encoders.23.self_attn.pos_bias_u"] == (16, 64)


def test_an_adapter_of_two_stages_has_the_public_codes_numbers() -> None:
    shapes = {
        f"speech_adapter.stages.{n}.{k}": (2,) for n in (0, 1) for k in ("convolution.bias", "norm.weight")
    }
    names = {entry.pieces[0][0]: entry.name for entry in entries("speech_adapter", shapes)}
    assert names["speech_adapter.stages.0.norm.weight"] == "adpter.bn1.weight"
    assert names["speech_adapter.stages.1.convolution.bias"] == "adpter.conv1d2.bias"

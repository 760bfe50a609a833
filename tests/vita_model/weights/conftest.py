"""Released folders of random weights at tiny size: every name and quirk spelt out here, apart from the key map."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import save_file

from vita_model.config.decoder import DecoderConfig
from vita_model.config.model import ModelConfig
from vita_model.config.presets import tiny
from vita_model.nets.vita import Vita, build

Shapes = dict[str, tuple[int, ...]]
AUDIO = "audio-encoder-2wh"


def small_config() -> ModelConfig:
    base = tiny()
    return replace(
        base,
        characters=7,
        vision=replace(base.vision, hidden=32, layers=2, heads=2, intermediate=48),
        language=replace(base.language, hidden=32, layers=2, intermediate=40, vocabulary=300),
        encoder=replace(base.encoder, hidden=16, heads=2, intermediate=24),
        adapter=replace(base.adapter, channels=32, prompts=3),
        decoder=DecoderConfig(
            width=16, heads=2, kv_heads=2, intermediate=24, layers=2, nar_layers=1, codes=1024
        ),
        codec=replace(base.codec, channels=64, codes=1024),
    )


def make_model(config: ModelConfig, seed: int = 0) -> Vita:
    return build(config, seed).eval()


def linear(name: str, outputs: int, inputs: int) -> Shapes:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def norm(name: str, width: int) -> Shapes:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def internvit() -> Shapes:
    found: Shapes = {
        "embeddings.class_embedding": (1, 1, 32),
        "embeddings.position_embedding": (1, 65, 32),
        "embeddings.patch_embedding.weight": (32, 3, 14, 14),
        "embeddings.patch_embedding.bias": (32,),
    }
    for number in range(2):
        layer = f"encoder.layers.{number}"
        found |= {f"{layer}.ls1": (32,), f"{layer}.ls2": (32,)}
        found |= linear(f"{layer}.attn.qkv", 96, 32) | linear(f"{layer}.attn.proj", 32, 32)
        found |= linear(f"{layer}.mlp.fc1", 48, 32) | linear(f"{layer}.mlp.fc2", 32, 48)
        found |= norm(f"{layer}.norm1", 32) | norm(f"{layer}.norm2", 32)
    return found


def qwen() -> Shapes:
    found: Shapes = {"model.embed_tokens.weight": (300, 32), "lm_head.weight": (300, 32)}
    for number in range(2):
        layer = f"model.layers.{number}"
        found |= linear(f"{layer}.self_attn.q_proj", 32, 32)
        found |= linear(f"{layer}.self_attn.k_proj", 16, 32) | linear(f"{layer}.self_attn.v_proj", 16, 32)
        found |= {f"{layer}.self_attn.o_proj.weight": (32, 32)}
        found |= {f"{layer}.mlp.{name}_proj.weight": (40, 32) for name in ("gate", "up")}
        found |= {f"{layer}.mlp.down_proj.weight": (32, 40)}
        found |= {f"{layer}.{name}_layernorm.weight": (32,) for name in ("input", "post_attention")}
    return found | {"model.norm.weight": (32,)}


def whale() -> Shapes:
    found: Shapes = {"encoder.global_cmvn.mean": (80,), "encoder.global_cmvn.istd": (80,)}
    found |= {"encoder.enc.0.core.conv.0.weight": (16, 1, 3, 3), "encoder.enc.0.core.conv.0.bias": (16,)}
    found |= {"encoder.enc.0.core.conv.2.weight": (16, 16, 3, 3), "encoder.enc.0.core.conv.2.bias": (16,)}
    found |= linear("encoder.enc.0.core.out.0", 16, 19 * 16)
    found |= linear("encoder.enc.1.embed.0", 16, 16) | norm("encoder.enc.1.embed.1", 16)
    for number in range(2):
        block = f"encoder.enc.1.encoders.{number}"
        for name in ("linear_q", "linear_k", "linear_v", "linear_out"):
            found |= linear(f"{block}.self_attn.{name}", 16, 16)
        found |= {f"{block}.self_attn.linear_pos.weight": (16, 16)}
        found |= {f"{block}.self_attn.pos_bias_{name}": (2, 8) for name in "uv"}
        found |= linear(f"{block}.feed_forward.w_1", 24, 16) | linear(f"{block}.feed_forward.w_2", 16, 24)
        found |= norm(f"{block}.norm1", 16) | norm(f"{block}.norm2", 16)
    found |= norm("encoder.enc.1.after_norm", 16)
    found |= {"adpter.conv1d2.weight": (32, 16, 5), "adpter.conv1d2.bias": (32,)}
    return found | norm("adpter.bn2", 32) | linear("adpter.project", 32, 32)


def spoken() -> Shapes:
    found: Shapes = {"embedding.weight": (1028, 16), "norm.weight": (16,)}
    for layer in ("layers_pre_nn.0", "layers.0", "layers.1"):
        found |= {f"{layer}.self_attn.{name}_proj.weight": (16, 16) for name in "qkvo"}
        found |= {f"{layer}.mlp.{name}_proj.weight": (24, 16) for name in ("gate", "up")}
        found |= {f"{layer}.mlp.down_proj.weight": (16, 24)}
        found |= {f"{layer}.{name}_layernorm.weight": (16,) for name in ("input", "post_attention")}
    return found | linear("out_fnn", 1028, 16)


def normed(name: str, outputs: int, inputs: int, kernel: int, transposed: bool = False) -> Shapes:
    first, second = (inputs, outputs) if transposed else (outputs, inputs)
    return {
        f"{name}.bias": (outputs,),
        f"{name}.weight_g": (first, 1, 1),
        f"{name}.weight_v": (first, second, kernel),
    }


def ticodec() -> Shapes:
    rates = ((8, 16), (5, 11), (5, 11), (3, 5))
    found = normed("encoder.conv_pre", 4, 1, 7) | normed("generator.conv_pre", 64, 64, 7)
    for stage in range(4):
        down, up = 8 << stage, 32 >> stage
        found |= normed(f"encoder.ups.{stage}", down, down // 2, rates[3 - stage][1])
        found |= normed(f"generator.ups.{stage}", up, 2 * up, rates[stage][1], transposed=True)
        for block, kernel in enumerate((3, 7, 11)):
            number = 3 * stage + block
            found |= norm(f"encoder.normalize.{number}", down)
            for dilation in range(3):
                for kind in ("convs1", "convs2"):
                    found |= normed(f"generator.resblocks.{number}.{kind}.{dilation}", up, up, kernel)
                    found |= normed(f"encoder.resblocks.{number}.{kind}.{dilation}", down, down, 14 - kernel)
    found |= normed("generator.conv_post", 1, 4, 7)
    found |= {"encoder.conv_post.weight": (64, 64, 3), "encoder.conv_post.bias": (64,)}
    found |= linear("encoder.linear.0", 16, 16)
    found |= {
        f"encoder.GlobalTokenEncoder.conv.{number}.weight": shape
        for number, shape in ((0, (8, 16, 3)), (2, (8, 8, 3)), (4, (16, 8, 3)))
    }
    found |= linear("encoder.GlobalTokenEncoder.fn.0", 16, 16) | norm("encoder.GlobalTokenEncoder.fn.2", 16)
    found |= {f"encoder.GlobalTokenEncoder.fn.2.running_{name}": (16,) for name in ("mean", "var")}
    found |= {"encoder.GlobalTokenEncoder.fn.2.num_batches_tracked": ()}
    found |= {"quantizer.quantizer_modules.0.embedding.weight": (1024, 64)}
    books = "quantizer.quantizer_modules_globaltokens"
    return found | {f"{books}.{number}.embedding.weight": (1024, 2) for number in range(8)}


def values(shapes: Shapes, precision: torch.dtype = torch.float32, seed: int = 0) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    found = {name: torch.randn(shape, generator=draw).to(precision) for name, shape in shapes.items()}
    for name in found:
        if name.endswith("num_batches_tracked"):
            found[name] = torch.tensor(1234)
    return found


def heard() -> dict:
    return {
        "cmvn_file": "/somewhere/else/global_cmvn",
        "is_json_cmvn": True,
        "input_dim": 80,
        "encoder_conf": {
            "overview_conf": {"encoder-layer-config": "subsampling-transformer", "encoder-input-dim": 80},
            "para_conf": {
                "subsampling": {"subsampling-rate": 4},
                "transformer": {
                    "transformer-attention-dim": 16,
                    "transformer-attention-heads": 2,
                    "transformer-linear-units": 24,
                    "transformer-num-blocks": 2,
                    "transformer-dropout-rate": 0.1,
                    "transformer-chunk_size": 4,
                    "transformer-left_chunks": 16,
                    "transformer-dynamic-chunks": False,
                },
            },
        },
        "model_conf": {
            "adpter_type": "subsampling",
            "enc_out_dim": 16,
            "llm_embed_dim": 32,
            "kernel_size": 5,
            "activation_func": "gelu",
            "norm": "layer",
        },
        "dataset_conf": {"fbank_conf": {"num_mel_bins": 80, "dither": 1.0}},
    }


def codec_file() -> dict:
    return {
        "resblock": "1",
        "sampling_rate": 24000,
        "upsample_rates": [8, 5, 5, 3],
        "upsample_kernel_sizes": [16, 11, 11, 5],
        "upsample_initial_channel": 64,
        "resblock_kernel_sizes": [3, 7, 11],
        "resblock_dilation_sizes": [[1, 3, 5]] * 3,
        "n_codes": 1024,
        "n_code_groups": 1,
        "residul_layer": 1,
        "global_code_num": 8,
        "global_feature_conv": [16, 8, 16, 3, 1],
        "global_tokens": [473, 975, 419, 219, 565, 121, 550, 616],
        "codebook_loss_lambda": 1.0,
        "commitment_loss_lambda": 0.25,
        "segment_size": 24000,
        "num_mels": 80,
        "fmax": 8000,
    }


def decoder_file() -> list:
    arguments = {
        "idim": 16,
        "odim": 1024,
        "encoder_output_dim": 16,
        "transformer_attention_dim": 16,
        "transformer_num_blocks": 2,
        "transformer_attention_heads": 2,
        "transformer_linear_units": 24,
        "transformer_dropout_rate": 0.0,
    }
    return [16, 1024, arguments]


def write_release(folder: Path, audio_inside: bool = True, prompts: bool = False) -> Path:
    """A whole folder; two shards in bf16, final.pt files in fp32, each with another layout of its own."""
    (folder / AUDIO).mkdir(parents=True)
    audio = values(whale(), seed=3)
    if prompts:
        audio["prompt_embeddings.weight"] = torch.randn(3, 32)
    main = values(qwen(), torch.bfloat16)
    main |= {
        f"model.vision_tower.vision_tower.{k}": v for k, v in values(internvit(), torch.bfloat16).items()
    }
    projector = linear("model.mm_projector.0", 32, 128) | linear("model.mm_projector.2", 32, 32)
    main |= values(projector, torch.bfloat16)
    if audio_inside:
        main |= {f"model.audio_encoder.{name}": tensor.bfloat16() for name, tensor in audio.items()}
    names = sorted(main)
    index: dict[str, str] = {}
    for number in (1, 2):
        path = f"model-{number:05d}-of-00002.safetensors"
        held = names[number - 1 :: 2]
        save_file({name: main[name] for name in held}, folder / path, {"format": "pt"})
        index |= dict.fromkeys(held, path)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": index}))
    torch.save(audio, folder / AUDIO / "final.pt")
    (folder / AUDIO / "train.yaml").write_text(yaml.safe_dump(heard()))
    said = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
    said |= {
        "intermediate_size": 40,
        "vocab_size": 300,
        "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-6,
    }
    said |= {"rope_theta": 1e6, "tokenizer_model_max_length": 2048}
    said |= {"audio_prompt_finetune": prompts, "audio_prompt_num": 3}
    (folder / "config.json").write_text(json.dumps({"model_type": "vita-Qwen2", **said}))
    (folder / "merges.txt").write_text("a b\n")
    for name, described in (("decoder", decoder_file()), ("codec", codec_file())):
        (folder / "vita_tts_ckpt" / name).mkdir(parents=True)
        (folder / "vita_tts_ckpt" / name / "model.json").write_text(json.dumps(described))
    torch.save({"model": values(spoken(), seed=5)}, folder / "vita_tts_ckpt/decoder/final.pt")
    parts: dict[str, dict[str, torch.Tensor]] = {"generator": {}, "quantizer": {}, "encoder": {}}
    for name, tensor in values(ticodec(), seed=7).items():
        parts[name.partition(".")[0]][name.partition(".")[2]] = tensor
    torch.save(parts, folder / "vita_tts_ckpt/codec/final.pt")
    return folder


@pytest.fixture
def config() -> ModelConfig:
    return small_config()


@pytest.fixture
def make() -> Callable[..., Vita]:
    return make_model


@pytest.fixture
def write() -> Callable[..., Path]:
    return write_release


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return write_release(tmp_path / "VITA-1.5")


@pytest.fixture
def plain_vision(tmp_path: Path) -> Path:
    folder = tmp_path / "InternViT"
    folder.mkdir()
    save_file(values(internvit()), folder / "model.safetensors", {"format": "pt"})
    return folder


@pytest.fixture
def plain_language(tmp_path: Path) -> Path:
    folder = tmp_path / "Qwen2.5"
    folder.mkdir()
    save_file(values(qwen()), folder / "model.safetensors", {"format": "pt"})
    (folder / "config.json").write_text(json.dumps({"tie_word_embeddings": False}))
    return folder

"""Configs in the words of a released VITA-1.5 folder, for the public tools that build a model from them."""

from __future__ import annotations

from typing import Any

from vita_data.errors import UsageError
from vita_model.config.codec import CodecConfig
from vita_model.config.decoder import DecoderConfig
from vita_model.config.model import ModelConfig
from vita_model.config.released import LAYERS
from vita_model.config.speech import AdapterConfig, EncoderConfig


def main_json(config: ModelConfig, audio_folder: str) -> dict[str, Any]:
    """`config.json`, with the audio encoder's folder as it is called there; UsageError for another kind of model."""
    language = config.language
    if language.architecture != "qwen2":
        raise UsageError(
            f"a language model of architecture {language.architecture} has no released layout; only qwen2 has."
        )
    return {
        "architectures": ["VITAQwen2ForCausalLM"],
        "model_type": "vita-Qwen2",
        "hidden_size": language.hidden,
        "num_hidden_layers": language.layers,
        "num_attention_heads": language.heads,
        "num_key_value_heads": language.kv_heads,
        "intermediate_size": language.intermediate,
        "vocab_size": language.vocabulary,
        "rope_theta": language.rope_theta,
        "rms_norm_eps": language.norm_epsilon,
        "max_position_embeddings": language.positions,
        "hidden_act": "silu",
        "tie_word_embeddings": False,
        "bos_token_id": 151643,
        "eos_token_id": 151645,
        "mm_vision_tower": "OpenGVLab/InternViT-300M-448px",
        "mm_vision_select_layer": -1,
        "mm_projector_type": "mlp2x_gelu",
        "mm_hidden_size": config.vision.features,
        "mm_audio_encoder": audio_folder,
        "audio_prompt_finetune": config.adapter.prompts > 0,
        "audio_prompt_num": config.adapter.prompts,
        "tokenizer_model_max_length": config.geometry.max_length,
    }


def train_yaml(encoder: EncoderConfig, adapter: AdapterConfig, llm_hidden: int) -> dict[str, Any]:
    """The audio encoder's `train.yaml`."""
    return {
        "cmvn_file": "global_cmvn",
        "is_json_cmvn": True,
        "input_dim": encoder.mel_bins,
        "encoder_conf": {
            "overview_conf": {
                "encoder-input-dim": encoder.mel_bins,
                "encoder-layer-config": LAYERS,
                "encoder-output-dim": encoder.hidden,
            },
            "para_conf": {"subsampling": _subsampling(encoder), "transformer": _transformer(encoder)},
        },
        "model_conf": {
            "adpter_type": adapter.kind,
            "enc_out_dim": encoder.hidden,
            "llm_embed_dim": llm_hidden,
            "kernel_size": adapter.kernel,
            "activation_func": adapter.activation,
            "norm": adapter.norm,
            "llm_path": "",
        },
        "dataset_conf": {
            "resample_conf": {"resample_rate": 16000},
            "fbank_conf": {
                "num_mel_bins": encoder.mel_bins,
                "frame_length": 25,
                "frame_shift": 10,
                "dither": encoder.dither,
            },
        },
    }


def _subsampling(encoder: EncoderConfig) -> dict[str, Any]:
    return {
        "subsampling-rate": 4,
        "subsampling-input-dim": encoder.mel_bins,
        "subsampling-output-dim": encoder.hidden,
        "subsampling-dropout-rate": encoder.dropout,
    }


def _transformer(encoder: EncoderConfig) -> dict[str, Any]:
    return {
        "transformer-input-dim": encoder.hidden,
        "transformer-output-dim": encoder.hidden,
        "transformer-attention-dim": encoder.hidden,
        "transformer-attention-heads": encoder.heads,
        "transformer-linear-units": encoder.intermediate,
        "transformer-num-blocks": encoder.layers,
        "transformer-dropout-rate": encoder.dropout,
        "transformer-attention-dropout-rate": encoder.attention_dropout,
        "transformer-positional-dropout-rate": encoder.dropout,
        "transformer-input-layer": "linear",
        "transformer-pos-enc-class": "rel-enc",
        "transformer-normalize-before": True,
        "transformer-concat-after": False,
        "transformer-positionwise-layer-type": "linear",
        "transformer-chunk_size": encoder.chunk or -1,
        "transformer-left_chunks": encoder.left_chunks,
        "transformer-dynamic-chunks": encoder.dynamic_chunks,
    }


def decoder_json(config: DecoderConfig) -> list[Any]:
    """The speech decoder's `model.json`; UsageError for a shape that the public code cannot build."""
    if config.nar_layers != config.layers // 2 or config.kv_heads != config.heads:
        raise UsageError(
            f"speech decoder: {config.nar_layers} NAR and {config.layers} AR blocks, {config.heads} heads and "
            f"{config.kv_heads} for keys; released files say half as many NAR as AR blocks and one number of heads."
        )
    arguments = {
        "idim": config.width,
        "odim": config.codes,
        "encoder_pre_norm_type": "ln",
        "encoder_drop_rate": 0.0,
        "encoder_criterion": "ce",
        "encoder_upsample_rate": 1,
        "encoder_output_dim": config.width,
        "kv_cache_prefix_finetune": 0,
        "transformer_attention_dim": config.width,
        "transformer_attention_heads": config.heads,
        "transformer_linear_units": config.intermediate,
        "transformer_num_blocks": config.layers,
        "transformer_dropout_rate": config.dropout,
    }
    return [config.width, config.codes, arguments]


def codec_json(config: CodecConfig) -> dict[str, Any]:
    """The codec's `model.json`."""
    width, kernels = config.global_width, config.block_kernels
    return {
        "resblock": "1",
        "sampling_rate": config.rate,
        "upsample_rates": list(config.strides),
        "upsample_kernel_sizes": list(config.kernels),
        "upsample_initial_channel": config.channels,
        "resblock_kernel_sizes": list(kernels),
        "resblock_dilation_sizes": [list(config.block_dilations) for _ in kernels],
        "n_codes": config.codes,
        "n_code_groups": 1,
        "residul_layer": 1,
        "global_code_num": config.global_codes,
        "global_feature_conv": [width, config.global_hidden, width, 3, 1],
        "global_tokens": list(config.voice),
        "codebook_loss_lambda": config.codebook_weight,
        "commitment_loss_lambda": config.commitment_weight,
        "segment_size": config.segment,
        "num_mels": config.mel_bands,
        "n_fft": 1024,
        "hop_size": 240,
        "win_size": 1024,
        "fmin": 0,
        "fmax": config.mel_top,
    }

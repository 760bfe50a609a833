"""The dimensions that a released VITA-1.5 folder states, read into configs.

The folder says them in the argument names of the public training code; what is not named here has no part in
the shape or the arithmetic of the model. Every function raises UsageError that begins with `where` for what is
missing, and for a shape that the public code could not run either. `describe` is the way back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vita_data.errors import UsageError
from vita_model.config.codec import CodecConfig
from vita_model.config.decoder import DecoderConfig
from vita_model.config.language import LanguageConfig
from vita_model.config.speech import AdapterConfig, EncoderConfig

LAYERS = "subsampling-transformer"


def language_config(said: Mapping[str, Any], where: str) -> LanguageConfig:
    """The language model of `config.json`: Qwen2's, under the names of transformers."""
    return LanguageConfig(
        hidden=_number(said, "hidden_size", where),
        layers=_number(said, "num_hidden_layers", where),
        heads=_number(said, "num_attention_heads", where),
        kv_heads=_number(said, "num_key_value_heads", where),
        intermediate=_number(said, "intermediate_size", where),
        vocabulary=_number(said, "vocab_size", where),
        rope_theta=float(said.get("rope_theta", LanguageConfig.rope_theta)),
        norm_epsilon=float(said.get("rms_norm_eps", LanguageConfig.norm_epsilon)),
        positions=_number(said, "max_position_embeddings", where),
    )


def speech_configs(said: Mapping[str, Any], prompts: int, where: str) -> tuple[EncoderConfig, AdapterConfig]:
    """The audio encoder and its adapter of `train.yaml`, with so many guiding embeddings.

    Chunks of the public code's -1, which is full attention, are 0 here.
    """
    overview = _arguments(_inside(said, "encoder_conf.overview_conf", where))
    _same(overview.get("encoder_layer_config"), LAYERS, "encoder_layer_config", where)
    block = _arguments(_inside(said, "encoder_conf.para_conf.transformer", where))
    model = _inside(said, "model_conf", where)
    hidden = _number(block, "transformer_attention_dim", where)
    _same(_number(model, "enc_out_dim", where), hidden, "enc_out_dim", where)
    encoder = EncoderConfig(
        mel_bins=_number(said, "input_dim", where),
        hidden=hidden,
        layers=_number(block, "transformer_num_blocks", where),
        heads=_number(block, "transformer_attention_heads", where),
        intermediate=_number(block, "transformer_linear_units", where),
        chunk=max(0, int(block.get("transformer_chunk_size", -1))),
        left_chunks=int(block.get("transformer_left_chunks", -1)),
        dynamic_chunks=bool(block.get("transformer_dynamic_chunks", True)),
        dropout=float(block.get("transformer_dropout_rate", 0.1)),
        attention_dropout=float(block.get("transformer_attention_dropout_rate", 0.0)),
        dither=float(_inside(said, "dataset_conf.fbank_conf", where).get("dither", 0.0)),
    )
    kind = str(model.get("adpter_type", "cnn"))
    adapter = AdapterConfig(
        kind=kind,
        channels=2 * hidden,
        kernel=_number(model, "kernel_size", where),
        stride=2 if kind == "subsampling" else 1,
        norm=str(model.get("norm", "batch")) if kind == "subsampling" else "batch",
        activation=str(model.get("activation_func", "relu")) if kind == "subsampling" else "relu",
        prompts=prompts,
    )
    return encoder, adapter


def decoder_config(said: Any, where: str) -> DecoderConfig:
    """The speech decoder of `vita_tts_ckpt/decoder/model.json`: [width, codes, arguments].

    The public code makes half as many NAR blocks as AR blocks, and a head as wide as its blocks.
    """
    if not isinstance(said, list) or len(said) != 3 or not isinstance(said[2], dict):
        raise UsageError(f"{where}: it is no list of width, codes and arguments; give the released file.")
    arguments = _arguments(said[2])
    width = _number(arguments, "transformer_attention_dim", where)
    blocks = _number(arguments, "transformer_num_blocks", where)
    heads = _number(arguments, "transformer_attention_heads", where)
    for key in ("idim", "encoder_output_dim"):
        _same(_number(arguments, key, where), width, key, where)
    return DecoderConfig(
        width=width,
        heads=heads,
        kv_heads=heads,
        intermediate=_number(arguments, "transformer_linear_units", where),
        layers=blocks,
        nar_layers=blocks // 2,
        codes=_number(arguments, "odim", where),
        dropout=float(arguments.get("transformer_dropout_rate", 0.0)),
    )


def codec_config(said: Mapping[str, Any], where: str) -> CodecConfig:
    """The codec of `vita_tts_ckpt/codec/model.json`.

    The public code adds the global vector wherever channels happen to be as many; here that stage has its index.
    """
    for key, only in (("resblock", "1"), ("n_code_groups", 1), ("residul_layer", 1)):
        _same(said.get(key), only, key, where)
    channels, convolution = _number(said, "upsample_initial_channel", where), said["global_feature_conv"]
    strides = tuple(said["upsample_rates"])
    stages = [stage for stage in range(len(strides)) if channels >> (stage + 1) == convolution[0]]
    if not stages:
        raise UsageError(
            f"{where}: no stage is {convolution[0]} channels wide, as global_feature_conv wants it."
        )
    return CodecConfig(
        rate=_number(said, "sampling_rate", where),
        strides=strides,
        kernels=tuple(said["upsample_kernel_sizes"]),
        channels=channels,
        block_kernels=tuple(said["resblock_kernel_sizes"]),
        block_dilations=tuple(said["resblock_dilation_sizes"][0]),
        codes=_number(said, "n_codes", where),
        global_codes=_number(said, "global_code_num", where),
        global_hidden=convolution[1],
        global_stage=stages[0],
        codebook_weight=float(said["codebook_loss_lambda"]),
        commitment_weight=float(said["commitment_loss_lambda"]),
        voice=tuple(said["global_tokens"]),
        mel_bands=_number(said, "num_mels", where),
        mel_top=float(said["fmax"]),
        segment=_number(said, "segment_size", where),
    )


def _arguments(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name.replace("-", "_"): value for name, value in said.items()}


def _inside(said: Mapping[str, Any], dotted: str, where: str) -> Mapping[str, Any]:
    for key in dotted.split("."):
        found = said.get(key)
        if not isinstance(found, Mapping):
            raise UsageError(f"{where}: {dotted} is missing; give the released file.")
        said = found
    return said


def _number(said: Mapping[str, Any], key: str, where: str) -> int:
    value = said.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise UsageError(f"{where}: {key} is {value!r}; write a whole number above 0.")
    return value


def _same(found: Any, wanted: Any, key: str, where: str) -> None:
    if found != wanted:
        raise UsageError(f"{where}: {key} is {found!r}; only {wanted!r} fits the rest of the file.")

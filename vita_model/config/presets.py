"""The named models: the paper's, and smaller ones with the same parts and the same rules."""

from __future__ import annotations

from collections.abc import Callable

from vita_data.errors import UsageError
from vita_data.manifest.geometry import Geometry
from vita_model.config.codec import CodecConfig
from vita_model.config.decoder import DecoderConfig
from vita_model.config.language import LanguageConfig
from vita_model.config.model import ModelConfig
from vita_model.config.speech import AdapterConfig, EncoderConfig
from vita_model.config.vision import VisionConfig


def vita_1_5() -> ModelConfig:
    """The paper's model: 448-px tiles of 256 tokens, at most 12 and a thumbnail, sequences of 6,200."""
    return ModelConfig("vita-1.5", VisionConfig(), LanguageConfig(), Geometry())


def small() -> ModelConfig:
    """About a tenth of the paper's width on its geometry, for one consumer card: Qwen2.5-0.5B's dimensions."""
    return ModelConfig(
        preset="small",
        vision=VisionConfig(hidden=384, layers=12, heads=6, intermediate=1536),
        language=LanguageConfig(
            hidden=896, layers=24, heads=14, kv_heads=2, intermediate=4864, vocabulary=151936
        ),
        geometry=Geometry(),
        encoder=EncoderConfig(hidden=384, layers=12, heads=6, intermediate=1536),
        adapter=AdapterConfig(channels=768),
        decoder=DecoderConfig(width=448, heads=7, kv_heads=7, intermediate=1216),
        codec=CodecConfig(channels=256, global_hidden=32, discriminator_width=16),
    )


def proof() -> ModelConfig:
    """A model for two cores that learns digits that are seen, heard and spoken within an hour."""
    return ModelConfig(
        preset="proof",
        vision=VisionConfig(hidden=96, layers=4, heads=4, intermediate=384, tile_pixels=112),
        language=LanguageConfig(
            hidden=128, layers=4, heads=4, kv_heads=2, intermediate=352, vocabulary=8256, positions=4096
        ),
        geometry=Geometry(
            tokenizer="qwen2.5-8k", tile_pixels=112, tile_tokens=16, max_tiles=3, max_length=512
        ),
        encoder=EncoderConfig(
            mel_bins=40,
            hidden=64,
            layers=3,
            heads=4,
            intermediate=256,
            chunk=8,  # places are scored absolutely: only chunks tell a small encoder what is near
            left_chunks=1,
            dropout=0.0,
            dither=0.0,
        ),
        adapter=AdapterConfig(channels=128, prompts=5),
        decoder=DecoderConfig(
            width=128, heads=4, kv_heads=4, intermediate=352, layers=2, nar_layers=1, codes=256
        ),
        codec=CodecConfig(
            channels=128,
            block_kernels=(3, 7),
            block_dilations=(1, 3),
            codes=256,
            global_hidden=8,
            restart_after=10,
            mel_bands=26,  # finer ones tell pitch, which is learned long after what makes words
            segment=9000,
            voice=tuple(range(8)),
            discriminator_width=4,
        ),
    )


def tiny() -> ModelConfig:
    """A model for a laptop CPU: 112-px tiles of 16 tokens, Qwen's vocabulary cut to its first 8,192 ranks."""
    return ModelConfig(
        preset="tiny",
        vision=VisionConfig(hidden=128, layers=4, heads=4, intermediate=512, tile_pixels=112),
        language=LanguageConfig(
            hidden=160, layers=4, heads=4, kv_heads=2, intermediate=432, vocabulary=8256, positions=4096
        ),
        geometry=Geometry(
            tokenizer="qwen2.5-8k", tile_pixels=112, tile_tokens=16, max_tiles=3, max_length=2048
        ),
        encoder=EncoderConfig(hidden=64, layers=2, heads=4, intermediate=256),
        adapter=AdapterConfig(channels=128, prompts=5),
        decoder=DecoderConfig(width=80, heads=4, kv_heads=4, intermediate=216, layers=2, nar_layers=2),
        codec=CodecConfig(channels=64, global_hidden=8, restart_after=5, discriminator_width=4),
    )


PRESETS: dict[str, Callable[[], ModelConfig]] = {
    "tiny": tiny,
    "proof": proof,
    "small": small,
    "vita-1.5": vita_1_5,
}


def preset(name: str) -> ModelConfig:
    """The preset of that name; raises UsageError with the names there are."""
    if name not in PRESETS:
        raise UsageError(f"preset {name!r} is unknown; choose one of {', '.join(PRESETS)}.")
    return PRESETS[name]()

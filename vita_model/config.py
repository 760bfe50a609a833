"""What a model is made of: the dimensions of each part, the geometry it was made for, and the named presets.

The large preset repeats the paper's: InternViT-300M-448px, a two-layer projector, Qwen2.5-7B-Instruct.
The tiny one has the same parts and the same rules on a scale that a laptop CPU trains in seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

from vita_data.errors import UsageError
from vita_data.manifest.geometry import Geometry

PARTS = ("vision_tower", "projector", "language_model")
Known = TypeVar("Known")


@dataclass(frozen=True)
class VisionConfig:
    """The vision tower; pixels are the side of a tile, `downsample` the tiles' pixel-shuffle factor."""

    hidden: int = 1024
    layers: int = 24
    heads: int = 16
    intermediate: int = 4096
    tile_pixels: int = 448
    patch_pixels: int = 14
    layer_scale: float = 1.0
    drop_path: float = 0.1
    feature_scale: float = 0.5
    downsample: int = 2

    @property
    def tokens_per_tile(self) -> int:
        """How many vectors a tile becomes after the pixel shuffle."""
        return (self.tile_pixels // self.patch_pixels // self.downsample) ** 2

    @property
    def features(self) -> int:
        """The width of a tile's vectors before the projector."""
        return self.hidden * self.downsample**2


@dataclass(frozen=True)
class LanguageConfig:
    """A decoder of the Qwen2 architecture; `vocabulary` is the number of rows of the embedding table."""

    hidden: int = 3584
    layers: int = 28
    heads: int = 28
    kv_heads: int = 4
    intermediate: int = 18944
    vocabulary: int = 152064
    rope_theta: float = 1e6
    norm_epsilon: float = 1e-6
    positions: int = 32768


@dataclass(frozen=True)
class ModelConfig:
    """The whole model: its preset's name, its two towers, and the geometry its inputs are cut to."""

    preset: str
    vision: VisionConfig
    language: LanguageConfig
    geometry: Geometry

    def __post_init__(self) -> None:
        for said, needed, what in (
            (self.geometry.tile_pixels, self.vision.tile_pixels, "pixels a tile"),
            (self.geometry.tile_tokens, self.vision.tokens_per_tile, "tokens a tile"),
        ):
            if said != needed:
                raise UsageError(
                    f"model {self.preset}: its geometry says {said} {what}, its vision tower makes {needed}; "
                    "give both the same."
                )

    def to_json(self) -> dict[str, Any]:
        """Plain values, as they stand in a run and in a checkpoint."""
        return asdict(self)

    @staticmethod
    def from_json(value: dict[str, Any]) -> ModelConfig:
        """The config that `to_json` wrote; raises UsageError for keys that are missing or unknown."""
        return ModelConfig(
            preset=str(value["preset"]),
            vision=_known(VisionConfig, value["vision"]),
            language=_known(LanguageConfig, value["language"]),
            geometry=_known(Geometry, value["geometry"]),
        )


def _known(kind: type[Known], value: dict[str, Any]) -> Known:
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if names != set(value):
        odd = ", ".join(sorted(names ^ set(value)))
        raise UsageError(
            f"the model config does not fit {kind.__name__} at: {odd}; it is of another version."
        )
    return kind(**value)


def vita_1_5() -> ModelConfig:
    """The paper's model: 448-px tiles of 256 tokens, at most 12 and a thumbnail, sequences of 6,200."""
    return ModelConfig("vita-1.5", VisionConfig(), LanguageConfig(), Geometry())


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
    )


PRESETS: dict[str, Callable[[], ModelConfig]] = {"tiny": tiny, "vita-1.5": vita_1_5}


def preset(name: str) -> ModelConfig:
    """The preset of that name; raises UsageError with the names there are."""
    if name not in PRESETS:
        raise UsageError(f"preset {name!r} is unknown; choose one of {', '.join(PRESETS)}.")
    return PRESETS[name]()

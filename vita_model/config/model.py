"""The whole model: its parts' dimensions and the geometry its inputs are cut to."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

from vita_data.errors import UsageError
from vita_data.manifest.geometry import Geometry
from vita_model.config.codec import CodecConfig
from vita_model.config.decoder import DecoderConfig
from vita_model.config.language import LanguageConfig
from vita_model.config.speech import AdapterConfig, EncoderConfig
from vita_model.config.vision import VisionConfig

# The parts by the names that stage cards use, in the order in which a sample passes them.
PARTS = (
    "vision_tower",
    "projector",
    "speech_encoder",
    "ctc_head",
    "speech_adapter",
    "prompt_embeddings",
    "language_model",
    "state_head",
    "speech_decoder",
    "codec",
)
STATES = 3
ADAPTER_STRIDE = 2  # vita_data.prompt.lengths counts the vectors of a sound by it
Known = TypeVar("Known")


@dataclass(frozen=True)
class ModelConfig:
    """The whole model under its preset's name.

    `characters` is the size of the CTC head's vocabulary with its blank and its unknown, which stage 2.1 brings
    along; 0 is a model without that head. `states` are the classes of the state head.
    """

    preset: str
    vision: VisionConfig
    language: LanguageConfig
    geometry: Geometry
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    adapter: AdapterConfig = field(default_factory=AdapterConfig)
    decoder: DecoderConfig = field(default_factory=DecoderConfig)
    codec: CodecConfig = field(default_factory=CodecConfig)
    characters: int = 0
    states: int = STATES

    def __post_init__(self) -> None:
        for said, needed, what in (
            (self.geometry.tile_pixels, self.vision.tile_pixels, "pixels a tile"),
            (self.geometry.tile_tokens, self.vision.tokens_per_tile, "tokens a tile"),
            (self.geometry.codec_rate, self.codec.rate / self.codec.hop, "codec tokens a second"),
            (self.geometry.audio_rate, 25 / self.adapter.stride, "tokens of sound a second"),
        ):
            if said != needed:
                raise UsageError(
                    f"model {self.preset}: its geometry says {said} {what}, its parts make {needed}; "
                    "give both the same."
                )
        if self.adapter.stride != ADAPTER_STRIDE:
            raise UsageError(
                f"model {self.preset}: its speech adapter has stride {self.adapter.stride}, and builds count the "
                f"vectors of a sound by stride {ADAPTER_STRIDE}; give it that."
            )
        if self.language.hidden % self.decoder.width:
            raise UsageError(
                f"model {self.preset}: an embedding of {self.language.hidden} is no whole number of the speech "
                f"decoder's vectors of {self.decoder.width}; choose a width that divides it."
            )

    def to_json(self) -> dict[str, Any]:
        """Plain values, as they stand in a run and in a checkpoint."""
        return asdict(self)

    @staticmethod
    def from_json(value: dict[str, Any]) -> ModelConfig:
        """The config that `to_json` wrote; raises UsageError for keys that are missing or unknown."""
        kinds = {
            "vision": VisionConfig,
            "language": LanguageConfig,
            "geometry": Geometry,
            "encoder": EncoderConfig,
            "adapter": AdapterConfig,
            "decoder": DecoderConfig,
            "codec": CodecConfig,
        }
        read = {name: _known(kinds[name], part) if name in kinds else part for name, part in value.items()}
        return _known(ModelConfig, read)


def _known(kind: type[Known], value: dict[str, Any]) -> Known:
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if names != set(value):
        odd = ", ".join(sorted(names ^ set(value)))
        raise UsageError(
            f"the model config does not fit {kind.__name__} at: {odd}; it is of another version."
        )
    return kind(**{name: tuple(item) if isinstance(item, list) else item for name, item in value.items()})

"""How long things become: tokens of text, pictures, speech and codec, and which frames a film gives.

The build counts with these formulas and the model encodes by them; a test holds them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vita_data.errors import RecordError
from vita_data.manifest.geometry import Geometry
from vita_data.prompt.template import MediumKind, Modality, TextPiece, Turn, count_placeholders, encode_chat
from vita_data.prompt.tiling import Grid, choose_grid, tiles_of
from vita_data.prompt.tokenizer import Tokenizer

FBANK_WINDOW = 400
FBANK_SHIFT = 160
CODEC_HOP = 600
ONE_TILE: Grid = (1, 1)


@dataclass(frozen=True, slots=True)
class Lengths:
    """What one sample costs: `length` is the sum of the tokens; a grid is (columns, rows) of one picture.

    The frames of films follow the pictures, each a grid of one tile. `audio_tokens` are of sound that is
    heard, or of the codec for sound that is to be spoken.
    """

    text_tokens: int
    visual_tokens: int
    audio_tokens: int
    grids: list[Grid]
    length: int


def measure(
    turns: Sequence[Turn],
    sizes: Sequence[tuple[int, int]],
    geometry: Geometry,
    tokenizer: Tokenizer,
    state_tokens: bool = False,
    modality: Modality | None = None,
    *,
    inserted_id: int | None = None,
    noise_ends: bool = False,
    frames: Sequence[int] = (),
    heard: Sequence[int] = (),
    spoken: Sequence[int] = (),
) -> Lengths:
    """Count the tokens of a conversation with pictures of these (width, height), as the model will see it.

    `frames` counts the frames of each film, `heard` the samples at 16 kHz of each sound of the questions,
    `spoken` those at 24 kHz of each sound that an answer is to be spoken as.
    RecordError `placeholder_count` when placeholders and media differ in number, `audio_too_short` for a
    sound of no tokens, `too_long` when the sample does not fit into `geometry.max_length` even with one
    tile a picture.
    """
    pieces = encode_chat(turns, tokenizer, state_tokens, modality, inserted_id, noise_ends=noise_ends)
    text_tokens = sum(len(piece.ids) for piece in pieces if isinstance(piece, TextPiece))
    _check_counts(turns, {"image": len(sizes), "video": len(frames), "audio": len(heard)})
    audio = [*map(audio_tokens, heard), *map(codec_tokens, spoken)]
    if not all(audio):
        raise RecordError("audio_too_short", "A sound is too short to be heard as anything.", 0, 1)
    film_tokens = geometry.tile_tokens * sum(frames)
    grids = fit_grids(sizes, text_tokens + film_tokens + sum(audio), geometry)
    visual_tokens = film_tokens + visual_tokens_of(grids, geometry)
    length = text_tokens + visual_tokens + sum(audio)
    return Lengths(text_tokens, visual_tokens, sum(audio), [*grids, *[ONE_TILE] * sum(frames)], length)


def _check_counts(turns: Sequence[Turn], media: dict[MediumKind, int]) -> None:
    for kind, placed in count_placeholders(turns).items():
        if placed != media[kind]:
            raise RecordError(
                "placeholder_count",
                f"The turns place {placed} {kind} media and the sample has {media[kind]}; make them agree.",
                placed,
                media[kind],
            )


def fit_grids(sizes: Sequence[tuple[int, int]], other_tokens: int, geometry: Geometry) -> list[Grid]:
    """The grids of a sample's pictures beside so many other tokens, the same for the build and the model.

    The cap on tiles is lowered for all of them, from `geometry.max_tiles` to 1, until the sample fits.
    RecordError `too_long` when it never does.
    """
    length = other_tokens
    for cap in range(geometry.max_tiles, 0, -1):
        grids = [choose_grid(width, height, cap, geometry.tile_pixels) for width, height in sizes]
        length = other_tokens + visual_tokens_of(grids, geometry)
        if length <= geometry.max_length:
            return grids
        if not sizes:
            break
    raise RecordError(
        "too_long",
        f"The sample needs {length} tokens or more and a sequence holds {geometry.max_length}; shorten it.",
        length,
        geometry.max_length,
    )


def visual_tokens_of(grids: Sequence[Grid], geometry: Geometry) -> int:
    """Tokens of pictures cut into these grids."""
    return geometry.tile_tokens * sum(tiles_of(grid, geometry.thumbnail) for grid in grids)


def fbank_frames(samples: int) -> int:
    """Filter-bank frames of 16 kHz audio: 25 ms windows every 10 ms, no padding (Kaldi's snip_edges)."""
    return 0 if samples < FBANK_WINDOW else 1 + (samples - FBANK_WINDOW) // FBANK_SHIFT


def encoder_frames(samples: int) -> int:
    """Frames of the speech encoder for 16 kHz audio, about 25 a second: two convolutions of width 3, stride 2.

    A clip under 7 filter-bank frames is too short for them and has 0.
    """
    first = (fbank_frames(samples) - 1) // 2
    return max(0, (first - 1) // 2)


def audio_tokens(samples: int) -> int:
    """Tokens of 16 kHz audio, about 12.5 a second: the padded adapter of stride 2 over the encoder's frames."""
    return -(-encoder_frames(samples) // 2)


def codec_tokens(samples: int) -> int:
    """Codec tokens of 24 kHz audio, 40 a second: the last one is filled up with silence."""
    return -(-samples // CODEC_HOP)

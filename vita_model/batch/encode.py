"""One sample as the model is fed it: token ids, places of its tiles, and what is to be predicted where."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise

import torch

from vita_data.errors import ShardError
from vita_data.manifest.geometry import Geometry
from vita_data.prompt.template import TextPiece, encode_chat
from vita_data.prompt.tiling import tiles_of
from vita_data.prompt.tokenizer import Tokenizer
from vita_data.shards.read import Sample
from vita_model.batch.pictures import tiles

IGNORED = -100


@dataclass(frozen=True)
class Encoded:
    """A sample of T tokens: ids[T], 0 where a tile's vector goes; labels[T], -100 where none; its tiles.

    The frames of films are tiles as those of pictures are, one a frame.
    """

    key: str
    ids: list[int]
    labels: list[int]
    tile_places: list[int]
    tiles: torch.Tensor


class Encoder:
    """Turns samples into ids, labels and tiles by the tokenizer, template and geometry of a stage."""

    def __init__(self, tokenizer: Tokenizer, geometry: Geometry, state_tokens: bool = False) -> None:
        self.tokenizer = tokenizer
        self.geometry = geometry
        self.state_tokens = state_tokens

    def encode(self, sample: Sample) -> Encoded:
        """A sample encoded; ShardError when it is not as long as its index, and so its pack, says, or holds sound."""
        ids: list[int] = []
        labels: list[int] = []
        places: dict[int, range] = {}  # by the picture, in the order of the sample's media
        pictures = _pictures(sample)
        if sample.record["audio"]:
            raise ShardError(
                f"{sample.key} holds sound, and this model reads text, pictures and films; train a stage without sound."
            )
        turns, inserted_id = sample.record["conversations"], sample.record["inserted_id"]
        for piece in encode_chat(turns, self.tokenizer, self.state_tokens, inserted_id=inserted_id):
            if isinstance(piece, TextPiece):
                ids += piece.ids
                labels += piece.ids if piece.labelled else [IGNORED] * len(piece.ids)
            else:
                for picture in pictures[piece.kind][piece.index]:
                    vectors = (
                        tiles_of(sample.grids[picture], self.geometry.thumbnail) * self.geometry.tile_tokens
                    )
                    places[picture] = range(len(ids), len(ids) + vectors)
                    ids += [0] * vectors
                    labels += [IGNORED] * vectors
        if len(ids) != sample.length:
            raise ShardError(
                f"{sample.key} makes {len(ids)} tokens and its index says {sample.length}; "
                "build the stage again with this version."
            )
        in_order = [place for picture in sorted(places) for place in places[picture]]
        return Encoded(sample.key, ids, labels, in_order, self._tiles(sample))

    def _tiles(self, sample: Sample) -> torch.Tensor:
        pixels = self.geometry.tile_pixels
        found = [
            tiles(data, grid, pixels, self.geometry.thumbnail, sample.key)
            for data, grid in zip(sample.media[: len(sample.grids)], sample.grids, strict=True)
        ]
        return torch.cat(found) if found else torch.zeros(0, 3, pixels, pixels, dtype=torch.uint8)


def _pictures(sample: Sample) -> dict[str, list[range]]:
    """Which of the sample's pictures each placeholder of a kind stands for: one for an image, the frames of a film."""
    images = len(sample.record["image"])
    ends = list(accumulate((len(film["frames"]) for film in sample.record["video"]), initial=images))
    return {
        "image": [range(n, n + 1) for n in range(images)],
        "video": [range(first, end) for first, end in pairwise(ends)],
    }

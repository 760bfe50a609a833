"""One sample as the model is fed it: token ids, places of its media, and what is to be predicted where."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import NoReturn

import torch

from vita_data.errors import ShardError
from vita_data.manifest.geometry import Geometry
from vita_data.prompt.lengths import audio_tokens
from vita_data.prompt.template import AUDIO, MediumPiece, TextPiece, encode_chat
from vita_data.prompt.tiling import tiles_of
from vita_data.prompt.tokenizer import Tokenizer
from vita_data.shards.read import Sample
from vita_model.batch.decode import Decode, decode
from vita_model.batch.pictures import tiles
from vita_model.batch.sounds import waveform
from vita_model.batch.states import states_of
from vita_model.config.model import STATES
from vita_model.nets.batch import modality

IGNORED = -100
TEXT = modality()
HEARD_RATE = 16000


@dataclass(frozen=True)
class Encoded:
    """A sample of T tokens: ids[T], 0 where a medium's vector goes; labels[T], -100 where none; its media.

    The frames of films are tiles as those of pictures are, one a frame. `states` are the places where questions end,
    with the class of each for the state head; `holds` is its modality.
    """

    key: str
    ids: list[int]
    labels: list[int]
    tile_places: list[int]
    tiles: torch.Tensor
    sounds: list[torch.Tensor] = field(default_factory=list)
    sound_places: list[int] = field(default_factory=list)
    prompt_places: list[int] = field(default_factory=list)
    states: list[tuple[int, int]] = field(default_factory=list)
    holds: str = TEXT


class Encoder:
    """Turns samples into ids, labels and media by the tokenizer, template and geometry of a stage.

    `prompts` guiding embeddings stand before each sound; the stage's lengths do not count them. `noise_ends` is
    the template's, `classes` those of the state head; media are decoded `by` a process of their own or by this one.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        geometry: Geometry,
        state_tokens: bool = False,
        prompts: int = 0,
        noise_ends: bool = False,
        classes: int = STATES,
        by: Decode = decode,
    ) -> None:
        self.tokenizer = tokenizer
        self.geometry = geometry
        self.state_tokens = state_tokens
        self.prompts = prompts
        self.noise_ends = noise_ends
        self.classes = classes
        self.by = by

    def encode(self, sample: Sample) -> Encoded:
        """A sample encoded; ShardError when it is not as long as its index, and so its pack, says."""
        record = sample.record
        sounds = [
            waveform(data, HEARD_RATE, f"{sample.key} sound {number}", self.by)
            for number, data in enumerate(sample.media[len(sample.grids) :])
        ]
        lengths = [len(sound) for sound in sounds]
        layout = _Layout(sample.key, _pictures(sample), self._vectors(sample), lengths, self.prompts)
        turns, inserted_id = record["conversations"], record["inserted_id"]
        for piece in encode_chat(
            turns, self.tokenizer, self.state_tokens, inserted_id=inserted_id, noise_ends=self.noise_ends
        ):
            layout.add(piece)
        layout.check(len(sample.grids), len(sounds))
        if len(layout.ids) - len(layout.prompts) != sample.length:
            raise ShardError(
                f"{sample.key} makes {len(layout.ids)} tokens and its index says {sample.length}; "
                "build the stage again with this version."
            )
        return Encoded(
            key=sample.key,
            ids=layout.ids,
            labels=layout.labels,
            tile_places=[place for picture in sorted(layout.seen) for place in layout.seen[picture]],
            tiles=self._tiles(sample),
            sounds=sounds,
            sound_places=[place for span in layout.heard for place in span],
            prompt_places=layout.prompts,
            states=states_of(turns, layout.heard, self._ends(layout.ids), inserted_id, self.classes),
            holds=modality(bool(record["image"]), bool(record["video"]), bool(sounds)),
        )

    def listen(self, key: str, sound: torch.Tensor) -> Encoded:
        """A waveform (samples,) as the record of a transcript asks for it, up to where the answer begins."""
        layout = _Layout(key, {"image": [], "video": []}, [], [len(sound)], self.prompts)
        for piece in encode_chat([{"from": "human", "value": AUDIO}], self.tokenizer, self.state_tokens):
            layout.add(piece)
        pixels = self.geometry.tile_pixels
        return Encoded(
            key=key,
            ids=layout.ids,
            labels=layout.labels,
            tile_places=[],
            tiles=torch.zeros(0, 3, pixels, pixels, dtype=torch.uint8),
            sounds=[sound],
            sound_places=[place for span in layout.heard for place in span],
            prompt_places=layout.prompts,
        )

    def _ends(self, ids: list[int]) -> list[int]:
        """The last place of each turn, before the token that closes it; the system prompt is no turn."""
        return [place - 1 for place, token in enumerate(ids) if token == self.tokenizer.im_end][1:]

    def _vectors(self, sample: Sample) -> list[int]:
        return [tiles_of(grid, self.geometry.thumbnail) * self.geometry.tile_tokens for grid in sample.grids]

    def _tiles(self, sample: Sample) -> torch.Tensor:
        pixels = self.geometry.tile_pixels
        found = [
            tiles(data, grid, pixels, self.geometry.thumbnail, sample.key, self.by)
            for data, grid in zip(sample.media[: len(sample.grids)], sample.grids, strict=True)
        ]
        return torch.cat(found) if found else torch.zeros(0, 3, pixels, pixels, dtype=torch.uint8)


class _Layout:
    """Ids and labels as they grow, and where the vectors of each picture and sound go."""

    def __init__(
        self,
        name: str,
        pictures: dict[str, list[range]],
        vectors: list[int],
        samples: list[int],
        prompts: int,
    ) -> None:
        self._name = name
        self._pictures = pictures
        self._vectors = vectors
        self._samples = samples
        self._prompts = prompts
        self.ids: list[int] = []
        self.labels: list[int] = []
        self.seen: dict[int, range] = {}  # by the picture, in the order of the sample's media
        self.heard: list[range] = []
        self.prompts: list[int] = []

    def add(self, piece: TextPiece | MediumPiece) -> None:
        """Appends a piece of the conversation."""
        if isinstance(piece, TextPiece):
            self.ids += piece.ids
            self.labels += piece.ids if piece.labelled else [IGNORED] * len(piece.ids)
        elif piece.kind == "audio":
            self.prompts += self._room(self._prompts)
            self.heard.append(self._room(self._tokens(piece.index)))
        else:
            pictures = self._pictures[piece.kind][piece.index]
            if not sum(self._vectors[picture] for picture in pictures):
                self._refuse(f"its {piece.kind} {piece.index} holds nothing to be seen")
            for picture in pictures:
                self.seen[picture] = self._room(self._vectors[picture])

    def check(self, pictures: int, sounds: int) -> None:
        """ShardError unless all that the sample holds has a place in what it says."""
        placed, held = (len(self.seen), len(self.heard)), (pictures, sounds)
        if placed != held:
            self._refuse(
                f"it holds {held[0]} pictures and {held[1]} sounds and speaks of {placed[0]} and {placed[1]}"
            )

    def _refuse(self, words: str) -> NoReturn:
        raise ShardError(f"{self._name}: {words}; build the stage again with this version.")

    def _tokens(self, sound: int) -> int:
        tokens = audio_tokens(self._samples[sound])
        if not tokens:
            self._refuse(f"its sound of {self._samples[sound]} samples is too short to be heard as anything")
        return tokens

    def _room(self, vectors: int) -> range:
        places = range(len(self.ids), len(self.ids) + vectors)
        self.ids += [0] * vectors
        self.labels += [IGNORED] * vectors
        return places


def _pictures(sample: Sample) -> dict[str, list[range]]:
    """Which of the sample's pictures each placeholder of a kind stands for: one for an image, the frames of a film."""
    images = len(sample.record["image"])
    ends = list(accumulate((len(film["frames"]) for film in sample.record["video"]), initial=images))
    return {
        "image": [range(n, n + 1) for n in range(images)],
        "video": [range(first, end) for first, end in pairwise(ends)],
    }

"""What the model is fed: one packed sequence as tensors, its media, and what is to be learned from each."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

import torch

from vita_data.prompt.lengths import audio_tokens

# The terms of the loss: next tokens, the state head, symbols of a transcript, codec tokens.
LM, STATE, CTC, CODES = "lm", "state", "ctc", "codes"


def _numbers() -> torch.Tensor:
    return torch.zeros(0, dtype=torch.int64)


def modality(image: bool = False, video: bool = False, audio: bool = False) -> str:
    """What a sample holds beside its text, as in "image+audio"; "text" where there is nothing."""
    held = [name for name, there in (("image", image), ("video", video), ("audio", audio)) if there]
    return "+".join(held) or "text"


@dataclass(frozen=True)
class Batch:
    """One pack. T tokens in S samples, K tiles, C sounds, L labelled places; bounds and places count from 0.

    ids (T,) int64, with 0 where a vector of a medium goes; segments are the S + 1 bounds of the samples;
    positions (T,) restart in each. tiles (K, 3, px, px) uint8, their vectors go to tile_places (K * tokens a
    tile,). sounds (samples,) float32 from -1 to 1 at 16 kHz, one clip after the other by sound_lengths, their
    vectors go to sound_places; guiding embeddings go to prompt_places, a whole set before each sound.

    What is learned: at loss_places (L,) the next token, targets (L,); at state_places the state,
    state_targets; of all sounds the symbols, as many for each as symbol_lengths says; of each clause, token ids
    by clause_lengths, its codec tokens `codes` by code_lengths. `keys` names the samples, for people, and `holds`
    says what each holds, as `modality` has it.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    segments: tuple[int, ...]
    tiles: torch.Tensor
    tile_places: torch.Tensor = field(default_factory=_numbers)
    loss_places: torch.Tensor = field(default_factory=_numbers)
    targets: torch.Tensor = field(default_factory=_numbers)
    sounds: torch.Tensor = field(default_factory=lambda: torch.zeros(0))
    sound_lengths: tuple[int, ...] = ()
    sound_places: torch.Tensor = field(default_factory=_numbers)
    prompt_places: torch.Tensor = field(default_factory=_numbers)
    state_places: torch.Tensor = field(default_factory=_numbers)
    state_targets: torch.Tensor = field(default_factory=_numbers)
    symbols: torch.Tensor = field(default_factory=_numbers)
    symbol_lengths: tuple[int, ...] = ()
    clauses: torch.Tensor = field(default_factory=_numbers)
    clause_lengths: tuple[int, ...] = ()
    codes: torch.Tensor = field(default_factory=_numbers)
    code_lengths: tuple[int, ...] = ()
    keys: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()

    @property
    def tokens(self) -> int:
        """How much there is to go through: the packed sequence, or sounds or clauses that stand by themselves."""
        heard = sum(map(audio_tokens, self.sound_lengths))
        return max(len(self.ids), heard, len(self.clauses) + len(self.codes))

    def has(self, sense: str) -> bool:
        """Whether there is something to see (`sight`), to hear (`hearing`) or to say (`speech`)."""
        return bool(
            {"sight": len(self.tiles), "hearing": self.sound_lengths, "speech": self.code_lengths}[sense]
        )

    @property
    def counts(self) -> dict[str, int]:
        """What each term of the loss is a sum over; an utterance of codec tokens has its end as one more."""
        return {
            LM: len(self.targets),
            STATE: len(self.state_targets),
            CTC: len(self.symbols),
            CODES: len(self.codes) + len(self.code_lengths),
        }

    def to(self, device: torch.device) -> Batch:
        """The same batch with its tensors on a device."""
        held = {item.name: getattr(self, item.name) for item in fields(self)}
        moved: dict[str, Any] = {
            name: value.to(device, non_blocking=True)
            for name, value in held.items()
            if isinstance(value, torch.Tensor)
        }
        return replace(self, **moved)

"""The characters that the speech encoder first learns to write, and what a clip needs to be written in them.

Training by connectionist temporal classification (Graves et al., 2006) puts one symbol or a blank on every
frame, and a blank between equal neighbours. The vocabulary is a file of the stage that trains so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeGuard

from vita_data import files
from vita_data.errors import RecordError, VitaError
from vita_data.records.key import digest_of

BLANK, UNKNOWN = 0, 1
SPECIALS = 2
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True)
class Characters:
    """A vocabulary of single characters in code-point order; ids count from 2, after blank and unknown."""

    symbols: tuple[str, ...]

    @staticmethod
    def of(transcripts: Iterable[str]) -> Characters:
        """The characters that stand in these transcripts, which are already in their normal spelling."""
        return Characters(tuple(sorted({symbol for text in transcripts for symbol in text})))

    @staticmethod
    def read(path: str) -> Characters:
        """The vocabulary that `write` wrote; raises VitaError for a file that holds anything else."""
        said = files.read_json(path)
        symbols = said.get("characters") if isinstance(said, dict) else None
        if _is_vocabulary(symbols):
            characters = Characters(tuple(symbols))
            if said.get("digest") == characters.digest:
                return characters
        raise VitaError(f"{path} is not a list of characters as it was written; build its stage again.")

    def write(self, path: str) -> None:
        """Writes the vocabulary with its digest, readable by people."""
        files.write_json(path, {"characters": self.symbols, "digest": self.digest})

    @cached_property
    def digest(self) -> str:
        """Sixteen hex digits that change with any id."""
        return digest_of("characters", SPECIALS, self.symbols)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {symbol: number for number, symbol in enumerate(self.symbols, SPECIALS)}

    def __len__(self) -> int:
        """The classes of a head for it: blank and unknown are counted."""
        return SPECIALS + len(self.symbols)

    def encode(self, transcript: str) -> list[int]:
        """One id a character of a transcript in its normal spelling; 1 for a character that is not known."""
        return [self._ids.get(symbol, UNKNOWN) for symbol in transcript]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids without blanks; an unknown character is written U+FFFD."""
        return "".join(
            REPLACEMENT if number == UNKNOWN else self.symbols[number - SPECIALS]
            for number in ids
            if number != BLANK
        )


def _is_vocabulary(symbols: Any) -> TypeGuard[list[str]]:
    return (
        isinstance(symbols, list)
        and all(isinstance(symbol, str) and len(symbol) == 1 for symbol in symbols)
        and all(first < second for first, second in pairwise(symbols))
    )


def frames_needed(ids: Sequence[int]) -> int:
    """The frames without which these ids cannot be written: one for each, and a blank between equal neighbours."""
    return len(ids) + sum(first == second for first, second in pairwise(ids))


def check_frames(ids: Sequence[int], frames: int) -> None:
    """Raises RecordError `ctc_too_short` where a clip has fewer encoder frames than its transcript needs."""
    needed = frames_needed(ids)
    if frames < needed:
        raise RecordError(
            "ctc_too_short",
            f"The clip has {frames} encoder frames and its transcript needs {needed}; "
            "leave it out or check that both belong together.",
            frames,
            needed,
        )

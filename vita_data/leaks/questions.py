"""The questions or transcripts of benchmarks, ready to be found in training texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from vita_data.curate import words
from vita_data.leaks import arrays, bitmap, index, information, search, tokens
from vita_data.leaks.search import BITS, SHARE, Finding

KIND = "questions"
VERSIONS = [words.VERSION, tokens.VERSION, information.VERSION, bitmap.VERSION, index.VERSION]


@dataclass(frozen=True)
class QuestionIndex:
    """Questions by number, in the order in which they were given; transcripts of speech are questions like others."""

    arrays: index.Index

    @classmethod
    def build(cls, texts: Sequence[str], options: Sequence[str] = ()) -> Self:
        """An index of questions as they are written; `options` has those of each in one text, or "".

        A question with options is found with them and without. Takes about 3 kB a question while it is built.
        """
        return cls(index.build(texts, options or [""] * len(texts)))

    def save(self, folder: str) -> None:
        """Writes the index to a folder."""
        arrays.save(folder, KIND, VERSIONS, self.arrays._asdict())

    @classmethod
    def load(cls, folder: str) -> Self:
        """The index in a folder, mapped into memory; raises VitaError for none, another version's or a damaged one."""
        return cls(index.Index(**arrays.load(folder, KIND, VERSIONS)))

    def __len__(self) -> int:
        return len(self.arrays.stems)

    @property
    def first_equal(self) -> Any:
        """int32[n]: for each question the first whose text is equal, in normal form and without options.

        A finding names one of the questions with the same text, the one with the same options where it can.
        """
        numbers = np.arange(len(self), dtype=np.int32)
        stems = self.arrays.stems
        return np.where(stems < 0, numbers, self.arrays.owners[stems])

    def find(self, texts: Sequence[str], share: float = SHARE, bits: float = BITS) -> list[Finding]:
        """Questions in texts, in the order of texts: equal ones of any length, and near ones.

        Near is what has the `share` of all that a question says, and at least so many `bits` of it.
        """
        return search.find(self.arrays, texts, share, bits)

    def likeness(self, texts: Sequence[str], questions: Sequence[int]) -> Any:
        """float64[n]: how much of question i stands in text i, 0 to 1, however little the question says."""
        return search.likeness(self.arrays, texts, questions)

"""The loss of a step by source."""

from __future__ import annotations

import torch

from vita_model.nets.batch import Batch
from vita_model.train.breakdown import by_source, joined


def batch(**changes: object) -> Batch:
    numbers = torch.arange(9)
    plain = {"ids": numbers, "positions": numbers, "segments": (0, 4, 9), "tiles": torch.zeros(0, 3, 8, 8)}
    return Batch(**{**plain, "keys": ("my-source-00aa", "other-00bb"), **changes})  # type: ignore[arg-type]


def test_the_loss_of_words_goes_to_the_source_of_their_sample() -> None:
    found = by_source(
        batch(loss_places=torch.tensor([1, 3, 4, 8])), {"lm": torch.tensor([1.0, 2.0, 4.0, 8.0])}
    )
    assert found == {"my-source": (3.0, 2), "other": (12.0, 2)}


def test_the_loss_of_transcripts_goes_to_the_source_of_their_clip() -> None:
    found = by_source(batch(symbol_lengths=(3, 5), sound_lengths=(1, 1)), {"ctc": torch.tensor([6.0, 10.0])})
    assert found == {"my-source": (6.0, 3), "other": (10.0, 5)}


def test_an_empty_pack_has_no_source() -> None:
    assert by_source(batch(keys=(), segments=(0, 9)), {"lm": torch.zeros(0)}) == {}


def test_sums_of_several_packs_are_joined() -> None:
    assert joined([{"a": (1.0, 2)}, {"b": (2.0, 1), "a": (3.0, 1)}]) == {"a": (4.0, 3), "b": (2.0, 1)}

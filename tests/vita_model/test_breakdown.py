"""The loss of a step by source and by what samples hold."""

from __future__ import annotations

import torch

from vita_model.nets.batch import Batch, modality
from vita_model.train.breakdown import by_part, joined


def batch(**changes: object) -> Batch:
    numbers = torch.arange(9)
    plain = {"ids": numbers, "positions": numbers, "segments": (0, 4, 9), "tiles": torch.zeros(0, 3, 8, 8)}
    keys, holds = ("my-source-00aa", "other-00bb"), ("image+audio", "text")
    return Batch(**{**plain, "keys": keys, "holds": holds, **changes})  # type: ignore[arg-type]


def test_the_loss_of_words_goes_to_the_source_and_the_modality_of_their_sample() -> None:
    found = by_part(batch(loss_places=torch.tensor([1, 3, 4, 8])), {"lm": torch.tensor([1.0, 2.0, 4.0, 8.0])})
    assert found["sources"] == {"my-source": (3.0, 2), "other": (12.0, 2)}
    assert found["modalities"] == {"image+audio": (3.0, 2), "text": (12.0, 2)}


def test_the_loss_of_transcripts_goes_to_the_source_of_their_clip() -> None:
    found = by_part(
        batch(symbol_lengths=(3, 5), sound_lengths=(1, 1), holds=("audio", "audio")),
        {"ctc": torch.tensor([6.0, 10.0])},
    )
    assert found["sources"] == {"my-source": (6.0, 3), "other": (10.0, 5)}
    assert found["modalities"] == {"audio": (16.0, 8)}


def test_the_loss_of_codec_tokens_goes_to_the_source_of_their_utterance_with_its_end() -> None:
    found = by_part(
        batch(code_lengths=(1, 2), holds=("audio", "audio")),
        {"codes": torch.tensor([1.0, 2.0, 4.0, 8.0, 16.0])},
    )
    assert found["sources"] == {"my-source": (3.0, 2), "other": (28.0, 3)}
    assert found["modalities"] == {"audio": (31.0, 5)}


def test_an_empty_pack_has_no_parts() -> None:
    assert by_part(batch(keys=(), segments=(0, 9)), {"lm": torch.zeros(0)}) == {}


def test_sums_of_several_packs_are_joined() -> None:
    assert joined([{"a": (1.0, 2)}, {"b": (2.0, 1), "a": (3.0, 1)}]) == {"a": (4.0, 3), "b": (2.0, 1)}


def test_a_modality_names_all_that_a_sample_holds_and_text_where_there_is_nothing() -> None:
    assert modality() == "text"
    assert modality(image=True, audio=True) == "image+audio"
    assert modality(video=True) == "video"

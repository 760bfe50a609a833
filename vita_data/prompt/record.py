"""The lengths of a whole record, as a shard holds it: which of its sounds are heard, and which are to be spoken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vita_data.manifest.geometry import Geometry
from vita_data.prompt.lengths import Lengths, measure
from vita_data.prompt.tokenizer import Tokenizer


def measure_record(
    record: dict[str, Any],
    sizes: Sequence[tuple[int, int]],
    sounds: Sequence[int],
    geometry: Geometry,
    tokenizer: Tokenizer,
    state_tokens: bool,
    noise_ends: bool = False,
) -> Lengths:
    """`measure` of a record with pictures of these sizes and sounds of so many samples, in the record's order.

    A sound that an answer is to be spoken as counts as tokens of the codec; all others are heard.
    """
    to_be_said = set(answers_to_speak(record))
    named = list(zip(record["audio"], sounds, strict=True))
    return measure(
        record["conversations"],
        sizes,
        geometry,
        tokenizer,
        state_tokens,
        inserted_id=record["inserted_id"],
        noise_ends=noise_ends,
        frames=[len(film["frames"]) for film in record["video"]],
        heard=[samples for name, samples in named if name not in to_be_said],
        spoken=[samples for name, samples in named if name in to_be_said],
    )


def answers_to_speak(record: dict[str, Any]) -> list[str]:
    """The members of a record that an answer is to be spoken as."""
    turns = record["conversations"]
    return [said["audio"] for said in record["spoken"] if turns[said["turn"]]["from"] == "gpt"]

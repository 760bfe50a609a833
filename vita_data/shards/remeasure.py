"""What the index must say of a sample, measured again from its record and the headers of its media.

Tokens are counted with the tokenizer, the chat template and the tiling of the plan, as the build counts them.
"""

from __future__ import annotations

from typing import Any

from vita_data.errors import UsageError
from vita_data.manifest.geometry import Geometry
from vita_data.prompt.record import measure_record
from vita_data.prompt.template import PLACEHOLDERS, noise_ends_in, template_digest
from vita_data.prompt.tokenizer import Tokenizer, load_tokenizer
from vita_data.shards.headers import picture_size, sound_length


class Remeasure:
    """The measures of a plan; `remark` says why tokens are not counted, where this installation cannot."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.remark: str | None = None
        self._tokenizer: Tokenizer | None = None
        try:
            self._geometry = Geometry(**plan["geometry"])
            self._states = plan["state_tokens"], noise_ends_in(plan)
            if template_digest(*self._states) != plan["template_digest"]:
                raise UsageError("the stage has another version's chat template.")
            self._tokenizer = load_tokenizer(self._geometry.tokenizer)
        except (UsageError, TypeError) as error:
            self.remark = f"tokens were not counted again: {error}"

    def row(self, record: Any, media: list[bytes]) -> dict[str, Any]:
        """What the index says of a sample, but for its members and its shard; `media` in the order of its members.

        RecordError or ShardError when it cannot be measured.
        """
        sounds = [sound_length(data) for data in media[len(media) - len(record["audio"]) :]]
        said = {name: record[name] for name in ("source", "language", "licence")}
        said["questions"] = sum(turn["from"] == "gpt" for turn in record["conversations"])
        said["sound_samples"] = sum(samples for samples, _ in sounds)
        said["seconds"] = sum(samples / rate for samples, rate in sounds)
        return said | self._tokens(record, media, [samples for samples, _ in sounds])

    def _tokens(self, record: Any, media: list[bytes], sounds: list[int]) -> dict[str, Any]:
        if self._tokenizer is None:
            return {}
        sizes = [picture_size(data) for data in media[: len(record["image"])]]
        lengths = measure_record(record, sizes, sounds, self._geometry, self._tokenizer, *self._states)
        return {
            "text_tokens": lengths.text_tokens,
            "visual_tokens": lengths.visual_tokens,
            "audio_tokens": lengths.audio_tokens,
            "grids": [{"cols": columns, "rows": rows} for columns, rows in lengths.grids],
            "length": lengths.length,
        }


def members_of(record: Any) -> list[str]:
    """The media members that a record names, in the order in which they lie: pictures, frames of films, sounds."""
    frames = [name for film in record["video"] for name in film["frames"]]
    return [*record["image"], *frames, *record["audio"]]


def questions_spoken(record: Any) -> list[dict[str, Any]]:
    """What a record says of its questions that were spoken for a stage."""
    turns = record["conversations"]
    return [said for said in record["spoken"] if turns[said["turn"]]["from"] == "human"]


def is_spoken(value: str) -> bool:
    """Whether a question is made of placeholders alone, the last of which is a sound."""
    marks = value.split("\n")
    return marks[-1] == PLACEHOLDERS["audio"] and all(mark in PLACEHOLDERS.values() for mark in marks)

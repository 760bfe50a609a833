"""Texts and the codec tokens they are spoken as: what the speech decoder learns from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import torch

from vita_data.errors import RecordError, ShardError, UsageError
from vita_data.prompt.record import answers_to_speak
from vita_data.prompt.spoken_text import check_positions, spoken_text
from vita_data.prompt.tokenizer import Tokenizer
from vita_data.shards.read import Pack, Place, Stage
from vita_model.batch.codes import Codes
from vita_model.batch.collate import empty
from vita_model.batch.left_out import LeftOut
from vita_model.config.model import ModelConfig
from vita_model.nets.batch import Batch, modality


@dataclass(frozen=True)
class Clause:
    """An utterance: token ids of its text, and its frame codes (tokens,) int64."""

    key: str
    ids: list[int]
    codes: torch.Tensor


class Clauses:
    """Utterances for the speech decoder, none of which leaves anything to the language model.

    `left_out` are those that cannot be said, by key, once `leave_out` has looked for them.
    Raises UsageError for codes that the decoder has no tokens for.
    """

    def __init__(self, tokenizer: Tokenizer, config: ModelConfig, codes: Codes) -> None:
        made = codes.facts["codec"]["codes"]
        if made != config.decoder.codes:
            raise UsageError(
                f"{codes.folder} holds tokens of {made} kinds and the speech decoder of preset {config.preset} knows "
                f"{config.decoder.codes}; give both the same number of codes."
            )
        self.tokenizer = tokenizer
        self.geometry = config.geometry
        self.codes = codes
        self.left_out = LeftOut()
        self._pieces = config.language.hidden // config.decoder.width
        self._positions = config.decoder.positions

    def batch(self, stage: Stage, pack: Pack | None) -> Batch:
        """The utterances of a pack one after the other; ShardError names one that cannot be said."""
        nothing = empty(self.geometry.tile_pixels)
        places = [place for place in pack.samples if place.key not in self.left_out] if pack else []
        said = [self._fitting(stage, place) for place in places]
        if not said:
            return nothing
        return replace(
            nothing,
            clauses=torch.tensor(list(chain(*(clause.ids for clause in said))), dtype=torch.int64),
            clause_lengths=tuple(len(clause.ids) for clause in said),
            codes=torch.cat([clause.codes for clause in said]),
            code_lengths=tuple(len(clause.codes) for clause in said),
            keys=tuple(clause.key for clause in said),
            holds=(modality(audio=True),) * len(said),
        )

    def encode(self, stage: Stage, place: Place) -> Clause:
        """The utterance at a place of the stage, or of its held-out part, whatever its length."""
        record = stage.shard(place.shard).record(place.row)
        return Clause(
            place.key,
            self.tokenizer.encode(spoken_text(spoken_answer(record)[0])),
            self.codes.of(stage, place),
        )

    def check(self, clause: Clause) -> None:
        """Raises RecordError for an utterance without words, or with more than the decoder has positions for."""
        check_positions(len(clause.ids), len(clause.codes), self._pieces, self._positions)

    def leave_out(self, stage: Stage) -> LeftOut:
        """Goes through every text of a stage and leaves out, from now on, what cannot be said."""
        for number in range(stage.shard_count):
            for row, key in enumerate(stage.shard(number).keys):
                try:
                    self.check(self.encode(stage, Place(number, row, key)))
                except RecordError as error:
                    self.left_out.add(key, error)
        return self.left_out

    def _fitting(self, stage: Stage, place: Place) -> Clause:
        clause = self.encode(stage, place)
        try:
            self.check(clause)
        except RecordError as error:
            raise ShardError(f"{place.key}: {error}") from None
        return clause


def spoken_answer(record: dict[str, Any]) -> tuple[str, str]:
    """(text, member) of the one answer of a record that is to be spoken; ShardError where it is not one."""
    members = answers_to_speak(record)
    if len(members) != 1:
        raise ShardError(
            f"{record['id']} has {len(members)} answers to speak and the speech decoder learns from samples of one; "
            "give each answer a sample of its own."
        )
    turn = next(said["turn"] for said in record["spoken"] if said["audio"] == members[0])
    return record["conversations"][turn]["value"], members[0]

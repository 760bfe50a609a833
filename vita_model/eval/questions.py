"""The questions that a sample asks: one for each answer in it, the turns before it given as they are."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from vita_data.prompt.template import PLACEHOLDERS
from vita_data.shards.read import Sample
from vita_model.batch.encode import IGNORED, Encoded, Encoder
from vita_model.batch.states import TEXT_OR_SPEECH

Asked = Literal["spoken", "written", "noise"]
STATE_OF: dict[Asked, str] = {"spoken": "reply", "written": "text", "noise": "noise"}
AUDIO = PLACEHOLDERS["audio"]


@dataclass(frozen=True)
class Question:
    """An answer that is wanted: where its labels lie in the sample, and how it was asked.

    `labels` are the places of the answer's tokens with the one that closes it; the prompt is all before them.
    `turn` numbers the answer among the conversation's turns; `question` is in words, also where it was spoken and the
    record knows them. `place` and `state` are what the state head looks at, None where it does not look.
    """

    key: str
    source: str
    type: str
    turn: int
    asked: Asked
    heard: bool
    question: str
    wanted: str
    labels: range
    place: int | None
    state: int | None


def questions(sample: Sample, encoded: Encoded, encoder: Encoder) -> list[Question]:
    """Every answer of an encoded sample as a question, in the order of its turns."""
    record = sample.record
    turns, inserted = record["conversations"], record["inserted_id"]
    answers = [number for number, turn in enumerate(turns) if turn["from"] == "gpt"]
    looked_at = dict(zip(_looked_at(turns, encoder.classes), encoded.states, strict=True))
    found, heard = [], False
    for number, labels in zip(answers, _runs(encoded.labels), strict=True):
        before = turns[number - 1] if number else {"from": "gpt", "value": ""}
        heard = AUDIO in before["value"] if before["from"] == "human" else heard
        quiet = number == inserted and encoder.noise_ends
        place, state = looked_at.get(number, (None, None))
        found.append(
            Question(
                key=sample.key,
                source=sample.source,
                type=record.get("type", "qa"),
                turn=number,
                asked="noise" if number == inserted else "spoken" if heard else "written",
                heard=heard,
                question=_in_words(record, number - 1),
                wanted="" if quiet else turns[number]["value"],
                labels=labels,
                place=place,
                state=state,
            )
        )
    return found


def _runs(labels: list[int]) -> list[range]:
    """The places of each answer: neighbours that are labelled."""
    runs = []
    for labelled, places in groupby(range(len(labels)), lambda place: labels[place] != IGNORED):
        if labelled:
            held = list(places)
            runs.append(range(held[0], held[-1] + 1))
    return runs


def _looked_at(turns: list[dict[str, str]], classes: int) -> list[int]:
    """The answers whose questions the state head looks at, as `states_of` finds them."""
    return [
        number + 1
        for number, turn in enumerate(turns[:-1])
        if turn["from"] == "human" and (classes == TEXT_OR_SPEECH or AUDIO in turn["value"])
    ]


def _in_words(record: dict[str, Any], turn: int) -> str:
    """A question as text, what was spoken included; empty where nobody wrote down what is heard."""
    if turn < 0 or record["conversations"][turn]["from"] != "human":
        return ""
    written = record["conversations"][turn]["value"]
    for mark in PLACEHOLDERS.values():
        written = written.replace(mark, "")
    said = [one["text"] for one in record.get("spoken", []) if one["turn"] == turn and "text" in one]
    return " ".join([*said, *written.split()])

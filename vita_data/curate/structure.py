"""Structure rules: what a conversation must look like before anything is opened.

`conversation` turns native roles into human and gpt; each rule after it is a plain function from the
turns (and how many media there are) to a reject or None, in the order of RULES.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vita_data.errors import RecordError
from vita_data.records.reject import Reject

Turns = list[dict[str, str]]
# How many media of each kind a record has: image, video, audio.
Counts = Mapping[str, int]
MARKS = {"image": "<image>", "video": "<video>", "audio": "<audio>"}
NAMES = {"image": "pictures", "video": "films", "audio": "sounds"}
ROLES = {"human": "human", "user": "human", "gpt": "gpt", "assistant": "gpt", "bot": "gpt", "model": "gpt"}


def conversation(native: list[dict[str, Any]], counts: Counts) -> Turns:
    """Turns with the roles human and gpt; raises RecordError for what cannot be one.

    Leading system turns and a leading answer are left out: the template has its own system prompt, and
    an answer to nothing is not a question (the model's own loader does the same). One picture, film or sound
    that is the record's only medium and that no turn names is put in front of the first question, as LLaVA's
    tools do.
    """
    turns: Turns = []
    for number, turn in enumerate(native):
        role, value = turn.get("from"), turn.get("value")
        if role == "system" and not turns:
            continue
        if not isinstance(role, str) or role not in ROLES:
            raise RecordError(
                "unknown_role", f"turn {number} is said by {role!r}, who is neither user nor model.", role
            )
        if value is None:
            value = ""
        if not isinstance(value, str):
            raise RecordError("not_a_record", f"turn {number} says {str(value)[:40]!r}, which is not a text.")
        turns.append({"from": ROLES[role], "value": _checked(value, number)})
    if turns and turns[0]["from"] == "gpt":
        turns = turns[1:]
    if sum(counts.values()) == 1 and turns and not any(named(turns).values()):
        (mark,) = (MARKS[kind] for kind, count in counts.items() if count)
        turns[0]["value"] = f"{mark}\n{turns[0]['value']}"
    return turns


def named(turns: Turns) -> dict[str, int]:
    """How many media of each kind the questions name."""
    asked = [turn["value"] for turn in turns if turn["from"] == "human"]
    return {kind: sum(value.count(mark) for value in asked) for kind, mark in MARKS.items()}


def _checked(value: str, number: int) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise RecordError(
            "not_utf8",
            f"turn {number} holds half a surrogate pair, which no UTF-8 text can.",
            f"{ord(value[error.start]):#x}",
        ) from error
    return value


def roles_alternate(turns: Turns, counts: Counts) -> Reject | None:
    """Refuses a conversation that is empty, has two turns of one speaker in a row, or ends on a question."""
    if not turns:
        return Reject(
            "roles_alternate", "the conversation has no question with an answer.", "0 turns", "2 or more"
        )
    for number, turn in enumerate(turns):
        if turn["from"] != ("human", "gpt")[number % 2]:
            return Reject(
                "roles_alternate",
                f"two {turn['from']} turns stand in a row at turn {number}.",
                f"turn {number}",
            )
    if len(turns) % 2:
        return Reject(
            "roles_alternate", "the last question has no answer.", f"{len(turns)} turns", "an even number"
        )
    return None


def nothing_empty(turns: Turns, counts: Counts) -> Reject | None:
    """Refuses empty answers, and empty questions that show no picture either."""
    for number, turn in enumerate(turns):
        if not turn["value"].strip():
            rule = "empty_answer" if turn["from"] == "gpt" else "empty_question"
            return Reject(rule, f"turn {number} says nothing.", "0 characters", "1 or more")
    return None


def placeholders_match(turns: Turns, counts: Counts) -> Reject | None:
    """Refuses samples whose questions name more or fewer pictures, films or sounds than the record has."""
    for kind, found in named(turns).items():
        there = counts.get(kind, 0)
        if found != there:
            words = f"{found} {MARKS[kind]} placeholders stand for {there} {NAMES[kind]}."
            return Reject("placeholders_match", words, str(found), str(there))
    return None


def answers_noise(turns: Turns, number: int | None) -> Reject | None:
    """Refuses a negative whose `inserted_id` is not the number of an answer to a sound."""
    answer = number is not None and 0 < number < len(turns) and turns[number]["from"] == "gpt"
    if answer and number is not None and MARKS["audio"] in turns[number - 1]["value"]:
        return None
    words = (
        "inserted_id is not the number of an answer to a sound, which tells what was not meant for the model."
    )
    return Reject("no_negative", words, str(number))


RULES: tuple[Callable[[Turns, Counts], Reject | None], ...] = (
    roles_alternate,
    nothing_empty,
    placeholders_match,
)


def judge(turns: Turns, counts: Counts) -> Reject | None:
    """The first rule that a conversation breaks, or None."""
    for rule in RULES:
        reject = rule(turns, counts)
        if reject is not None:
            return reject
    return None

"""The chat template: from the turns of a sample to the pieces a model is fed, ChatML as Qwen2.5 writes it.

A piece is a run of token ids, learned from or not, or a place where a picture, film or sound goes. Answers are
encoded on their own, and so is the header before them, so that training sees exactly the ids that
generation starts from. What looks like a placeholder inside an answer is ordinary text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from vita_data.errors import RecordError
from vita_data.prompt.tokenizer import Tokenizer
from vita_data.records.key import digest_of

TEMPLATE_VERSION = 3
IMAGE = "<image>"
VIDEO = "<video>"
AUDIO = "<audio>"
NOISE_ANSWER = "noise_answer"  # in a plan

Modality = Literal["image", "video", "lang"]
Turn = Mapping[str, str]

SYSTEM_PROMPTS: dict[Modality, str] = {
    "image": (
        "Your name is VITA. People show you pictures and ask about them. Look closely, rely on what can be"
        " seen, and say so when the pictures do not settle a question. Reply in the language you are"
        " addressed in, kindly and truthfully."
    ),
    "video": (
        "Your name is VITA. People show you films and ask about them. Follow what happens frame by frame,"
        " rely on what can be seen, and say so when the film does not settle a question. Reply in the"
        " language you are addressed in, kindly and truthfully."
    ),
    "lang": (
        "Your name is VITA. People talk and write to you. Reply in the language you are addressed in, kindly"
        " and truthfully, and say so when you do not know."
    ),
}
_ROLES = {"human": "user", "gpt": "assistant"}
MediumKind = Literal["image", "video", "audio"]
PLACEHOLDERS: dict[MediumKind, str] = {"image": IMAGE, "video": VIDEO, "audio": AUDIO}
_KINDS: dict[str, MediumKind] = {mark: kind for kind, mark in PLACEHOLDERS.items()}
_MARKS = re.compile(f"({'|'.join(PLACEHOLDERS.values())})")


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A run of token ids; `labelled` ones are what the model learns to say."""

    ids: tuple[int, ...]
    labelled: bool


@dataclass(frozen=True, slots=True)
class MediumPiece:
    """The place of the sample's n-th medium of a kind, counted from 0."""

    kind: MediumKind
    index: int


Piece = TextPiece | MediumPiece


def encode_chat(
    turns: Sequence[Turn],
    tokenizer: Tokenizer,
    state_tokens: bool = False,
    modality: Modality | None = None,
    inserted_id: int | None = None,
    *,
    noise_ends: bool = False,
) -> list[Piece]:
    """The pieces of a conversation, in order; neighbouring unlabelled runs are joined.

    A turn is {"from": "human" | "gpt", "value": text}. Answers and their closing token are labelled;
    nothing follows the last one. When the last turn is a human's, the header of the answer is left
    open, which is the prompt for generation. With `state_tokens`, an answer's first label is the token
    that says what it answers: "reply" to speech, "text" to writing, and "noise" in the turn numbered
    `inserted_id`, which answers sound that was not meant for the model; with `noise_ends` nothing but the
    closing token follows there, whatever the turn says. The system prompt is the video one when a human turn
    holds a film, else the image one when one holds a picture, else the text one, unless `modality` is given.
    RecordError `unknown_role` when a turn is by anybody else.
    """
    pieces: list[Piece] = []
    run: list[int] = []
    quiet = inserted_id if noise_ends else None
    for item in _stream(turns, tokenizer, state_tokens, modality or _modality(turns), inserted_id, quiet):
        if isinstance(item, list):
            run += item
            continue
        if run:
            pieces.append(TextPiece(tuple(run), False))
            run = []
        pieces.append(item)
    if run:
        pieces.append(TextPiece(tuple(run), False))
    return pieces


def normalise_placeholders(value: str) -> str:
    """A human turn with the placeholders at its end moved to the front, one a line.

    Applying it twice changes nothing. Every placeholder of the turn keeps its rank, because
    ranks say which medium is meant: so a turn with placeholders between its words stays as it is. Meant
    for human turns of samples that have media.
    """
    parts = _MARKS.split(value)
    words, marks = parts[0::2], parts[1::2]
    if not marks or words[-1].strip():
        return value
    spoken = [n for n, text in enumerate(words) if text.strip()]
    if len(spoken) != 1:
        return value
    return "\n".join(marks) + "\n" + words[spoken[0]].lstrip("\r\n").rstrip()


def count_placeholders(turns: Iterable[Turn]) -> dict[MediumKind, int]:
    """How many placeholders of each kind the human turns hold."""
    asked = [turn["value"] for turn in turns if turn["from"] == "human"]
    return {kind: sum(value.count(mark) for value in asked) for kind, mark in PLACEHOLDERS.items()}


def template_digest(state_tokens: bool, noise_ends: bool = False) -> str:
    """Sixteen hex digits that change whenever the template's ids could."""
    said = ["noise ends"] if noise_ends else []
    return digest_of("template", TEMPLATE_VERSION, SYSTEM_PROMPTS, state_tokens, *said)


def noise_ends_in(plan: Mapping[str, Any]) -> bool:
    """Whether a stage's plan ends the answers to what was not meant for the model; one that does not say keeps them."""
    return plan.get(NOISE_ANSWER) == "end"


def _modality(turns: Iterable[Turn]) -> Modality:
    counts = count_placeholders(turns)
    return "video" if counts["video"] else "image" if counts["image"] else "lang"


@lru_cache(maxsize=256)
def _fixed(tokenizer: Tokenizer, text: str) -> tuple[int, ...]:
    return tuple(tokenizer.encode(text))


def _stream(
    turns: Sequence[Turn],
    tokenizer: Tokenizer,
    state_tokens: bool,
    modality: Modality,
    inserted_id: int | None,
    quiet: int | None,
) -> Iterator[list[int] | Piece]:
    """Unlabelled ids as lists, and the pieces that stand by themselves; the turn `quiet` has no words."""
    start, end = [tokenizer.im_start], [tokenizer.im_end, *_fixed(tokenizer, "\n")]
    yield [*start, *_fixed(tokenizer, f"system\n{SYSTEM_PROMPTS[modality]}"), *end]
    before: Counter[MediumKind] = Counter()
    heard = False
    for n, turn in enumerate(turns):
        role = _ROLES.get(turn["from"])
        if role is None:
            who = turn["from"]
            raise RecordError("unknown_role", f"A turn is by {who!r}; use human or gpt.", who)
        yield start
        if role == "user":
            yield from _human(turn["value"], tokenizer, before)
            heard = AUDIO in turn["value"]
            yield end
        else:
            kind = "noise" if n == inserted_id else "reply" if heard else "text"
            state = tokenizer.state_tokens[kind]
            yield list(_fixed(tokenizer, "assistant\n"))
            opening = [state] if state_tokens else []
            words = [] if n == quiet else tokenizer.encode(turn["value"])
            yield TextPiece((*opening, *words, tokenizer.im_end), True)
            if n + 1 < len(turns):
                yield end[1:]
    if turns and turns[-1]["from"] == "human":
        yield [*start, *_fixed(tokenizer, "assistant\n")]


def _human(
    value: str, tokenizer: Tokenizer, before: Counter[MediumKind]
) -> Iterator[list[int] | MediumPiece]:
    """A human turn; `before` counts the media of the turns so far and of this one."""
    opening, *rest = _MARKS.split(value)
    marks, texts = rest[0::2], rest[1::2]
    yield tokenizer.encode("user\n" + (opening.rstrip("\r\n") if marks else opening))
    for n, (mark, text) in enumerate(zip(marks, texts, strict=True)):
        kind = _KINDS[mark]
        yield MediumPiece(kind, before[kind])
        before[kind] += 1
        last = n + 1 == len(marks)
        text = text.lstrip("\r\n")
        if text or not last:
            yield tokenizer.encode("\n" + (text if last else text.rstrip("\r\n")))

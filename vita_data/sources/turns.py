"""From a record's own words to turns and media: the dialects in which corpora write conversations.

Formats: https://github.com/haotian-liu/LLaVA/blob/main/docs/Finetune_Custom_Data.md (conversations),
https://platform.openai.com/docs/api-reference/chat (messages, whose content may be parts), VideoChat2's QA,
Alpaca's instructions, UltraChat's bare lists, and texts with special tokens for their media (Data-Juicer).
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from vita_data.errors import RecordError
from vita_data.records.key import keyed_hash
from vita_data.sources.base import Medium, MediumKind

Turns = list[dict[str, Any]]
Dialect = Literal["conversations", "messages", "QA", "alpaca", "data", "text"]

# The keys of a dialect; an option may give each another name.
KEYS: dict[str, tuple[str, ...]] = {
    "conversations": ("from", "value"),
    "messages": ("role", "content"),
    "QA": ("i", "q", "a"),
    "alpaca": ("instruction", "input", "output", "history"),
    "data": (),
    "text": ("text",),
}
PLACEHOLDERS: dict[MediumKind, str] = {"image": "<image>", "video": "<video>", "audio": "<audio>"}
CAPTION_PROMPTS: dict[MediumKind, tuple[str, ...]] = {
    "image": (
        "Describe this picture.",
        "What does this picture show?",
        "Say in words what is to be seen here.",
    ),
    "video": ("Describe this video.", "What happens in this video?", "Say in words what this video shows."),
    "audio": ("Describe this sound.", "What can be heard here?", "Say in words what this recording holds."),
}
_PLACEHOLDER = re.compile("<(image|video|audio)>")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+(?:;[\w.+=-]+)*;base64,", re.ASCII)


def wrong_keys(dialect: str, keys: dict[str, str]) -> tuple[str, str] | None:
    """The complaint about an option `keys` that renames what a dialect does not have."""
    for name in keys:
        if name not in KEYS[dialect]:
            known = ", ".join(KEYS[dialect]) or "none"
            return f"keys.{name}", f"turns of {dialect} have no key {name}; theirs are: {known}"
    return None


def wrong_tokens(tokens: dict[str, str]) -> tuple[str, str] | None:
    """The complaint about an option `tokens` whose keys are no kinds of media."""
    for kind, token in tokens.items():
        if kind not in PLACEHOLDERS or not token:
            return (
                f"tokens.{kind}",
                f"tokens.{kind} is no token of a medium; write image, video or audio, and its token",
            )
    return None


def nothing(value: Any) -> bool:
    """Whether a field names or says nothing: null, NaN, an empty text or list."""
    return value is None or value in ("", []) or (isinstance(value, float) and math.isnan(value))


def decoded(value: Any) -> Any:
    """The value of JSON text inside JSON; anything else as it is. Raises RecordError when it does not parse."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        words = f"a text that should hold JSON does not: {str(error)[:80]}."
        raise RecordError("not_a_record", words, value[:80]) from error


def spoken(value: Any) -> str:
    """A field as words: nothing for null and NaN, the first of several alternatives, else its text or JSON."""
    while isinstance(value, list):
        value = value[0] if value else None
    if nothing(value):
        return ""
    if isinstance(value, bool | int | float | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def native_turns(record: dict[str, Any], dialect: str, where: str, keys: dict[str, str]) -> Turns:
    """The turns of a record as {from, value}, with native roles and whatever stands as value.

    `where` is the key that holds them, except for alpaca and text, whose keys lie in the record itself.
    Raises RecordError (not_a_record) where there are none.
    """
    named = {name: keys.get(name, name) for name in KEYS[dialect]}
    if dialect == "alpaca":
        return _alpaca_turns(record, named)
    if dialect == "text":
        text = record.get(named["text"])
        told = None if text is None else spoken(text)
        return [{"from": "human", "value": ""}, {"from": "gpt", "value": told}]
    value = decoded(record.get(where))
    if dialect == "data":
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise RecordError("not_a_record", f"the row has no list of texts under '{where}'.")
        return [{"from": ("human", "gpt")[n % 2], "value": each} for n, each in enumerate(value)]
    if not isinstance(value, list) or not all(isinstance(turn, dict) for turn in value):
        raise RecordError("not_a_record", f"the row has no list of turns under '{where}'.")
    if dialect == "QA":
        return _pair_turns(value, named)
    role, words = named.values()
    return [
        {"from": turn.get(role, turn.get("role", turn.get("from"))), "value": turn.get(words, _either(turn))}
        for turn in value
    ]


def _either(turn: dict[str, Any]) -> Any:
    return turn.get("value", turn.get("content"))


def _pair_turns(pairs: list[dict[str, Any]], named: dict[str, str]) -> Turns:
    """Questions with their answers; an instruction is given once, before the first question that it belongs to."""
    turns: Turns = []
    said = ""
    for pair in pairs:
        instruction = spoken(pair.get(named["i"]))
        parts = [instruction if instruction != said else "", spoken(pair.get(named["q"]))]
        said = instruction
        turns.append({"from": "human", "value": "\n".join(part for part in parts if part)})
        turns.append({"from": "gpt", "value": pair.get(named["a"])})
    return turns


def _alpaca_turns(record: dict[str, Any], named: dict[str, str]) -> Turns:
    """One pair from instruction, input and output, after the pairs of an optional history."""
    parts = [spoken(record.get(named[name])) for name in ("instruction", "input")]
    history = record.get(named["history"]) or []
    question = "\n".join(part for part in parts if part)
    pairs = [*(history if isinstance(history, list) else [history]), [question, record.get(named["output"])]]
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise RecordError("not_a_record", "the row's history is not a list of pairs.")
    return [turn for q, a in pairs for turn in ({"from": "human", "value": q}, {"from": "gpt", "value": a})]


def merge_same_role(turns: Turns) -> Turns:
    """Joins neighbouring turns of one role with a newline, as corpora that part picture and question need."""
    merged: Turns = []
    for turn in turns:
        same = merged and merged[-1]["from"] == turn["from"]
        if same and all(
            value is None or isinstance(value, str) for value in (merged[-1]["value"], turn["value"])
        ):
            said = [value for value in (merged[-1]["value"], turn["value"]) if value]
            merged[-1] = {"from": turn["from"], "value": "\n".join(said)}
        else:
            merged.append(dict(turn))
    return merged


def prompt_for(prompts: Sequence[str], purpose: str, annotation: str, name: str) -> str:
    """One of several prompts, which depends on nothing but the record's name."""
    return prompts[keyed_hash(0, purpose, annotation, name) % len(prompts)]


def medium(kind: MediumKind, name: Any, folder: str = ".", unnamed: str = "embedded") -> Medium:
    """A medium by its name below a folder, or from a `data:` URL; other URLs are no files.

    Raises RecordError: not_a_record for what is no name, media_by_url for an address.
    """
    if not isinstance(name, str) or not name:
        words = f"the {kind} is named by something that is not a text."
        raise RecordError("not_a_record", words, str(name)[:80])
    if embedded := _DATA_URL.match(name):
        return Medium(kind, unnamed, unbase64(kind, name[embedded.end() :]))
    if _URL.match(name) or name.startswith("data:"):
        words = f"the {kind} is an address and not a file; fetch it and name the file instead."
        raise RecordError("media_by_url", words, name[:200])
    return Medium(kind, below(folder, name))


def below(folder: str, name: str) -> str:
    """A name below a folder, which is `.` for the source's own."""
    return name if folder == "." else f"{folder}/{name}"


def unbase64(kind: MediumKind, text: str) -> bytes:
    """Bytes from base64; raises RecordError (not_a_record) where it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        words = f"the {kind} cell holds neither bytes nor base64."
        raise RecordError("not_a_record", words, text[:40]) from error


def with_parts(turns: Turns, folder: str = ".") -> tuple[Turns, list[Medium]]:
    """Turns whose values are texts where they were lists of typed parts, and the media that parts name.

    A part that names no file is a placeholder alone: the record then lists its media apart.
    """
    media: list[Medium] = []
    plain = []
    for turn in turns:
        value = turn["value"]
        if isinstance(value, list):
            value = "\n".join(_part(part, folder, media) for part in value)
        plain.append({"from": turn["from"], "value": value})
    return plain, media


def _part(part: Any, folder: str, media: list[Medium]) -> str:
    if isinstance(part, str):
        return part
    named = part.get("type") if isinstance(part, dict) else None
    if not isinstance(named, str):
        raise RecordError("not_a_record", f"a part of a turn is {str(part)[:40]!r}, without a type.")
    if named in ("text", "input_text", "output_text"):
        return spoken(part.get("text"))
    kind: Any = named.removeprefix("input_").removesuffix("_url")
    if kind not in PLACEHOLDERS:
        raise RecordError("not_a_record", f"a part of a turn has the type {named[:40]!r}, which is not read.")
    source = next((part[key] for key in (named, kind, "path", "url") if part.get(key) is not None), None)
    if isinstance(source, dict):
        if isinstance(source.get("data"), str):
            source = f"data:{kind}/any;base64,{source['data']}"
        else:
            source = source.get("url", source.get("path"))
    if source is not None:
        media.append(medium(kind, source, folder))
    return PLACEHOLDERS[kind]


def with_tokens(turns: Turns, media: list[Medium], tokens: dict[str, str]) -> tuple[Turns, list[Medium]]:
    """Turns with a corpus' own tokens for media written as placeholders.

    A token with `{n}` in it says which medium of its kind is meant, counted from 1: media come in the order
    in which they are named first. Numbers that name none, and later mentions, stay words.
    """
    for kind, token in tokens.items():
        if "{n}" in token:
            turns, media = _numbered(turns, media, kind, token)
        else:
            turns = _mapped(turns, lambda text, t=token, k=kind: text.replace(t, PLACEHOLDERS[k]))  # type: ignore[misc]
    return turns, media


def _numbered(turns: Turns, media: list[Medium], kind: Any, token: str) -> tuple[Turns, list[Medium]]:
    of_kind = [each for each in media if each.kind == kind]
    named: list[int] = []

    def put(found: re.Match[str]) -> str:
        number = int(found[1])
        if not 1 <= number <= len(of_kind) or number in named:
            return found[0]
        named.append(number)
        return PLACEHOLDERS[kind]  # type: ignore[index]

    pattern = re.compile(re.escape(token).replace(r"\{n\}", "([0-9]{1,4})"))
    turns = _mapped(turns, lambda text: pattern.sub(put, text))
    rest = [number for number in range(1, len(of_kind) + 1) if number not in named]
    if named and rest:  # what no turn names is shown before the first question
        turns = before(turns, f"{PLACEHOLDERS[kind]}\n" * len(rest))
    ordered = [of_kind[number - 1] for number in [*rest, *named]]
    return turns, [*(each for each in media if each.kind != kind), *ordered]


def _mapped(turns: Turns, change: Any) -> Turns:
    return [
        {**turn, "value": change(turn["value"]) if isinstance(turn["value"], str) else turn["value"]}
        for turn in turns
    ]


def before(turns: Turns, words: str) -> Turns:
    """The turns with words before the first that is not the system's."""
    at = next((n for n, turn in enumerate(turns) if turn["from"] != "system"), None)
    if at is None or not words or not isinstance(turns[at]["value"], str):
        return turns
    return [*turns[:at], {**turns[at], "value": words + turns[at]["value"]}, *turns[at + 1 :]]


def with_placeholders(turns: Turns, media: list[Medium]) -> Turns:
    """The turns with a placeholder before the first question for each medium of a kind that no turn names."""
    named = {
        kind
        for turn in turns
        if isinstance(turn["value"], str)
        for kind in _PLACEHOLDER.findall(turn["value"])
    }
    return before(turns, "".join(f"{PLACEHOLDERS[m.kind]}\n" for m in media if m.kind not in named))


def captioned(turns: Turns, media: list[Medium], prompts: Sequence[str], annotation: str, name: str) -> Turns:
    """A text about media as the answer to a prompt, its placeholders moved into the question.

    Raises RecordError (not_a_record) for a text without media: it answers no question.
    """
    if not media:
        raise RecordError("not_a_record", "the row is a text without media, which answers no question.")
    question, answer = turns
    text = answer["value"] if isinstance(answer["value"], str) else ""
    named = _PLACEHOLDER.findall(text)
    kinds = [*named, *(each.kind for each in media if each.kind not in named)]
    asked = prompt_for(prompts or CAPTION_PROMPTS[media[0].kind], "caption-prompt", annotation, name)
    places = "".join(f"<{kind}>\n" for kind in kinds)
    told = _PLACEHOLDER.sub("", text).strip() if named else answer["value"]
    return [{**question, "value": places + asked}, {**answer, "value": told}]


def in_order(turns: Turns, media: list[Medium]) -> list[Medium]:
    """The media in the order of their placeholders; what has none follows, and nothing is left out."""
    waiting = {kind: deque(each for each in media if each.kind == kind) for kind in PLACEHOLDERS}
    texts = (turn["value"] for turn in turns if isinstance(turn["value"], str))
    named = [kind for text in texts for kind in _PLACEHOLDER.findall(text)]
    ordered = [waiting[kind].popleft() for kind in named if waiting[kind]]
    return ordered + [each for queue in waiting.values() for each in queue]


def with_clip(media: list[Medium], start: Any, end: Any) -> list[Medium]:
    """The media with the part of the only film (or else the only sound) that `start` and `end` mean, in seconds.

    A clip that ends before it starts is turned round, one of no length lasts a second, and one that starts
    before the file starts with it, as the loaders that these corpora were made for do. Raises RecordError
    (clip_outside) for what is no clip.
    """
    times = [_seconds(start), _seconds(end)]
    timed = [each for each in media if each.kind == "video"] or [
        each for each in media if each.kind == "audio"
    ]
    if times == [None, None] or not timed:
        return media
    if len(timed) > 1:
        raise RecordError("clip_outside", f"start and end do not say which of {len(timed)} files they cut.")
    first, last = times
    if first is not None and last is not None:
        first, last = min(first, last), max(first, last)
        last = last if last > first else first + 1
    if last is not None and last <= 0:
        raise RecordError(
            "clip_outside", f"the clip ends at {last:g} seconds, before the file begins.", f"{last:g}"
        )
    clip = replace(timed[0], start=None if first is None else max(first, 0.0), end=last)
    return [clip if each is timed[0] else each for each in media]


def _seconds(value: Any) -> float | None:
    if value is None or value == "":
        return None
    try:
        seconds = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if not math.isfinite(seconds):
        raise RecordError(
            "clip_outside", f"a clip's time is {str(value)[:40]!r}, not seconds.", str(value)[:40]
        )
    return seconds

"""LLaVA-style conversations: a JSON array or JSON Lines, turns as conversations, messages or Alpaca rows.

Format: https://github.com/haotian-liu/LLaVA/blob/main/docs/Finetune_Custom_Data.md, and the dialects that
Table 1's corpora use: `image` a name or a list of names, ids strings or numbers or absent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from vita_data import files
from vita_data.errors import RecordError
from vita_data.sources import jsonfiles
from vita_data.sources.base import Fault, Medium, Native, Slice, Split


@dataclass(frozen=True)
class LlavaOptions:
    """Options of `adapter: llava_json`; every one may be left out."""

    turns: Literal["conversations", "messages", "alpaca"] = "conversations"
    format: Literal["auto", "array", "jsonl"] = "auto"
    image_key: str = "image"
    id_key: str = "id"
    media_root: str = "."
    on_cut: Literal["error", "keep"] = "error"
    merge_same_role: bool = False


class LlavaJson:
    """Reads LLaVA-style files."""

    def __init__(self, options: LlavaOptions) -> None:
        self._options = options

    def split(self, root: str, annotation: str, scratch: str) -> Split:
        """Slices a file, by its extension or by the card's `format`."""
        path = files.join(root, annotation)
        form = self._options.format
        if form == "jsonl" or (form == "auto" and annotation.endswith((".jsonl", ".ndjson"))):
            return jsonfiles.split_lines(path, annotation)
        return jsonfiles.split_document(path, annotation, scratch, keep_cut=self._options.on_cut == "keep")

    def read(self, root: str, part: Slice) -> Iterator[Native | Fault]:
        """Yields one native record a line."""
        for position, value in jsonfiles.read_lines(part):
            yield self._record(position, value)

    def _record(self, position: int, value: Any) -> Native | Fault:
        if isinstance(value, RecordError):
            return Fault(position, value)
        native_id = None
        try:
            if not isinstance(value, dict):
                raise RecordError("not_a_record", f"the row is {json.dumps(value)[:60]}, not an object.")
            if value.get(self._options.id_key) is not None:
                native_id = json.dumps(value[self._options.id_key], sort_keys=True, ensure_ascii=False)
            images = [
                Medium(
                    "image", name if self._options.media_root == "." else f"{self._options.media_root}/{name}"
                )
                for name in self._images(value)
            ]
            return Native(position, native_id, self._turns(value), images)
        except RecordError as error:
            return Fault(position, error, native_id)
        except RecursionError:
            return Fault(position, RecordError("not_json", jsonfiles.TOO_DEEP))

    def _images(self, value: dict[str, Any]) -> list[str]:
        for kind in ("video", "audio"):
            if value.get(kind) or value.get(f"{kind}s"):
                raise RecordError(
                    "modality_not_read", f"the record has {kind}, which this version does not read yet."
                )
        named = value.get(self._options.image_key) or value.get("images")  # null or empty names nothing
        names = named if isinstance(named, list) else [named] if named not in (None, "") else []
        if not all(isinstance(name, str) and name for name in names):
            raise RecordError(
                "not_a_record", "an image is named by something that is not a text.", value=str(named)[:80]
            )
        return names

    def _turns(self, value: dict[str, Any]) -> list[dict[str, Any]]:
        if self._options.turns == "alpaca":
            return alpaca_turns(value)
        role, words = ("from", "value") if self._options.turns == "conversations" else ("role", "content")
        turns = value.get(self._options.turns)
        if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
            raise RecordError("not_a_record", f"the row has no list of turns under '{self._options.turns}'.")
        found = [{"from": turn.get(role), "value": turn.get(words)} for turn in turns]
        return merge_same_role(found) if self._options.merge_same_role else found


def alpaca_turns(value: dict[str, Any]) -> list[dict[str, Any]]:
    """One turn pair from instruction, input and output, after the pairs of an optional history."""
    question = "\n".join(str(value[name]) for name in ("instruction", "input") if value.get(name))
    history = value.get("history") or []
    pairs = [*(history if isinstance(history, list) else [history]), [question, value.get("output")]]
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise RecordError("not_a_record", "the row's history is not a list of pairs.")
    return [turn for q, a in pairs for turn in ({"from": "human", "value": q}, {"from": "gpt", "value": a})]


def merge_same_role(turns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Joins neighbouring turns of one role with a newline, as corpora that part picture and question need."""
    merged: list[dict[str, Any]] = []
    for turn in turns:
        if merged and merged[-1]["from"] == turn["from"] and isinstance(turn["value"], str):
            merged[-1] = {"from": turn["from"], "value": f"{merged[-1]['value']}\n{turn['value']}"}
        else:
            merged.append(dict(turn))
    return merged

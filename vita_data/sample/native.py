"""Records written the way publishers write them: a JSON array, JSON lines, and media beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vita_data.sample.ledger import Entry

Turn = tuple[str, str]  # a question and its answer


def dump(value: Any) -> str:
    """One line of JSON with real characters."""
    return json.dumps(value, ensure_ascii=False)


def write_array(path: Path, entries: Sequence[Entry]) -> None:
    """A JSON array with one record to a line."""
    lines = ",\n".join(dump(entry.record) for entry in entries)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def write_lines(path: Path, entries: Sequence[Entry]) -> None:
    """JSON lines; an entry of bytes is written as it is."""
    with path.open("wb") as file:
        for entry in entries:
            raw = isinstance(entry.record, bytes)
            file.write(entry.record if raw else dump(entry.record).encode("utf-8"))
            file.write(b"\n")


def conversations(turns: Sequence[Turn]) -> list[dict[str, str]]:
    """Turns in LLaVA's shape."""
    listed = []
    for question, answer in turns:
        listed += [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]
    return listed


def messages(turns: Sequence[Turn]) -> list[dict[str, str]]:
    """Turns in the shape of chat interfaces."""
    listed = []
    for question, answer in turns:
        listed += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return listed


def with_image(turns: Sequence[Turn], last: bool = False) -> list[Turn]:
    """The same turns with `<image>` before the first question, or after it."""
    question, answer = turns[0]
    first = f"{question}\n<image>" if last else f"<image>\n{question}"
    return [(first, answer), *turns[1:]]

"""Looking at a folder of one's own: which files hold LLaVA-style records, in which dialect, and where pictures lie.

Reads the first records of each file and no more. What it finds is written into a card, where a person
can see and change it.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ijson

from vita_data.errors import SourceError
from vita_data.sources.jsonfiles import parse_line

LOOKED_AT = 200
TURN_KEYS = {"conversations": "conversations", "messages": "messages", "instruction": "alpaca"}
IMAGE_KEYS = ("image", "images")


@dataclass(frozen=True)
class Found:
    """What one kind of annotation file in a folder looks like."""

    annotations: list[str]
    turns: str
    image_key: str
    media_root: str
    kind: str  # caption | qa
    language: str  # en | zh | en-zh
    pictures: bool


def discover(folder: Path) -> list[Found]:
    """The LLaVA-style annotation files of a folder, those of one dialect together.

    Raises SourceError when there is none, saying what was looked for.
    """
    by_dialect: dict[tuple[str, str, str, bool], list[tuple[str, list[dict[str, Any]]]]] = {}
    for path in sorted(
        [*folder.glob("*.json"), *folder.glob("*.jsonl"), *folder.glob("annotations/*.json*")]
    ):
        records = [
            record for record in itertools.islice(_records(path), LOOKED_AT) if isinstance(record, dict)
        ]
        turns = next(
            (name for key, name in TURN_KEYS.items() if any(key in record for record in records)), None
        )
        if turns is None:
            continue
        image_key = next((key for key in IMAGE_KEYS if any(record.get(key) for record in records)), "image")
        names = [name for record in records for name in _names(record.get(image_key))]
        dialect = (turns, image_key, _media_root(folder, names), bool(names))
        by_dialect.setdefault(dialect, []).append((str(path.relative_to(folder)), records))
    if not by_dialect:
        raise SourceError(
            f"{folder} holds no .json or .jsonl file with LLaVA-style records (a list of turns under "
            "'conversations' or 'messages', or Alpaca's 'instruction'); write a source card by hand for other formats."
        )
    return [_found(dialect, files) for dialect, files in sorted(by_dialect.items())]


def _found(dialect: tuple[str, str, str, bool], files: list[tuple[str, list[dict[str, Any]]]]) -> Found:
    turns, image_key, media_root, pictures = dialect
    texts = [text for _, records in files for record in records for text in _texts(record, turns)]
    answers = sum(_answers(record, turns) for _, records in files for record in records)
    records = sum(len(records) for _, records in files)
    kind = "caption" if pictures and answers == records and _describes(texts) else "qa"
    return Found([name for name, _ in files], turns, image_key, media_root, kind, _language(texts), pictures)


def _records(path: Path) -> Iterator[Any]:
    with open(path, "rb") as stream:
        if path.suffix == ".jsonl":
            yield from (parse_line(line) for line in stream if line.strip())
            return
        try:
            yield from ijson.items(stream, "item", use_float=True)
        except ijson.JSONError:
            return  # not an array, or cut: the build will say so with its place


def _names(value: Any) -> list[str]:
    return [name for name in (value if isinstance(value, list) else [value]) if isinstance(name, str)]


def _media_root(folder: Path, names: list[str]) -> str:
    """The folder below which most of the named pictures are found: the folder itself or one inside it."""
    inside = sorted(
        entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith(".")
    )
    candidates = [".", *inside]
    counts = [sum((folder / candidate / name).is_file() for name in names[:50]) for candidate in candidates]
    return candidates[counts.index(max(counts))]


def _turns(record: dict[str, Any], turns: str) -> list[dict[str, Any]]:
    value = record.get(turns)
    return [turn for turn in value if isinstance(turn, dict)] if isinstance(value, list) else []


def _texts(record: dict[str, Any], turns: str) -> list[str]:
    if turns == "alpaca":
        values = [record.get("instruction"), record.get("output")]
    else:
        values = [turn.get("value", turn.get("content")) for turn in _turns(record, turns)]
    return [value for value in values if isinstance(value, str)]


def _answers(record: dict[str, Any], turns: str) -> int:
    if turns == "alpaca":
        return 1
    return sum(turn.get("from", turn.get("role")) in ("gpt", "assistant") for turn in _turns(record, turns))


def _describes(texts: list[str]) -> bool:
    """Whether most questions ask for a description rather than for a fact."""
    questions = texts[::2]
    words = ("describe", "caption", "what do you see", "detail", "描述", "说明")
    asking = sum(any(word in question.lower() for word in words) for question in questions)
    return asking * 2 > len(questions)


def _language(texts: list[str]) -> str:
    chinese = sum(any("一" <= character <= "鿿" for character in text) for text in texts)
    share = chinese / len(texts) if texts else 0
    return "zh" if share > 0.9 else "en-zh" if share > 0.1 else "en"

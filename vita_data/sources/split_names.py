"""The publisher's name of the split or subset that a record comes from: what the record says, or its file's path.

A path names a split where it follows the habits of publishers: LibriSpeech's `train-clean-100/...`, Kaldi's
`data/train_l/text`, parquet's `train-00000-of-00084.parquet`, NeMo's `train_manifest.json`, and lhotse's
`wenetspeech_cuts_L.jsonl.gz`. Any other path names none.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from vita_data.sources import utterance

_WORD = (
    r"(?:train(?:ing|val)?|dev(?:el)?|val(?:id(?:ation|ated)?)?|invalidated|test(?:ing)?|eval(?:uation)?)\d*"
)
_NAME = re.compile(rf"{_WORD}(?:[-_.][a-z0-9]+)*", re.IGNORECASE)
_LAST = re.compile(rf"(?:.*[-_.])({_WORD})", re.IGNORECASE)
_SIZE = re.compile("XS|S|M|L|XL")
_ENDINGS = re.compile(r"(?:\.(?:jsonl?|ndjson|csv|tsv|txt|parquet|arrow|tar|gz|bz2|xz|zst|scp|list))+$", re.I)
_NUMBER = re.compile(r"(?:[-_.]\d+-of-\d+|[-_.]\d{4,})+$")
# What a file is, which is no part of the name of its split.
_LHOTSE = re.compile(r"(?:.*[-_.])?(?:cuts|supervisions|recordings)[-_.](.+)")
_BEFORE = re.compile(r"^(?:(?:manifest|metadata|annotations|labels|data|list)[-_.])+", re.IGNORECASE)
_AFTER = re.compile(
    r"(?:[-_.](?:manifests?|metadata|annotations?|labels?|data|lists?|files?|questions|transcripts?|segments))+$",
    re.IGNORECASE,
)


def split_of(annotation: str, said: Any = None) -> str | None:
    """What a record says of its split, where that is a text; else the innermost part of the path that names one."""
    return (utterance.label(said) if isinstance(said, str) else None) or _of_path(annotation)


def split_of_folder(annotation: str) -> str | None:
    """The innermost folder of a path that is named as a split: for files whose own names are ids or all alike."""
    return next(filter(None, map(_whole, reversed(annotation.split("/")[:-1]))), None)


@functools.lru_cache(maxsize=256)
def _of_path(annotation: str) -> str | None:
    return _of_file(annotation.rpartition("/")[2]) or split_of_folder(annotation)


def _of_file(file: str) -> str | None:
    name = _NUMBER.sub("", _ENDINGS.sub("", file))
    if (found := _LHOTSE.fullmatch(name)) and (_SIZE.fullmatch(found[1]) or _NAME.fullmatch(found[1])):
        return found[1]
    name = _AFTER.sub("", _BEFORE.sub("", name))
    last = _LAST.fullmatch(name)
    return _whole(name) or (last[1] if last else None)


def _whole(name: str) -> str | None:
    name = _AFTER.sub("", name)
    return name if _NAME.fullmatch(name) else None

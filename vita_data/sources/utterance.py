"""What speech corpora say of an utterance, checked: its text, its times, its file, its speaker and its split."""

from __future__ import annotations

import json
import math
import posixpath
from collections.abc import Iterable, Sequence
from typing import Any

from vita_data.errors import RecordError

_LANGUAGES = {"english": "en", "eng": "en", "chinese": "zh", "mandarin": "zh", "zho": "zh", "cmn": "zh"}
_NOBODY = ("", "n/a", "none", "null", "unknown")


def id_text(value: Any) -> str | None:
    """An id as JSON text, so that 7 and "7" differ; None where there is none."""
    return None if value is None else json.dumps(value, sort_keys=True, ensure_ascii=False)


def words(value: Any, name: str) -> str:
    """The text of an utterance; raises RecordError (not_a_record) for null and for what is no text."""
    if not isinstance(value, str):
        shown = "nothing" if value is None else type(value).__name__
        raise RecordError("not_a_record", f"its text, '{name}', is {shown} and not a text.")
    return value


def label(value: Any) -> str | None:
    """A speaker or a split; None for the names that corpora give to nobody."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip()
    return None if text.lower() in _NOBODY else text


def language(value: Any) -> str | None:
    """A language as cards name it: `zh` for zh-CN or Chinese, `en` for en_US or English; others in lower case."""
    text = (label(value) or "").lower()
    return (_LANGUAGES.get(text) or text.replace("_", "-").partition("-")[0]) or None


def seconds(value: Any, name: str) -> float:
    """A time as a number; raises RecordError (not_a_record) for anything else, infinity too."""
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise RecordError("not_a_record", f"its time '{name}' is no number.", str(value)[:40])
    return number


def segment(begin: float, end: float) -> tuple[float, float]:
    """Begin and end of a part of a recording; raises RecordError (segment_outside) where it holds no time."""
    if begin < 0:
        raise RecordError(
            "segment_outside", f"the segment begins at {begin:g} s, before the recording.", begin
        )
    if end <= begin:
        raise RecordError(
            "segment_outside", f"the segment ends at {end:g} s, not after its begin.", end, begin
        )
    return begin, end


def place(path: Any, base: str, strip_prefix: str = "") -> str:
    """Where a named file lies below the source's root.

    What follows `strip_prefix`, or a relative path, lies below `base`. Raises RecordError: not_a_record for
    what is no path, path_outside_root for addresses and for absolute paths that the prefix does not cover.
    """
    if not isinstance(path, str) or not path.strip():
        raise RecordError("not_a_record", "it names no file.", str(path)[:80])
    rest = path
    if strip_prefix and path.startswith(strip_prefix):
        rest = path[len(strip_prefix) :].lstrip("/")
    if "://" in rest:
        raise RecordError("path_outside_root", f"{path[:80]!r} is an address and no file.", path[:200])
    if rest.startswith("/"):
        raise RecordError(
            "path_outside_root",
            f"{path[:80]!r} is an absolute path; name the part that stands for the source's root in `strip_prefix`.",
            path[:200],
        )
    return posixpath.normpath(posixpath.join(base, rest))


def refuse_others(rule: str, have: Iterable[str], wanted: Sequence[str]) -> None:
    """Raises RecordError with the rule when a record is of none of the splits that a card asks for."""
    if not wanted:
        return
    names = list(have)
    if not set(names) & set(wanted):
        said = ", ".join(names) or "none"
        raise RecordError(rule, f"it belongs to {said}, not to {', '.join(wanted)}.", said, ", ".join(wanted))

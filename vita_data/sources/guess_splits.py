"""Which of a speech corpus' splits a guessed card reads: where its folder names them, those for training alone.

The others are evaluation sets. A folder that holds nothing else is read as it is, since somebody pointed at it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from vita_data.sources.split_names import split_of, split_of_folder

WHOLE = ("XL", "L")  # subsets of GigaSpeech and WenetSpeech that hold all smaller ones of training


@dataclass(frozen=True)
class Trained:
    """Annotation files, the options that keep other splits out of them, and what that rests on."""

    names: list[str]
    options: dict[str, Any]
    why: tuple[str, ...] = ()


def for_training(
    adapter: str, options: dict[str, Any], names: list[str], below: list[str], seen: Iterable[str]
) -> Trained:
    """The training splits of annotation files, among all that lies `below`; `seen` are splits that records name."""
    if adapter == "segmented_json":
        largest = next((name for name in WHOLE if name in set(seen)), None)
        if largest is None:
            return Trained(names, {})
        return Trained(names, {"splits": [largest]}, (f"its segments name subsets; {largest} alone is read",))
    if options.get("split_speakers"):
        shown = {split for name in below if (split := split_of_folder(name)) is not None}
        wanted = sorted(filter(_is_training, shown & set(options["split_speakers"])))
        return (
            Trained(names, {"splits": wanted}, _said(wanted, shown - set(wanted)))
            if wanted
            else Trained(names, {})
        )
    if "(?P<split>" in options.get("path_pattern", ""):
        return _by_pattern(options["path_pattern"], names, below)
    splits = {name: split_of(name) for name in names}
    wanted = sorted({split for split in splits.values() if split is not None and _is_training(split)})
    others = {split for split in splits.values() if split is not None and split not in wanted}
    if not wanted or not others:
        return Trained(names, {})
    return Trained([name for name in names if splits[name] not in others], {}, _said(wanted, others))


def _by_pattern(pattern: str, names: list[str], below: list[str]) -> Trained:
    """Splits that stand in the paths of transcripts: those of files that were not looked into count as well."""
    endings = {ending_of(name) for name in names}
    splits = {
        name: found["split"]
        for name in below
        if ending_of(name) in endings and (found := re.search(pattern, name)) is not None
    }
    wanted = sorted({split for split in splits.values() if _is_training(split)})
    if not wanted:
        return Trained(names, {})
    kept = [name for name, split in splits.items() if split in wanted]
    return Trained(kept, {"splits": wanted}, _said(wanted, set(splits.values()) - set(wanted)))


def ending_of(name: str) -> str:
    """The extension of a file, with what stands before it in the names of transcripts."""
    base = posixpath.basename(name)
    return next(
        (end for end in (".trans.txt", ".trans.tsv") if base.endswith(end)), posixpath.splitext(base)[1]
    )


def _is_training(split: str) -> bool:
    return split.lower().startswith("train")


def _said(wanted: list[str], others: set[str]) -> tuple[str, ...]:
    verb = "is" if len(wanted) == 1 else "are"
    left = f", not {', '.join(sorted(others))}" if others else ""
    return (f"its folders name the publisher's splits; {', '.join(wanted)} alone {verb} read{left}",)

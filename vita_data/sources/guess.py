"""Looking at a folder of one's own: which adapter reads it, with which options, and what that was guessed from.

Every file is asked what it may be (guess_files, guess_speech), each guess is tried on the first records, and the
one that reads most of them, with the media that they name, is taken. What is guessed is written into a card, where
a person can see and change it.
"""

from __future__ import annotations

import json
import posixpath
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vita_data import files
from vita_data.errors import SourceError
from vita_data.sources.below import Below
from vita_data.sources.guess_base import Shape
from vita_data.sources.guess_files import of_file
from vita_data.sources.guess_speech import of_transcripts
from vita_data.sources.guess_splits import Trained, ending_of, for_training
from vita_data.sources.guess_trial import Trial, tried
from vita_data.sources.guess_words import Words

MOST_FILES = 400  # that are looked into; a folder of more is judged by these
PER_KIND = 40  # of one extension in one folder


@dataclass(frozen=True)
class Guess:
    """Annotation files of one shape, and how a card describes them.

    `root` is `.` or `..`, relative to the folder; `share` is the part of the tried records that is good, media
    and all; `why` holds a line for each thing that was guessed.
    """

    adapter: str
    annotations: list[str]
    options: dict[str, Any]
    root: str
    media: dict[str, Any]
    scenario: str
    type: str
    language: str
    share: float
    bytes: int
    upper: bool = False
    why: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """caption, qa, asr or tts."""
        return {"Description": "caption"}.get(self.type, self.type.lower())


def guess(folder: Path, only: str | None = None) -> list[Guess]:
    """What the files of a folder are, the likeliest first; those of one shape together. `only` is a glob of them.

    Raises SourceError when nothing in it is read by any adapter, saying what was looked for.
    """
    below = Below(str(folder))
    names = files.matching(str(folder), only) if only else list(_looked_into(below))
    groups: dict[str, list[tuple[str, Shape, Trial]]] = {}
    with tempfile.TemporaryDirectory(prefix="vita-guess-") as scratch:
        for name in names:
            best = _best(folder, name, below, scratch)
            if best is not None:
                shape, trial = best
                facts = (
                    shape.adapter,
                    trial.options,
                    trial.root,
                    trial.media.get("places"),
                    trial.words.kinds,
                    bool(shape.speech),
                )
                groups.setdefault(json.dumps(facts, sort_keys=True), []).append((name, shape, trial))
    found = [_guess(folder, group, below) for group in groups.values()]
    if not found:
        raise SourceError(
            f"{folder} holds nothing that an adapter reads: no conversations, questions, captions, OCR labels or "
            "transcripts in JSON, JSON Lines, CSV, TSV, text, parquet or tar files; write a source card by hand."
        )
    return sorted(found, key=lambda each: (-round(each.share, 1), -each.bytes, each.annotations))


def _looked_into(below: Below) -> Iterator[str]:
    seen: dict[tuple[str, str], int] = {}
    count = 0
    for name in sorted(below.names, key=lambda name: (name.count("/"), name)):
        kind = (posixpath.dirname(posixpath.dirname(name)), posixpath.splitext(name)[1].lower())
        extension = kind[1]
        if extension in (".yaml", ".md") or (extension == "" and posixpath.basename(name) != "text"):
            continue
        seen[kind] = seen.get(kind, 0) + 1
        if seen[kind] <= PER_KIND and count < MOST_FILES:
            count += extension not in (".jpg", ".png", ".wav", ".flac", ".mp3", ".mp4")
            yield name


def _best(folder: Path, name: str, below: Below, scratch: str) -> tuple[Shape, Trial] | None:
    """The shape of a file that reads most of its first records."""
    best: tuple[Shape, Trial] | None = None
    for shape in (*of_transcripts(str(folder), name, below), *of_file(str(folder), name, below)):
        trial = tried(folder, name, shape, below, scratch)
        if trial is not None and (best is None or trial.rank > best[1].rank):
            best = shape, trial
    return best


def _guess(folder: Path, group: list[tuple[str, Shape, Trial]], below: Below) -> Guess:
    shape, trial = group[0][1:]
    part = _trained(group, below)
    names = part.names
    words = Words.joined([each.words for _, _, each in group])
    read = sum(each.read for _, _, each in group)
    good = sum(each.share * each.read for _, _, each in group)
    annotations = _globbed(names)
    up = folder.resolve().name if trial.root == ".." else ""
    why = [
        f"{shape.why} in {annotations[0]}"
        + (f" and {len(annotations) - 1} more" if len(annotations) > 1 else "")
    ]
    why += [*trial.why, *part.why]
    why.append(f"{good:.0f} of {read} records tried are good, with their media")
    scenario, type_ = words.row(shape.adapter, shape.speech)
    return Guess(
        shape.adapter,
        [f"{up}/{each}" if up else each for each in annotations],
        {**trial.options, **part.options},
        trial.root,
        max((each.media for _, _, each in group), key=len),
        scenario,
        type_,
        words.language,
        good / read if read else 0.0,
        sum(files.identity(files.join(str(folder), name))["size"] for name in names),
        upper=bool(shape.speech) and words.is_upper,
        why=[*why, words.why(scenario, type_)],
    )


def _trained(group: list[tuple[str, Shape, Trial]], below: Below) -> Trained:
    """The annotation files of a group; of speech those for training, where the corpus tells them apart."""
    names = [name for name, _, _ in group]
    shape, trial = group[0][1:]
    if shape.speech is None and shape.adapter != "manifest":
        return Trained(names, {})
    if shape.options.get("dialect") == "commonvoice":
        return Trained(_one_of_each(names), {})
    seen = {split for _, _, each in group for split in each.splits}
    return for_training(shape.adapter, trial.options, names, below.names, seen)


def _one_of_each(names: list[str]) -> list[str]:
    """Common Voice lists a clip in several tables: train.tsv of each folder, else validated.tsv, else all there are."""
    kept: dict[str, list[str]] = {}
    for name in names:
        kept.setdefault(posixpath.dirname(name), []).append(name)
    found: list[str] = []
    for own in kept.values():
        bases = {posixpath.basename(name): name for name in own}
        first = next((bases[base] for base in ("train.tsv", "validated.tsv") if base in bases), None)
        found += [first] if first is not None else own
    return sorted(found)


def _globbed(names: list[str]) -> list[str]:
    """A few names as they are; many as globs of their folders and extensions."""
    if len(names) <= 3:
        return sorted(names)
    globs: dict[tuple[int, str], list[str]] = {}
    for name in names:
        globs.setdefault((name.count("/"), ending_of(name)), []).append(name)
    return sorted(_glob(some, suffix) for (_, suffix), some in globs.items())


def _glob(names: list[str], suffix: str) -> str:
    if len(names) == 1:
        return names[0]
    folders = zip(*(posixpath.dirname(name).split("/") for name in names), strict=True)
    steps = [each[0] if len(set(each)) == 1 else "*" for each in folders]
    return "/".join([*(step for step in steps if step), f"*{suffix}"])

"""A folder of recordings with what is said in them, in one of the layouts that people have.

transcripts.tsv or transcripts.csv      columns file, text and perhaps speaker, wherever the files lie below it
NAME.wav with NAME.txt beside it        any format that libsndfile reads; a subfolder is a speaker
{digit}_{speaker}_{n}.wav               the free-spoken-digit-dataset's own names
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch

from vita_data.errors import UsageError, VitaError
from vita_data.prompt.lengths import audio_tokens
from vita_data.records.key import keyed_hash
from vita_model.batch.encode import HEARD_RATE
from vita_model.batch.reference import read_sound
from vita_model.eval.words import DIGITS

TABLES = {"transcripts.tsv": "\t", "transcripts.csv": ","}
SOUNDS = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf"})
DIGIT_FILE = re.compile(r"(?P<digit>\d)_(?P<speaker>.+)_(?P<take>\d+)")
NOBODY = "unknown"
LONGEST_STRING = 5
PAUSE = (0.1, 0.3)  # seconds


@dataclass(frozen=True)
class Recording:
    """Files that are heard one after the other, with silence between them, and what is said in them.

    `pauses` are those silences in samples; `digits` is true where the names of the files are digits.
    """

    names: tuple[str, ...]
    text: str
    speaker: str
    digits: bool = False
    pauses: tuple[int, ...] = ()


@dataclass(frozen=True)
class Unread:
    """A file that cannot be scored, and why."""

    file: str
    reason: str


def recordings(folder: Path) -> tuple[list[Recording], list[Unread]]:
    """Every recording of a folder by name, and what nobody can score; UsageError where there is no recording at all."""
    table = next((folder / name for name in TABLES if (folder / name).exists()), None)
    if table is not None:
        found, unread = _of_table(table)
    else:
        found, unread = _of_names(folder)
    if not found and not unread:
        raise UsageError(
            f"{folder} holds no recordings; give a folder of sound files with transcripts.tsv, a .txt beside each, or "
            "names like 7_anna_0.wav."
        )
    return sorted(found, key=lambda one: one.names), unread


def heard(folder: Path, names: Iterable[str]) -> tuple[dict[str, torch.Tensor], list[Unread]]:
    """The waveform (samples,) at 16 kHz of each file, and those that cannot be read or hold nothing to be heard."""
    sounds, unread = {}, []
    for name in names:
        try:
            sound = read_sound(str(folder / name), HEARD_RATE)
        except VitaError as error:
            unread.append(Unread(name, str(error)))
            continue
        if not bool(torch.isfinite(sound).all()):
            unread.append(Unread(name, "its samples are not all finite numbers"))
        elif not audio_tokens(len(sound)):
            unread.append(
                Unread(name, f"{len(sound) / HEARD_RATE:.3f} s are too short to be heard as anything")
            )
        else:
            sounds[name] = sound
    return sounds, unread


def strings(clips: list[Recording], count: int, seed: int) -> list[Recording]:
    """So many strings of one to five clips of one speaker, drawn by the seed, each string by itself."""
    by_speaker: dict[str, list[Recording]] = {}
    for clip in clips:
        by_speaker.setdefault(clip.speaker, []).append(clip)
    speakers = sorted(by_speaker)
    found = []
    for number in range(count if speakers else 0):
        draw = numpy.random.default_rng(keyed_hash(seed, "string", str(number)))
        own = by_speaker[speakers[int(draw.integers(len(speakers)))]]
        some = [own[int(n)] for n in draw.integers(0, len(own), int(draw.integers(1, LONGEST_STRING + 1)))]
        pauses = [int(seconds * HEARD_RATE) for seconds in draw.uniform(*PAUSE, len(some) - 1)]
        names = tuple(clip.names[0] for clip in some)
        text = " ".join(clip.text for clip in some)
        found.append(Recording(names, text, some[0].speaker, digits=True, pauses=tuple(pauses)))
    return found


def joined(recording: Recording, sounds: dict[str, torch.Tensor]) -> torch.Tensor:
    """The files of a recording one after the other, with its silences between them."""
    first, *rest = (sounds[name] for name in recording.names)
    parts = [first]
    for pause, sound in zip(recording.pauses, rest, strict=True):
        parts += [torch.zeros(pause), sound]
    return torch.cat(parts)


def _of_table(table: Path) -> tuple[list[Recording], list[Unread]]:
    with open(table, encoding="utf-8-sig", newline="") as stream:
        rows = csv.DictReader(stream, delimiter=TABLES[table.name])
        missing = {"file", "text"} - set(rows.fieldnames or ())
        if missing:
            raise UsageError(
                f"{table} has no column {' and '.join(sorted(missing))}; name it in the first line."
            )
        lines = list(rows)
    found, unread = [], []
    for number, row in enumerate(lines, 2):
        if row["file"] and row["text"]:
            found.append(Recording((row["file"],), row["text"], row.get("speaker") or NOBODY))
        else:
            unread.append(
                Unread(row["file"] or f"{table.name} line {number}", "its line has no file or no text")
            )
    return found, unread


def _of_names(folder: Path) -> tuple[list[Recording], list[Unread]]:
    found, unread = [], []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in SOUNDS or not path.is_file():
            continue
        name, beside = str(path.relative_to(folder)), path.with_suffix(".txt")
        digit = DIGIT_FILE.fullmatch(path.stem)
        if beside.exists():
            own = path.parent != folder
            text = " ".join(beside.read_text(encoding="utf-8", errors="replace").split())
            found.append(Recording((name,), text, path.parent.name if own else NOBODY))
        elif digit:
            said = DIGITS[int(digit["digit"])]
            found.append(Recording((name,), said, digit["speaker"], digits=True))
        else:
            unread.append(Unread(name, "nothing says what is said in it"))
    return found, unread

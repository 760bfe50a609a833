"""The engines that speak: espeak-ng, a command of one's own, a function, or a folder of finished audio.

An engine turns a text into the bytes of an audio file. RecordError is for one text that it could not speak,
UsageError for an engine that is not there at all. No command goes through a shell.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from vita_data import files
from vita_data.errors import RecordError, UsageError
from vita_data.manifest.speech import SpeechCard
from vita_data.records.key import digest_of, text_digest

ESPEAK = "espeak-ng"
SECONDS = 600  # that one question may take an engine
LONGEST_REASON = 200
MANIFEST = "manifest.jsonl"
_PLACE = re.compile(r"\{(text_file|wav|voice|speed)\}")


class Engine(Protocol):
    """What speaks; `identity` is everything that another sound would come of."""

    def identity(self) -> dict[str, Any]:
        """JSON-able facts about the engine and its version; UsageError when it is not there."""

    def speak(self, text: str, language: str, voice: str, speed: int) -> bytes:
        """The text as an audio file; RecordError `engine_failed` or `media_missing` when it cannot be had."""


def engine_of(card: SpeechCard) -> Engine:
    """The engine that a mixture's card names."""
    if card.engine == ESPEAK:
        return Espeak()
    if card.engine == "command":
        return Command(card.command, card.version)
    if card.engine == "folder":
        assert card.folder is not None
        return Folder(files.plain_path(card.folder))
    return Function(card.engine, card.version)


class Espeak:
    """The offline engine espeak-ng, the default: quick, small, and no beauty."""

    def identity(self) -> dict[str, Any]:
        """Its version, as `espeak-ng --version` prints it."""
        program = shutil.which(ESPEAK)
        if program is None:
            raise UsageError(
                "the engine espeak-ng, which speaks the questions, is not installed: run `apt-get install espeak-ng`, "
                "or name a command, a function or a folder of finished audio as `engine` under `speech` in the mixture."
            )
        said = subprocess.run([program, "--version"], capture_output=True, timeout=60, check=False).stdout
        found = re.search(rb"\d+(\.\d+)+", said)
        return {"engine": ESPEAK, "version": found[0].decode("ascii") if found else "unknown"}

    def speak(self, text: str, language: str, voice: str, speed: int) -> bytes:
        """A WAV file of 22,050 Hz."""
        words = [ESPEAK, "-b", "1", "-v", "{voice}", "-s", "{speed}", "-w", "{wav}", "-f", "{text_file}"]
        plain = text.replace("[[", "[ [")  # what stands in double brackets it would take for phonemes
        return _run(words, plain, voice, speed)


@dataclass(frozen=True)
class Command:
    """A program that reads a file of text and writes a file of audio."""

    words: tuple[str, ...]
    version: str | None

    def identity(self) -> dict[str, Any]:
        """The command's words, and the version that the card gives it."""
        if shutil.which(self.words[0]) is None:
            raise UsageError(
                f"the command {self.words[0]}, which speaks the questions, is not there; "
                "mend `command` under `speech` in the mixture, or install it."
            )
        return {"engine": "command", "command": list(self.words), "version": self.version}

    def speak(self, text: str, language: str, voice: str, speed: int) -> bytes:
        """What the command wrote to {wav}."""
        return _run(list(self.words), text, voice, speed)


def _run(words: list[str], text: str, voice: str, speed: int) -> bytes:
    """Runs a command in a folder of its own; its words are arguments and nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        told, wav = Path(folder, "text.txt"), Path(folder, "speech.wav")
        told.write_text(text + "\n", encoding="utf-8")
        values = {"text_file": str(told), "wav": str(wav), "voice": voice, "speed": str(speed)}
        filled = [_PLACE.sub(lambda found: values[found[1]], word) for word in words]
        try:
            done = subprocess.run(filled, capture_output=True, timeout=SECONDS, check=False)
        except (OSError, subprocess.SubprocessError) as error:
            raise _failed(type(error).__name__) from error
        if done.returncode:
            last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or [""])[-1]
            raise _failed(f"status {done.returncode} {last}".replace(folder, "").strip())
        if not wav.is_file():
            raise _failed("it wrote no sound")
        return wav.read_bytes()


@dataclass(frozen=True)
class Function:
    """A function of one's own, `package.module:function`, called with (text, language, voice, speed)."""

    name: str
    version: str | None

    def identity(self) -> dict[str, Any]:
        """Its name, and the version that the card gives it."""
        _ = self._function  # that it cannot be loaded is said before anything else is done
        return {"engine": self.name, "version": self.version}

    def speak(self, text: str, language: str, voice: str, speed: int) -> bytes:
        """What the function returned, which must be bytes."""
        try:
            said = self._function(text, language, voice, speed)
        except Exception as error:  # it is the user's own code, which may raise anything
            raise _failed(f"{type(error).__name__}: {error}") from error
        if not isinstance(said, bytes):
            raise _failed(f"it returned {type(said).__name__} and not bytes")
        return said

    @cached_property
    def _function(self) -> Callable[..., Any]:
        module, _, attribute = self.name.partition(":")
        if os.getcwd() not in sys.path:  # an engine of one's own usually lies in the folder one works in
            sys.path.append(os.getcwd())
        try:
            found: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
        except Exception as error:
            raise UsageError(
                f"engine {self.name} cannot be loaded ({type(error).__name__}: {error}); "
                "name it package.module:function, importable from here."
            ) from error
        return found


class Folder:
    """Finished audio: `<name>.*` with the name that `text_name` gives, or the file that manifest.jsonl names."""

    def __init__(self, root: str) -> None:
        self._root = root

    def identity(self) -> dict[str, Any]:
        """The files with their sizes and times: whatever changes there is read again."""
        if not files.exists(self._root):
            raise UsageError(
                f"the folder {self._root} of finished speech is not there; mend `folder` under `speech` in the mixture."
            )
        names = files.matching(self._root, "**/*")
        states = [(name, files.identity(files.join(self._root, name))) for name in names]
        return {"engine": "folder", "files": digest_of(states)}

    def speak(self, text: str, language: str, voice: str, speed: int) -> bytes:
        """The bytes of the file; voice and speed are what they are."""
        name = self._named.get(text)
        if name is None:
            stem = text_name(text, language)
            name = next(iter(files.matching(self._root, f"{stem}.*")), None)
        if name is None or not _below(name) or not files.exists(files.join(self._root, name)):
            raise RecordError("media_missing", "the folder of finished speech has no file for this text.")
        return files.read_bytes(files.join(self._root, name))

    @cached_property
    def _named(self) -> dict[str, str]:
        path = files.join(self._root, MANIFEST)
        if not files.exists(path):
            return {}
        found: dict[str, str] = {}
        for number, line in enumerate(files.read_bytes(path).splitlines(), 1):
            try:
                row = json.loads(line)
                found[str(row["text"])] = str(row["file"])
            except (ValueError, KeyError, TypeError) as error:
                raise UsageError(
                    f'{path}:{number}: write one {{"text": ..., "file": ...}} a line.'
                ) from error
        return found


def text_name(text: str, language: str) -> str:
    """What a folder of finished audio calls the speech of a text: 16 hex digits over (text, language)."""
    return text_digest(text, language)


def _below(name: str) -> bool:
    return not name.startswith("/") and ".." not in name.split("/")


def _failed(words: str) -> RecordError:
    reason = " ".join(words.split())[:LONGEST_REASON]
    return RecordError("engine_failed", f"The engine could not speak it ({reason}).", reason)

"""The engines that speak: espeak-ng, a command of one's own, a function, or a folder of finished audio.

An engine turns a text into the bytes of an audio file. RecordError is for one text that it could not speak,
UsageError for an engine that is not there at all. No command goes through a shell. What was spoken before
needs no engine, so it is asked for only when something is to be spoken.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from vita_data import files
from vita_data.errors import RecordError, UsageError, VitaError
from vita_data.manifest.speech import SpeechCard
from vita_data.records.key import digest_of, text_digest
from vita_data.speech.failure import SECONDS, crashed, failed, timed_out
from vita_data.speech.function import Function

ESPEAK = "espeak-ng"
MANIFEST = "manifest.jsonl"
_PLACE = re.compile(r"\{(text_file|wav|voice|speed)\}")


class Engine(Protocol):
    """What speaks; `identity` is everything that another sound would come of."""

    def identity(self) -> dict[str, Any] | None:
        """JSON-able facts about the engine and its version; None when only the engine knows and it is not there."""

    def check(self) -> None:
        """Raises UsageError when it is not there."""

    def speak(self, text: str, language: str, voice: str, speed: int) -> bytes:
        """The text as an audio file.

        RecordError `engine_failed`, `engine_crashed`, `engine_timed_out` or `media_missing` when it cannot be had.
        """


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

    def identity(self) -> dict[str, Any] | None:
        """Its version, as `espeak-ng --version` prints it."""
        program = shutil.which(ESPEAK)
        if program is None:
            return None
        said = subprocess.run([program, "--version"], capture_output=True, timeout=60, check=False).stdout
        found = re.search(rb"\d+(\.\d+)+", said)
        return {"engine": ESPEAK, "version": found[0].decode("ascii") if found else "unknown"}

    def check(self) -> None:
        """Looks for it on the PATH."""
        if shutil.which(ESPEAK) is None:
            raise UsageError(
                "the engine espeak-ng, which speaks the questions, is not installed: run `apt-get install espeak-ng`, "
                "or name a command, a function or a folder of finished audio as `engine` under `speech` in the mixture."
            )

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
        """The command's words, and the version that the card gives it: neither needs the program."""
        return {"engine": "command", "command": list(self.words), "version": self.version}

    def check(self) -> None:
        """Looks for the program."""
        if shutil.which(self.words[0]) is None:
            raise UsageError(
                f"the command {self.words[0]}, which speaks the questions, is not there; "
                "mend `command` under `speech` in the mixture, or install it."
            )

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
        except subprocess.TimeoutExpired as error:
            raise timed_out(SECONDS) from error
        except OSError as error:  # no fault of this text
            raise VitaError(
                f"the command {words[0]}, which speaks the questions, cannot be started "
                f"({error.strerror or error}); mend that and run the same command again."
            ) from error
        if done.returncode < 0:
            raise crashed(done.returncode)
        if done.returncode:
            last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or [""])[-1]
            raise failed(f"status {done.returncode} {last}".replace(folder, "").strip())
        if not wav.is_file():
            raise failed("it wrote no sound")
        return wav.read_bytes()


class Folder:
    """Finished audio: `<name>.*` with the name that `text_name` gives, or a file that manifest.jsonl names."""

    def __init__(self, root: str) -> None:
        self._root = root

    def identity(self) -> dict[str, Any] | None:
        """The files with their sizes and times: whatever changes there is read again."""
        if not files.exists(self._root):
            return None
        names = files.matching(self._root, "**/*")
        states = [(name, files.identity(files.join(self._root, name))) for name in names]
        return {"engine": "folder", "files": digest_of(states)}

    def check(self) -> None:
        """Looks for the folder."""
        if not files.exists(self._root):
            raise UsageError(
                f"the folder {self._root} of finished speech is not there; mend `folder` under `speech` in the mixture."
            )

    def speak(self, text: str, language: str, voice: str, speed: int) -> bytes:
        """The bytes of the file, of several recordings of a text the one that the speed counts off.

        Voice and pace are what they are.
        """
        some = self._named.get(text) or files.matching(self._root, f"{text_name(text, language)}.*")[:1]
        name = some[speed % len(some)] if some else None
        if name is None or not _below(name) or not files.exists(files.join(self._root, name)):
            self.check()  # with the folder gone, no text is to blame
            raise RecordError("media_missing", "the folder of finished speech has no file for this text.")
        return files.read_bytes(files.join(self._root, name))

    @cached_property
    def _named(self) -> dict[str, list[str]]:
        path = files.join(self._root, MANIFEST)
        if not files.exists(path):
            return {}
        found: dict[str, list[str]] = defaultdict(list)
        for number, line in enumerate(files.read_bytes(path).splitlines(), 1):
            try:
                row = json.loads(line)
                found[str(row["text"])].append(str(row["file"]))
            except (ValueError, KeyError, TypeError) as error:
                raise UsageError(
                    f'{path}:{number}: write one {{"text": ..., "file": ...}} a line.'
                ) from error
        return dict(found)


def text_name(text: str, language: str) -> str:
    """What a folder of finished audio calls the speech of a text: 16 hex digits over (text, language)."""
    return text_digest(text, language)


def _below(name: str) -> bool:
    return not name.startswith("/") and ".." not in name.split("/")

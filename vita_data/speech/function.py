"""A function of one's own as an engine, called in a process of its own: a crash there costs one question.

Each worker has one such process for each function and keeps it from question to question, since a model takes
long to load. One that ended is started again. A question at which it ends twice is given up: the second time
it was the first that the process was asked, so nothing that was spoken before it decides its fate.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

from vita_data.errors import RecordError, UsageError, VitaError
from vita_data.speech.callee import FAILED, HEADER, SOUND
from vita_data.speech.failure import SECONDS, crashed, failed, how_it_ended, timed_out

TRIES = 2
MOST_LOST = 10  # questions that may end the process before it has answered one
ENDING = 5.0  # seconds that a process which hung up may take to end


@dataclass(frozen=True)
class Function:
    """A function of one's own, `package.module:function`, called with (text, language, voice, speed)."""

    name: str
    version: str | None

    def identity(self) -> dict[str, Any]:
        """Its name, and the version that the card gives it: neither needs the function."""
        return {"engine": self.name, "version": self.version}

    def check(self) -> None:
        """Loads it in its process; UsageError when that cannot be done."""
        _callee(self.name).start()

    def speak(self, text: str, language: str, voice: str, speed: int) -> bytes:
        """What the function returned, which must be bytes.

        RecordError `engine_failed`, `engine_crashed` or `engine_timed_out`; VitaError when its process ended at
        every one of the first questions, which is no matter of single ones.
        """
        kind, said = _callee(self.name).ask([text, language, voice, speed])
        if kind == SOUND:
            return said
        raise failed(said.decode("utf-8", "replace"))


def end_functions() -> None:
    """Ends the processes of all functions that this process called: they hold the memory of their models."""
    with _LOCK:
        for callee in _CALLEES.values():
            callee.end()
        _CALLEES.clear()


class _Callee:
    """The process of one function. Threads take turns."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()
        self._answered, self._lost = False, 0

    def start(self) -> None:
        with self._turn:
            self._start()

    def end(self) -> None:
        with self._turn:
            self._end(0)

    def ask(self, question: list[Any]) -> tuple[bytes, bytes]:
        """The kind of an answer, and what it says."""
        with self._turn:
            try:
                answer = self._asked(question)
            except RecordError as error:
                self._lost += 1
                if self._answered or self._lost < MOST_LOST:
                    raise
                raise VitaError(
                    f"the engine {self._name} spoke not one of its first {self._lost} questions, and its process "
                    f"ended at each ({error.rule}); mend the engine, or choose another."
                ) from error
            self._answered = True
            return answer

    def _asked(self, question: list[Any]) -> tuple[bytes, bytes]:
        status = 0
        for _ in range(TRIES):
            process = self._start()
            try:
                return _talk(process, question)
            except EOFError:
                status = self._end(ENDING)
            except TimeoutError:
                self._end(0)
                raise timed_out(SECONDS) from None
        raise crashed(status)

    def _start(self) -> subprocess.Popen[bytes]:
        """The process, started and ready; UsageError where the function cannot be loaded."""
        if self._process is not None:
            return self._process
        words = [sys.executable, "-P", "-m", "vita_data.speech.callee"]  # -P: no module here may shadow ours
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            kind, said = _talk(self._process, {"function": self._name, "path": sys.path})
            why = said.decode("utf-8", "replace") if kind == FAILED else ""
        except EOFError:
            why = how_it_ended(self._end(ENDING))
        except TimeoutError:
            why = f"not ready after {SECONDS} seconds"
        if why:
            self._end(0)
            raise UsageError(
                f"engine {self._name} cannot be loaded ({why}); "
                "name it package.module:function, importable from here."
            )
        return self._process

    def _end(self, patience: float) -> int:
        """Ends the process, if need be by force after some seconds; returns its exit status."""
        process, self._process = self._process, None
        if process is None:
            return 0
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
        process.kill()
        assert process.stdin is not None and process.stdout is not None
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                stream.close()
        return process.wait()


_CALLEES: dict[str, _Callee] = {}
_LOCK = threading.Lock()


def _callee(name: str) -> _Callee:
    with _LOCK:
        return _CALLEES.setdefault(name, _Callee(name))


def _talk(process: subprocess.Popen[bytes], said: object) -> tuple[bytes, bytes]:
    """Says one line to a process and waits for its answer; EOFError when it ends, TimeoutError when it is too slow."""
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(said).encode() + b"\n")
        process.stdin.flush()
    except OSError as error:
        raise EOFError from error
    deadline = time.monotonic() + SECONDS
    kind, size = HEADER.unpack(_read(process, HEADER.size, deadline))
    return kind, _read(process, size, deadline)


def _read(process: subprocess.Popen[bytes], size: int, deadline: float) -> bytes:
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    data = bytearray()
    while len(data) < size:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if poller.poll(min(left, 1.0) * 1000):
            some = os.read(descriptor, min(size - len(data), 1 << 20))
            if not some:
                raise EOFError
            data += some
        elif process.poll() is not None:  # what it started itself may still hold the pipe open
            raise EOFError
    return bytes(data)

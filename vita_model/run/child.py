"""One command as a child process that is told of Ctrl-C and SIGTERM once, and outlives nobody."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

HANDED_ON = (signal.SIGINT, signal.SIGTERM)
PARENT_DEATH = 1  # PR_SET_PDEATHSIG of Linux's prctl(2)


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit status, negative for a signal, and the JSON object it printed, if it did."""

    status: int
    said: dict[str, Any]


class Children:
    """Runs commands one at a time; `stopped` is the signal that this process was told to end by."""

    def __init__(self) -> None:
        self.stopped: int | None = None
        self._child: subprocess.Popen[str] | None = None

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Hands SIGINT and SIGTERM on to the child for as long as the block lasts."""
        before = {number: signal.signal(number, self._hand_on) for number in HANDED_ON}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def run(self, command: list[str], spread: bool = False) -> Ended:
        """Runs a command to its end; what it says on standard error is seen, what on standard output is returned.

        With `spread` signals go to the child's own children: torchrun would end them before they have saved.
        """
        self._spread = spread
        with (
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                text=True,
                env={
                    **os.environ,
                    "PYTHONSAFEPATH": "1",
                },  # a folder called like a package of ours must not shadow it
                start_new_session=True,  # a terminal tells a whole group of Ctrl-C, and training takes two as an order
                preexec_fn=end_with_parent,
            ) as child
        ):
            self._child = child
            if self.stopped is not None:  # told while the child was born
                self._tell(self.stopped)
            said, _ = child.communicate()
            self._child = None
        return Ended(child.returncode, _last_object(said))

    def _hand_on(self, number: int, frame: FrameType | None) -> None:
        self.stopped = number
        self._tell(number)

    def _tell(self, number: int) -> None:
        child = self._child
        if child is None or child.poll() is not None:
            return
        told = _children_of(child.pid) if self._spread else []
        for process in told or [child.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)


def _children_of(process: int) -> list[int]:
    """The processes that a process has started, where the system says so."""
    with contextlib.suppress(OSError):
        return [int(text) for text in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    return []


def end_with_parent() -> None:
    """Asks the system to send SIGTERM to this process when the one that started it is killed."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PARENT_DEATH, signal.SIGTERM)


def _last_object(text: str) -> dict[str, Any]:
    for line in reversed(text.splitlines()):
        with contextlib.suppress(json.JSONDecodeError):
            said = json.loads(line)
            if isinstance(said, dict):
                return said
    return {}

"""Decoding in processes of their own: what hangs is ended after its time, and what crashes takes nobody with it.

A thread that hangs in a decoder cannot be ended, and can keep the interpreter from all others; so a medium is decoded
in a child that the kernel ends by an alarm, wherever it is. A child decodes one medium after the other, costs some
40 MB, and stays for the next training of its process. Its time counts decoding alone: reading is the storage's.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import threading
from multiprocessing.connection import Connection, Pipe

from vita_data.errors import ShardError, VitaError
from vita_model.batch.decode import Decode, Medium, Numbers, Unreadable, decode

SECONDS = 120.0
TRIES = 2  # a child can be ended from outside, as for want of memory


class _Child:
    """A process that decodes."""

    def __init__(self) -> None:
        self._here, there = Pipe()
        call = f"from vita_model.batch.decoder import serve; serve({there.fileno()})"
        with there:
            self.process = subprocess.Popen(
                [sys.executable, "-c", call],
                pass_fds=[there.fileno()],
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        try:
            self._here.recv()  # it is up; its imports are not on a medium's time
        except EOFError:
            raise VitaError(
                f"a process that decodes ended at its start, by {_named(self.end())}; see what it says above."
            ) from None

    def ask(self, medium: Medium, seconds: float) -> Numbers | ShardError:
        """Its numbers, or why there are none; EOFError or OSError when the child ends."""
        self._here.send((medium, seconds))
        answer: Numbers | ShardError = self._here.recv()
        return answer

    def end(self) -> int:
        """Lets it go; how it ended, as a signal's negative number when by one."""
        self._here.close()
        return self.process.wait()


def serve(descriptor: int) -> None:
    """What a child does until its parent is gone. A stop that was meant for the training is the parent's to answer."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    parent: Connection[object, tuple[Medium, float]] = Connection(descriptor)
    parent.send("up")
    while True:
        try:
            medium, seconds = parent.recv()
        except (EOFError, OSError):
            return
        signal.setitimer(signal.ITIMER_REAL, seconds)  # no handler: the alarm ends the process
        try:
            answer: Numbers | ShardError = decode(medium)
        except ShardError as error:
            answer = error
        signal.setitimer(signal.ITIMER_REAL, 0)
        parent.send(answer)


_idle: list[_Child] = []
_lock = threading.Lock()


def within(seconds: float = SECONDS) -> Decode:
    """A way to decode that raises Unreadable, `timed_out` or `broken`, for what hangs or ends its process, too."""

    def decoded(medium: Medium) -> Numbers:
        for _ in range(TRIES):
            child = _taken()
            try:
                answer = child.ask(medium, seconds)
            except (EOFError, OSError):
                ended = child.end()
            else:
                _idle.append(child)
                if isinstance(answer, ShardError):
                    raise answer
                return answer
            if ended == -signal.SIGALRM:
                raise Unreadable(f"not done after {seconds:g} s", "timed_out", f"{seconds:g}", f"{seconds:g}")
        raise Unreadable(f"it ends its decoder by {_named(ended)}")

    return decoded


def _taken() -> _Child:
    with _lock:
        return _idle.pop() if _idle else _Child()


def _named(ended: int) -> str:
    return signal.Signals(-ended).name if ended < 0 else f"status {ended}"


@atexit.register
def _end_all() -> None:
    while _idle:
        _idle.pop().end()

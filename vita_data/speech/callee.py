"""The process in which a function of one's own speaks, so that what crashes there ends nothing else.

Started with a pipe at each end. In: one line of JSON with the function's name and where modules are looked
for, then a line for each question. Out: for each line a header (kind, length) and so many bytes. It ends when
its standard input does, in the middle of a question too: its parent is gone then.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import signal
import struct
import sys
import threading
from collections.abc import Callable
from typing import IO, Any

HEADER = struct.Struct(">cQ")
READY, SOUND, FAILED = b"R", b"S", b"F"


def main() -> None:
    """Loads the function, says so, and answers questions."""
    told, channel = _pipes()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told too, and ends this process
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(told, lines), daemon=True).start()
    first = json.loads(lines.get())
    sys.path[:] = first["path"]
    try:
        function = _loaded(first["function"])
    except (Exception, SystemExit) as error:
        _answer(channel, FAILED, _words(error).encode())
        return
    _answer(channel, READY, b"")
    while True:
        _answer(channel, *_said(function, json.loads(lines.get())))


def _pipes() -> tuple[IO[bytes], IO[bytes]]:
    """The two pipes for this module alone: what the function prints goes to standard error, and it reads nothing."""
    told, channel = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return told, channel


def _listen(told: IO[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    for line in told:
        lines.put(line)
    os._exit(0)


def _loaded(name: str) -> Callable[..., Any]:
    module, _, attribute = name.partition(":")
    if os.getcwd() not in sys.path:  # an engine of one's own usually lies in the folder one works in
        sys.path.append(os.getcwd())
    found: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    return found


def _said(function: Callable[..., Any], question: list[Any]) -> tuple[bytes, bytes]:
    try:
        sound = function(*question)
    except (Exception, SystemExit) as error:  # it is the user's own code, which may raise anything
        return FAILED, _words(error).encode("utf-8", "replace")
    if not isinstance(sound, bytes):
        return FAILED, f"it returned {type(sound).__name__} and not bytes".encode()
    return SOUND, sound


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _answer(channel: IO[bytes], kind: bytes, said: bytes) -> None:
    channel.write(HEADER.pack(kind, len(said)))
    channel.write(said)
    channel.flush()


if __name__ == "__main__":
    main()

"""A build in a child process, watched: its progress passed on, and the child started again when it dies.

A record that kills the process twice is put aside as a reject (`vita_data.catalog.watch` knows which it
was); a death that no record explains is reported. Beam is not loaded in this process.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import IO, Any

from pipelines.settings import BuildSettings
from vita_data.catalog.watch import count_deaths, forget_notes, work_folders
from vita_data.errors import VitaError

LOG_LINE = re.compile(r"(DEBUG|INFO|WARNING):[\w.]+:")  # how Python's root logger begins a line
Listen = Callable[[dict[str, Any]], None]


def supervised_build(settings: BuildSettings, listen: Listen) -> dict[str, Any]:
    """Builds a stage in a child process; `listen` hears of steps and remarks; returns the stage's summary."""
    for work in work_folders(settings.out):
        forget_notes(work)
    while True:
        result = _run_child(settings, listen)
        if "result" in result:
            facts: dict[str, Any] = result["result"]
            return facts
        if "error" in result:
            error = VitaError(result["error"])
            error.status = result["status"]
            raise error
        places = [place for work in work_folders(settings.out) for place in count_deaths(work)]
        if not places:
            raise VitaError(
                f"the build's process died ({result['died']}) with no record to blame; look for a message of the "
                "system above (memory?), then run the same command again: it goes on from here."
            )
        listen(
            {
                "say": f"a worker died at {', '.join(f'{a} record {n}' for a, n, _ in places)}; going on from there"
            }
        )


def _run_child(settings: BuildSettings, listen: Listen) -> dict[str, Any]:
    """Runs the driver to its end; returns its last word, or {"died": how}."""
    child = subprocess.Popen(
        [sys.executable, "-m", "pipelines.driver"],
        env={
            **os.environ,
            "PYTHONSAFEPATH": "1",
        },  # a folder called pipelines where one works must not shadow ours
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,  # so that the child and all its workers can be ended together
    )
    assert child.stdin is not None and child.stdout is not None and child.stderr is not None
    pump = threading.Thread(target=_pass_on, args=(child.stderr,), daemon=True)
    pump.start()
    # Workers hold the child's pipes open: with the child gone, reading them would never end.
    threading.Thread(target=_end_with_child, args=(child,), daemon=True).start()
    last: dict[str, Any] = {}
    try:
        child.stdin.write(json.dumps(asdict(settings)) + "\n")
        child.stdin.flush()  # and left open: its end would tell the child that this process is gone
        for line in child.stdout:
            if not line.startswith("{"):
                continue
            message: dict[str, Any] = json.loads(line)
            if "result" in message or "error" in message:
                last = message
            else:
                listen(message)
        status = child.wait()
    finally:
        _end_group(child)
        with contextlib.suppress(OSError):
            child.stdin.close()
    return last or {"died": f"signal {-status}" if status < 0 else f"exit status {status}"}


def _pass_on(stream: IO[str]) -> None:
    """Standard error of the child and its workers, less the engine's log lines."""
    for line in stream:
        if not LOG_LINE.match(line):
            sys.stderr.write(line)


def _end_with_child(child: subprocess.Popen[str]) -> None:
    child.wait()
    _end_group(child)


def _end_group(child: subprocess.Popen[str]) -> None:
    """Ends the child and its workers, whichever of them still live."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()

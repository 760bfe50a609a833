"""A build in a child process, watched: its progress passed on, and the child started again when it dies.

A record that crashes the process twice is put aside as a reject (`vita_data.catalog.watch` knows which it
was). A process that somebody ended from outside is not started again, and no record is blamed for it; a
death that no record explains is reported. Beam is not loaded in this process.
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
from vita_data.catalog.watch import Place, blame, places_of_the_dead, work_folders
from vita_data.errors import VitaError

LOG_LINE = re.compile(r"(DEBUG|INFO|WARNING):[\w.]+:")  # how Python's root logger begins a line
Listen = Callable[[dict[str, Any]], None]
# What a process is ended with by somebody else; SIGKILL is also what the kernel uses where memory runs out.
FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)


def supervised_build(settings: BuildSettings, listen: Listen) -> dict[str, Any]:
    """Builds a stage in a child process; `listen` hears of steps and remarks; returns the stage's summary."""
    while True:
        starved = _out_of_memory_kills()
        result = _run_child(settings, listen)
        if "result" in result:
            facts: dict[str, Any] = result["result"]
            return facts
        if "error" in result:
            error = VitaError(result["error"])
            error.status = result["status"]
            raise error
        at = {work: places_of_the_dead(work) for work in work_folders(settings.out)}
        where = _words([place for places in at.values() for place in places])
        how = _how_it_died(result["died"])
        if -result["died"] in FROM_OUTSIDE and _out_of_memory_kills() == starved:
            raise VitaError(
                f"the build's process was ended from outside ({how}){where and f' while it was{where}'}; "
                "run the same command again: it goes on from here."
            )
        if not where:
            raise VitaError(
                f"the build's process died ({how}) with no record to blame; look for a message of the "
                "system above (memory?), then run the same command again: it goes on from here."
            )
        for work, places in at.items():
            blame(work, places)
        listen({"say": f"a worker died{where}; going on from there"})


def _words(places: list[Place]) -> str:
    return f" at {', '.join(f'{annotation} record {n}' for annotation, n, _ in places)}" if places else ""


def _how_it_died(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit status {status}"


def _out_of_memory_kills() -> int:
    """How often the kernel has ended a process for want of memory since the machine started; 0 where nobody says."""
    with contextlib.suppress(OSError, ValueError), open("/proc/vmstat", encoding="ascii") as stream:
        return sum(int(line.split()[1]) for line in stream if line.startswith("oom_kill "))
    return 0


def _run_child(settings: BuildSettings, listen: Listen) -> dict[str, Any]:
    """Runs the driver to its end; returns its last word, or {"died": exit status of whoever died first}."""
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
    worker: int | None = None
    try:
        child.stdin.write(json.dumps(asdict(settings)) + "\n")
        child.stdin.flush()  # and left open: its end would tell the child that this process is gone
        for line in child.stdout:
            message: dict[str, Any] = json.loads(line)
            if "result" in message or "error" in message:
                last = message
            elif "worker_status" in message:
                worker = int(message["worker_status"])
            else:
                listen(message)
        status = child.wait()
    finally:
        _end_group(child)
        with contextlib.suppress(OSError):
            child.stdin.close()
    return last or {"died": status if worker is None else worker}


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

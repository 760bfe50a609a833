"""A step's process hears once that it is to end, says its answer on standard output, and outlives nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from vita_model.run.child import Children

# Says where it is when it is told to end, and ends in order.
LISTENS = """
import pathlib, signal, sys, time
told = []
signal.signal(signal.SIGTERM, lambda number, frame: told.append(number))
here = pathlib.Path(sys.argv[1])
here.with_suffix(".ready").touch()
until = time.monotonic() + 60
while not told and time.monotonic() < until:
    time.sleep(0.01)
here.write_text(str(len(told)))
"""
# Starts such a process, and would kill it if it were told to end itself.
LAUNCHES = """
import signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2]])
signal.signal(signal.SIGTERM, lambda number, frame: child.kill())
sys.exit(child.wait())
"""
DRIVES = """
import sys
from vita_model.run.child import Children
Children().run([sys.executable, "-c", sys.argv[1], sys.argv[2]])
"""


def wait_for(path: Path) -> None:
    until = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < until
        time.sleep(0.01)


def end_when_ready(ready: Path) -> None:
    wait_for(ready)
    os.kill(os.getpid(), signal.SIGTERM)


def test_the_answer_is_the_last_object_that_a_command_prints() -> None:
    code = "print('loading'); print('{\"loss\": 1}'); print('[1]'); raise SystemExit(3)"
    ended = Children().run([sys.executable, "-c", code])
    assert (ended.status, ended.said) == (3, {"loss": 1})


def test_a_signal_is_handed_on_to_the_process_that_can_save(tmp_path: Path) -> None:
    for spread, command in ((False, ["-c", LISTENS]), (True, ["-c", LAUNCHES, LISTENS])):
        here, children = tmp_path / str(spread), Children()
        ender = threading.Thread(target=end_when_ready, args=(here.with_suffix(".ready"),))
        with children.listening():
            ender.start()
            ended = children.run([sys.executable, *command, str(here)], spread)
            ender.join()
        assert ended.status == 0 and children.stopped == signal.SIGTERM
        assert here.read_text() == "1"


def test_a_step_ends_when_the_run_that_started_it_is_killed(tmp_path: Path) -> None:
    here = tmp_path / "here"
    with subprocess.Popen([sys.executable, "-c", DRIVES, LISTENS, str(here)]) as driver:
        wait_for(here.with_suffix(".ready"))
        driver.kill()
    wait_for(here)
    assert here.read_text() in ("", "1")

"""Tasks that wait for one another, two at a time, each skipped when what it reads is as it was."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from vita_data import files
from vita_data.errors import VitaError
from vita_data.records.key import digest_of
from vita_model.run.child import Children, end_with_parent

Say = Callable[[str], None]


@dataclass(frozen=True)
class Task:
    """A function with arguments that are plain values, done in a process of its own once the tasks `after` are.

    `reads` are the files it depends on, `writes` the one that is there once it is done.
    """

    name: str
    work: Callable[..., Any]
    arguments: tuple[Any, ...]
    after: tuple[str, ...]
    reads: tuple[Path, ...]
    writes: Path


def command(words: Sequence[str]) -> None:
    """Runs a command, which is told when this process is to end; VitaError where it fails."""
    print(shlex.join(words), flush=True)
    children = Children()
    with children.listening():
        ended = children.run(list(words))
    if ended.status:
        raise VitaError(f"its command has ended with status {ended.status}")


def do_all(tasks: Sequence[Task], states: Path, workers: int, say: Say) -> dict[str, float]:
    """Does every task that its inputs ask for, in order; seconds of each, 0 for one that was skipped.

    The first failure ends it, once the others at work are done; the same call goes on from there.
    """
    seconds: dict[str, float] = {}
    waiting = list(tasks)
    busy: dict[Future[float], Task] = {}
    with ProcessPoolExecutor(workers, get_context("spawn"), _alone, max_tasks_per_child=1) as pool:
        while waiting or busy:
            ready = [task for task in waiting if set(task.after) <= set(seconds)]
            if done := [task for task in ready if _is_done(task, states)]:
                waiting = [task for task in waiting if task not in done]
                seconds.update({task.name: 0.0 for task in done})
                continue  # what they were waited for by may be done as well
            for task in ready[: workers - len(busy)]:
                waiting.remove(task)
                say(f"{task.name} ({len(seconds) + len(busy) + 1} of {len(tasks)})")
                busy[pool.submit(_timed, task, states / f"{task.name}.log")] = task
            for future in wait(busy, timeout=None, return_when=FIRST_COMPLETED).done if busy else ():
                task = busy.pop(future)
                seconds[task.name] = future.result()
                _note(task, states, seconds[task.name])
                say(f"{task.name}: {seconds[task.name]:.0f} s")
    return seconds


def _alone() -> None:
    end_with_parent()
    os.environ["OMP_NUM_THREADS"] = "1"  # tasks side by side share the cores better than threads of one do


def _timed(task: Task, log: Path) -> float:
    """The seconds that a task took; all that it and its commands say goes into a file."""
    since = time.monotonic()
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as stream:
        os.dup2(stream.fileno(), sys.stdout.fileno())
        os.dup2(stream.fileno(), sys.stderr.fileno())
    try:
        task.work(*task.arguments)
    except VitaError as error:
        raise VitaError(f"{task.name}: {error}; what it said is in {log}.") from error
    if not task.writes.exists():
        raise VitaError(f"{task.name} has not written {task.writes}; what it said is in {log}.")
    return time.monotonic() - since


def _inputs(task: Task) -> str:
    said = [str(argument) for argument in task.arguments]
    return digest_of(task.name, said, [files.identity(str(path)) for path in task.reads])


def _is_done(task: Task, states: Path) -> bool:
    path = states / f"{task.name}.json"
    if not task.writes.exists() or not path.exists():
        return False
    return bool(files.read_json(str(path))["inputs"] == _inputs(task))


def _note(task: Task, states: Path, seconds: float) -> None:
    said = {"task": task.name, "inputs": _inputs(task), "seconds": round(seconds, 1), "ended": time.time()}
    files.write_json(str(states / f"{task.name}.json"), said)


def seconds_of(tasks: Sequence[Task], states: Path) -> dict[str, float]:
    """How long each task took when it was done last."""
    paths = {task.name: states / f"{task.name}.json" for task in tasks}
    return {name: files.read_json(str(path))["seconds"] for name, path in paths.items() if path.exists()}


def passed(tasks: Sequence[Task], states: Path) -> float:
    """The seconds in which at least one task was at work, when each was done last."""
    paths = [states / f"{task.name}.json" for task in tasks]
    ends = [
        (said["ended"], said["seconds"])
        for said in map(files.read_json, map(str, filter(Path.exists, paths)))
    ]
    total, until = 0.0, 0.0
    for begun, ended in sorted((ended - seconds, ended) for ended, seconds in ends):
        total += max(0.0, ended - max(begun, until))
        until = max(until, ended)
    return total

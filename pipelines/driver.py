"""The process that builds: settings in as JSON on standard input, progress and the result out as JSON lines.

Kept apart from the command line so that a decoder that crashes the process, or a worker that dies, takes
only this one along.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import traceback
from typing import IO, Any

from pipelines.choice import RunnerChoice, workers_worth_it
from pipelines.settings import BuildSettings
from vita_data.errors import VitaError


def _channel() -> IO[str]:
    """Standard output for messages alone: whatever an adapter or a library prints goes to standard error."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return channel


def _end_with_parent() -> None:
    """Waits for the end of standard input, which the parent holds open: its death must leave no build behind."""
    while os.read(0, 64):
        pass
    if os.getpgrp() == os.getpid():  # started by the parent, in a group with its workers alone
        os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Builds what the settings on standard input say."""
    logging.disable(logging.CRITICAL)  # Beam remarks on absent libraries, and repeats every error at length
    from pipelines.build import build, decontaminate
    from pipelines.graphs import GRAPHS
    from pipelines.runners import run_graph
    from vita_data.catalog.watch import forget_notes, mark_the_dead, work_folders
    from vita_data.files import locked

    channel = _channel()

    def send(message: dict[str, Any]) -> None:
        print(json.dumps(message), file=channel, flush=True)

    def mourn(status: int) -> None:
        mark_the_dead(work_folders(settings.out))
        send({"worker_status": status})

    said = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    choice = RunnerChoice(**{**said["runner"], "beam_options": tuple(said["runner"]["beam_options"])})
    settings = BuildSettings(**{**said, "runner": choice})

    def run(graph: str, words: str, items: list[Any], total: int, folders: list[str]) -> None:
        send({"step": graph, "words": words, "items": len(items), "total": total, "folders": folders})
        if items:
            workers = workers_worth_it(graph, total or len(items), choice.workers)
            run_graph(GRAPHS[graph](items), choice, workers, mourn)

    try:
        with locked(settings.out):
            for folder in work_folders(settings.out):
                forget_notes(folder)  # of a build that was ended from outside
            work = {"build": build, "decontaminate": decontaminate}[settings.verb]
            facts = work(settings, run, lambda words: send({"say": words}))
    except VitaError as error:
        send({"error": str(error), "status": error.status})
        return
    except OSError as error:
        words = f"{error.filename or settings.out}: {error.strerror or error}"
        send({"error": f"{words}; mend that and run the same command again.", "status": VitaError.status})
        return
    except Exception as error:
        traceback.print_exc()
        words = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        send(
            {
                "error": f"something went wrong that should not ({words}); please report it with the lines above.",
                "status": 1,
            }
        )
        return
    send({"result": facts})


if __name__ == "__main__":
    main()

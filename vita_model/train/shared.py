"""Whether all ranks see one folder: a checkpoint is written by one of them and read by all."""

from __future__ import annotations

import time
from pathlib import Path

from vita_data.errors import UsageError
from vita_model.train.engine import gathered
from vita_model.train.folder import RUN

PATIENCE = 10  # seconds; a network's file system can be that late with a new folder


def require_shared(run: Path, step: int) -> None:
    """UsageError unless every rank sees what the first has written, and would go on at the same step.

    All ranks call it, the first after `folder.begin`.
    """
    path = run / RUN
    for _ in range(PATIENCE):
        if path.exists():
            break
        time.sleep(1)
    mine = f"{step} {path.read_text()}" if path.exists() else ""
    seen = gathered([mine])
    odd = [rank for rank, said in enumerate(seen) if said != seen[0]]
    if odd:
        raise UsageError(
            f"{len(odd)} of {len(seen)} ranks, such as {odd[0]}, do not see the run that rank 0 has begun in {run}; "
            "give an --out in a folder that all machines share."
        )

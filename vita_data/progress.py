"""How far the workers of a step are: each process keeps one small file with a count, and anyone can sum them."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from vita_data import files

EVERY = 64


class Progress:
    """Counts what this process has done below a folder; a no-op where the folder is remote."""

    def __init__(self, folder: str) -> None:
        self._count = 0
        self._path: Path | None = None
        if not files.is_url(folder):
            self._path = Path(folder, str(os.getpid()))
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._count = _count(self._path)

    def add(self, number: int = 1) -> None:
        """Counts `number` more; written down every so often."""
        before = self._count
        self._count += number
        if before // EVERY != self._count // EVERY:
            self.flush()

    def flush(self) -> None:
        """Writes the count down, where there is room: it is for showing and decides nothing."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.write_text(str(self._count))


def _count(path: Path) -> int:
    try:
        return int(path.read_text() or 0)
    except (OSError, ValueError):  # read while it is written: the next look will see it
        return 0


def total(folder: str) -> int:
    """What all processes have counted below a folder."""
    return sum(_count(path) for path in Path(folder).glob("*")) if not files.is_url(folder) else 0

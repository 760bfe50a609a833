"""Which record a worker is at, so that one that kills its worker can be named and put aside.

A decoder that crashes the process leaves no exception behind. Every worker notes its place in a small
file of its own before it touches a record; whoever supervises the run reads the notes of the dead.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from vita_data import files

DEATHS_ALLOWED = 1  # the second death at one record puts it aside


class Watch:
    """Notes the place of this process; a no-op where the work folder is remote."""

    def __init__(self, work: str) -> None:
        self._descriptor = -1
        if not files.is_url(work):
            folder = Path(work, "inflight")
            folder.mkdir(parents=True, exist_ok=True)
            self._path = folder / str(os.getpid())
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)

    def at(self, annotation: str, position: int) -> None:
        """Notes the record that is about to be opened."""
        if self._descriptor >= 0:
            os.pwrite(self._descriptor, json.dumps([annotation, position]).encode().ljust(512), 0)

    def done(self) -> None:
        """Says that this process is at no record any more."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._path.unlink(missing_ok=True)
            self._descriptor = -1


def put_aside(work: str) -> set[tuple[str, int]]:
    """The records that killed a worker twice, as (annotation, position)."""
    path = files.join(work, "deaths.json")
    if not files.exists(path):
        return set()
    return {(place[0], place[1]) for place, deaths in files.read_json(path) if deaths > DEATHS_ALLOWED}


def count_deaths(work: str) -> list[tuple[str, int]]:
    """Reads what dead workers left, counts a death for each place, and returns the places."""
    places: list[tuple[str, int]] = []
    for note in sorted(Path(work, "inflight").glob("*")):
        text = note.read_text(errors="replace").strip()
        if text:
            annotation, position = json.loads(text)
            places.append((annotation, position))
        note.unlink()
    if places:
        path = files.join(work, "deaths.json")
        counted = {tuple(place): deaths for place, deaths in files.read_json(path)} if files.exists(path) else {}
        for place in places:
            counted[place] = counted.get(place, 0) + 1
        files.write_json(path, [[list(place), deaths] for place, deaths in sorted(counted.items())])
    return places

"""Which record a worker is at, so that one that kills its worker can be named and put aside.

A decoder that crashes the process leaves no exception behind. Every worker notes its place in a small
file of its own before it touches a record; whoever supervises the run reads the notes of the dead.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Literal

from vita_data import files
from vita_data.errors import SourceError

DEATHS_ALLOWED = 1  # the second death at one record puts it aside
DEAD = ".dead"

# Whether a record is being read by its adapter, or judged with its media.
Step = Literal["read", "judge"]
Place = tuple[str, int, Step]  # (annotation, position, step)


class Watch:
    """Notes the place of this process; a no-op where the work folder is remote."""

    def __init__(self, work: str) -> None:
        self._descriptor = -1
        if not files.is_url(work):
            folder = _notes(work)
            folder.mkdir(parents=True, exist_ok=True)
            self._path = folder / str(os.getpid())
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)

    def at(self, annotation: str, position: int, step: Step) -> None:
        """Notes the record that is about to be touched."""
        if self._descriptor >= 0:
            note = (
                json.dumps([annotation, position, step]).encode() + b"\n"
            )  # what is behind the line is older
            self._write(note)

    def idle(self) -> None:
        """Says that no record is being touched: what ends the process now is the fault of none."""
        if self._descriptor >= 0:
            self._write(b"\n")

    def _write(self, note: bytes) -> None:
        try:
            os.pwrite(self._descriptor, note, 0)
        except OSError as error:  # which names no file when it comes from a descriptor
            raise OSError(error.errno, error.strerror, str(self._path)) from error

    def done(self) -> None:
        """Says that this process is at no record any more."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._path.unlink(missing_ok=True)
            self._descriptor = -1


def work_folders(out: str) -> list[str]:
    """The work folders of the catalogs that are being read below a build's folder."""
    return (
        [] if files.is_url(out) else [str(folder) for folder in sorted(Path(out, "catalog").glob("*/work"))]
    )


def _notes(work: str) -> Path:
    return Path(work, "inflight")


def put_aside(work: str) -> set[Place]:
    """The places that killed a worker twice."""
    return {place for place, deaths in _deaths(work).items() if deaths > DEATHS_ALLOWED}


def _deaths(work: str) -> dict[Place, int]:
    path = files.join(work, "deaths.json")
    if not files.exists(path):
        return {}
    return {
        (annotation, position, step): deaths for (annotation, position, step), deaths in files.read_json(path)
    }


def forget_notes(work: str) -> None:
    """Removes what an earlier run left that was killed from outside: no record is to blame for that."""
    for note in _notes(work).glob("*"):
        note.unlink(missing_ok=True)


def mark_the_dead(works: list[str]) -> None:
    """Tells the notes of processes that are gone from those of the living, which are about to be ended too."""
    for work in works:
        for note in _notes(work).glob("*"):
            if note.name.isdigit() and not _lives(int(note.name)):
                note.rename(note.with_name(note.name + DEAD))


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def places_of_the_dead(work: str) -> list[Place]:
    """Reads, and forgets, where dead workers were.

    Of several notes only those marked dead count; when none is, nobody can say which record it was.
    """
    notes = sorted(_notes(work).glob("*"))
    dead = [note for note in notes if note.name.endswith(DEAD)] or (notes if len(notes) == 1 else [])
    lines = [note.read_text(errors="replace").partition("\n")[0] for note in dead]
    places: list[Place] = [
        (place[0], place[1], place[2]) for place in (json.loads(line) for line in lines if line)
    ]
    forget_notes(work)
    return places


def blame(work: str, places: list[Place]) -> None:
    """Counts a death for each place; raises SourceError for one that was put aside already."""
    deaths = _deaths(work)
    for place in places:
        deaths[place] = deaths.get(place, 0) + 1
        if deaths[place] > DEATHS_ALLOWED + 1:
            raise SourceError(
                f"{place[0]}: record {place[1]} ended the worker again although it was put aside; "
                "take it out of the file, or let the adapter pass over the positions in `Slice.aside`."
            )
    if places:
        files.write_json(
            files.join(work, "deaths.json"), [[list(place), n] for place, n in sorted(deaths.items())]
        )

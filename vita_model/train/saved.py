"""Which checkpoints of a run are whole, and what they say of themselves; free of heavy imports.

RUN/checkpoints/step-00000050/complete.json    written last, so that a folder without it is none
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vita_data import files
from vita_data.errors import UsageError, VitaError

COMPLETE = "complete.json"
FOLDER = "checkpoints"


def facts(checkpoint: Path) -> dict[str, Any]:
    """What a checkpoint says of itself; raises VitaError when a file of it is missing or cut."""
    said: dict[str, Any] = files.read_json(str(checkpoint / COMPLETE))
    for name, size in said["files"].items():
        path = checkpoint / name
        if not path.exists() or path.stat().st_size != size:
            raise VitaError(
                f"{path} is missing or not {size} bytes long; delete {checkpoint} and take the one before."
            )
    return said


def complete(run: Path) -> list[Path]:
    """The complete checkpoints of a run, oldest first; half-written ones are not among them."""
    found = (path.parent for path in (run / FOLDER).glob(f"step-*/{COMPLETE}"))
    return sorted(folder for folder in found if folder.name.removeprefix("step-").isdigit())


def last(run: Path) -> Path | None:
    """The last complete checkpoint of a run, if there is one."""
    found = complete(run)
    return found[-1] if found else None


def find(place: Path) -> Path:
    """The last complete checkpoint of a run, or `place` if it is one; UsageError when there is none."""
    if (place / COMPLETE).exists():
        return place
    found = last(place)
    if found is None:
        raise UsageError(
            f"{place} holds no complete checkpoint; name a run that has trained, or one of its checkpoints."
        )
    return found

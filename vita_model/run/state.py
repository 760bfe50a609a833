"""What each step of a run was made from, kept beside what it made: OUT/run/<step>.json.

Written when a step begins and when it ends, so that a step that was killed is known for what it was.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from vita_data import files
from vita_data.records.key import digest_of

# Raise when a state of an earlier version says other things; its step is then done again.
VERSION = 1
# `forgot`: a training that is whole and has cost an earlier stage more than its card allows.
Status = Literal["begun", "stopped", "failed", "forgot", "done"]


@dataclass(frozen=True)
class State:
    """The status of a step, its inputs by name, each as a digest or a word, and the digest of what it has made."""

    step: str
    status: Status
    inputs: dict[str, str]
    command: list[str]
    seconds: float = 0.0
    made: str | None = None
    version: int = VERSION

    @property
    def digest(self) -> str:
        """What stands for the step among the inputs of another."""
        return digest_of(self.step, self.inputs, self.made)


def read(folder: Path, step: str) -> State | None:
    """What is known of a step; None where it was never begun, or by another version."""
    path = folder / f"{step}.json"
    if not path.exists():
        return None
    said = files.read_json(str(path))
    return State(**said) if said.get("version") == VERSION else None


def write(folder: Path, state: State) -> State:
    """Keeps a state, whole or not at all; returns it."""
    files.write_json(str(folder / f"{state.step}.json"), asdict(state))
    return state

"""`vita-model proof`: everything from recordings to the page, gone on with where it stopped."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vita_data import files
from vita_data.errors import UsageError, VitaError
from vita_model.proof.goals import LOWER, TO_THE_BIT
from vita_model.proof.plan import Proof, tasks_of
from vita_model.proof.report import PAGE, report
from vita_model.proof.tasks import do_all, passed, seconds_of

WORKERS = 2
QUICK = (0.05, 30)  # part of the corpus, steps of each training
_NAME = re.compile(r"\d_([^_]+)_\d+\.wav")


def prove(out: Path, speech: Path | None, quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Does what is to be done and writes the page; {rows, missed, seconds, passed, command}.

    A quick one takes a part of everything and leaves out one speaker only. VitaError where a training is no better
    than a guess, or changed what it was to leave.
    """
    speakers = speakers_of(speech)
    scale, steps = QUICK if quick else (1.0, None)
    left_out = speakers[-1:] if quick else speakers
    proof = Proof(
        out.resolve(), speech and speech.resolve(), left_out if len(speakers) > 1 else (), scale, steps
    )
    tasks, states = tasks_of(proof), out.resolve() / "steps"
    with files.locked(str(states), "proof"):
        do_all(tasks, states, WORKERS, say)
        words = ["vita-model proof", *(["--quick"] if quick else []), *(["--speech FSDD"] if speech else [])]
        found = report(proof, " ".join(words), seconds_of(tasks, states), passed(tasks, states))
    broken = [row["name"] for row in found["rows"] if row["goal"] in (LOWER, TO_THE_BIT) and not row["met"]]
    if broken:
        raise VitaError(
            f"{', '.join(broken)}: a training got nowhere, or changed what it was to leave; see {out / PAGE}."
        )
    return found


def speakers_of(speech: Path | None) -> tuple[str, ...]:
    """Everybody who was recorded, by name; nobody where no recordings are given."""
    if speech is None:
        return ()
    place = speech / "recordings" if (speech / "recordings").is_dir() else speech
    found = {match[1] for path in place.glob("*.wav") if (match := _NAME.fullmatch(path.name))}
    if not found:
        raise UsageError(
            f"{speech} holds no recordings named like 7_somebody_12.wav; give a clone of the Free Spoken Digit Dataset."
        )
    return tuple(sorted(found))

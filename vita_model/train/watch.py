"""All that is told of a training while it runs: to its own files, to boards, to a person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from torch import distributed

from vita_model.train import boards
from vita_model.train.boards import Boards
from vita_model.train.folder import add_metrics
from vita_model.train.pace import Pace
from vita_model.train.say import Teller
from vita_model.train.validation import VALIDATION, Validation


class Watch:
    """What follows each step and each checkpoint of a run; all ranks go through it, the first writes."""

    def __init__(self, run: Path, teller: Teller, pace: Pace, validation: Validation, shown: Boards) -> None:
        self.run = run
        self.teller = teller
        self.pace = pace
        self._validation = validation
        self._shown = shown
        self._writes = distributed.get_rank() == 0

    def begin(self) -> None:
        """The first step is about to begin."""
        self.teller.begin()

    def step(self, values: dict[str, Any], last: int) -> None:
        """The metrics of a step that has just ended, of a training of `last`; then a validation if it is time."""
        told = self.pace.told(values)
        if self._writes:
            add_metrics(self.run, told)
            self._shown.step(told)
        self.teller.step(told, last)
        found = self._validation.after(values["step"] + 1)
        if found is not None:
            self._shown.held_out(found)

    def before_saving(self) -> None:
        """What a checkpoint will find done is kept for good."""
        self._shown.flush()

    def close(self, failed: bool = False) -> None:
        """Nothing more comes, of a training that `failed` if it did not come to an end that was wanted."""
        self._shown.close(failed)


def watch(
    run: Path,
    first: int,
    asked: dict[str, Any],
    teller: Teller,
    pace: Pace,
    validation: Validation,
    project: str | None = None,
) -> Watch:
    """The watch of a run that was `asked` for and goes on at step `first`; all ranks call it.

    `project` is the one of W&B to show it in.
    """
    validation.begin(first)
    if distributed.get_rank():
        return Watch(run, teller, pace, validation, Boards())
    shown = boards.opened(run, first, project, asked)
    for line in (run / VALIDATION).read_text().splitlines() if (run / VALIDATION).exists() else ():
        if (found := json.loads(line))[
            "step"
        ] == first:  # the new event file hides what the last one says of it
            shown.held_out(found)
    return Watch(run, teller, pace, validation, shown)

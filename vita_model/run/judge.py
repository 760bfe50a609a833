"""Whether a step is to be done, and why: what it was made from against what there is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from vita_model.run.state import State
from vita_model.run.steps import ALL, LENGTH, Inputs, Step

# `go on`: what is there is a beginning of what is wanted.
Do = Literal["done", "to do", "go on", "do again", "forgot"]
UNFINISHED = {"begun": "it was begun and did not end", "stopped": "it was stopped", "failed": "it failed"}


@dataclass(frozen=True)
class Verdict:
    """What is to be done with a step, and why, in words."""

    do: Do
    why: str


def judge(step: Step, known: State | None, inputs: Inputs) -> Verdict:
    """The verdict on a step whose inputs are there."""
    made = step.output()
    there = made is not None or (step.run is not None and step.run.exists())
    if known is None:
        return Verdict("do again", "it was not made by this run") if there else Verdict("to do", "")
    changed = sorted(
        name for name in inputs.keys() | known.inputs.keys() if inputs.get(name) != known.inputs.get(name)
    )
    if changed == [LENGTH] and _longer(known.inputs[LENGTH], inputs[LENGTH]) and there:
        return Verdict(
            "go on", f"it has been asked for {known.inputs[LENGTH]} steps, now for {inputs[LENGTH]}"
        )
    if changed:
        return Verdict("do again", f"changed: {', '.join(changed)}")
    if known.status in UNFINISHED:
        return Verdict("go on" if there else "to do", UNFINISHED[known.status])
    if made is None:
        return Verdict("to do", "what it had made is gone")
    if made != known.made:
        return Verdict("do again", "what it had made is not as it left it")
    return Verdict("forgot" if known.status == "forgot" else "done", "")


def waiting(step: Step, undone: Collection[str]) -> Verdict | None:
    """The verdict on a step that reads what others of the run have still to make; None when it is all there."""
    before = [name for name in step.after if name in undone]
    return Verdict("to do", f"after {', '.join(before)}") if before else None


def _longer(before: str, now: str) -> bool:
    return before != ALL and (now == ALL or int(now) > int(before))

"""The held-out loss while a stage is being trained, and a few answers that a person can read.

RUN/validation.jsonl    {step, loss, labelled, samples, sources, answers: [{key, question, wanted, got}]}, a line a time
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import distributed

from vita_data import files
from vita_data.records.canon import canonical
from vita_data.shards.read import Stage
from vita_model.batch.clauses import Clauses
from vita_model.eval.answers import Line
from vita_model.eval.chosen import chosen
from vita_model.train import heldout
from vita_model.train.exam import asking, examined, is_divided
from vita_model.train.say import Teller
from vita_model.train.task import Task

VALIDATION = "validation.jsonl"
SHOWN = 3
WIDTH = 60
SAID = ("key", "question", "wanted", "got")
Score = Callable[[], dict[str, Any]]


class Validation:
    """Scores every so many steps, never when `every` is None; all ranks go through it."""

    def __init__(self, run: Path, every: int | None, score: Score, teller: Teller) -> None:
        self.path = run / VALIDATION
        self.every = every
        self.score = score
        self.teller = teller

    def begin(self, done: int) -> None:
        """Takes out the lines of steps that will be done again, and one that was cut by a kill."""
        if distributed.get_rank() or not self.path.exists():
            return
        whole = [line for line in self.path.read_text().splitlines(keepends=True) if line.endswith("\n")]
        kept = [line for line in whole if json.loads(line)["step"] <= done]
        files.write_bytes(str(self.path), "".join(kept).encode())

    def after(self, done: int) -> dict[str, Any] | None:
        """What a validation found, if it is time for one after so many steps."""
        if not self.every or done % self.every:
            return None
        found = {"step": done, **self.score()}
        if not distributed.get_rank():
            with open(self.path, "a", encoding="utf-8") as stream:
                stream.write(canonical(found) + "\n")
        loss = "nothing" if found["loss"] is None else f"{found['loss']:.4f}"
        self.teller.say(f"held-out loss after {done} steps: {loss}")
        for line in found.get("answers", []):
            self.teller.say(_shown(line))
        return found


def scorer(engine: Any, task: Task) -> Score:
    """What validates a stage of packs: the held-out losses by source, and a few answers."""

    def score() -> dict[str, Any]:
        held_out = task.stage.held_out
        if held_out is None:
            return {"loss": None, "sources": {}}
        losses = heldout.score(engine, task, held_out)
        return {**losses, "answers": _answers(engine, task, held_out)}

    return score


def _answers(engine: Any, task: Task, held_out: Stage) -> list[Line]:
    if isinstance(task.reader, Clauses):
        return []
    ask = asking(engine, task.reader, held_out)
    lines = examined(ask, chosen(held_out, 1)[:SHOWN], is_divided(engine))
    asked = [line for line in lines if line["got"] is not None]
    return [{name: line[name] for name in SAID} for line in asked[:SHOWN]]


def _shown(line: Line) -> str:
    question = _short(line["question"]) if line["question"] else line["key"]
    return f"  {question} -> {_short(line['got'])!r} ({_short(line['wanted'])!r} wanted)"


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= WIDTH else f"{words[: WIDTH - 3]}..."

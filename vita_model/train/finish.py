"""The end of a run: what it has learned and kept, written beside its last checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import distributed

from vita_data import files
from vita_model.eval.score import write_answers
from vita_model.train import checkpoint, exam, folder, forgetting, heldout
from vita_model.train.loop import Loop
from vita_model.train.say import Teller


def finish(loop: Loop, done: int, last: int, samples: int) -> dict[str, Any]:
    """Scores the held-out part when the run came to its end, and sums up; all ranks call it.

    `samples` of each source are asked what the stage teaches; with 0 there are losses only. Raises Forgotten, with
    everything written, where an earlier stage has lost more than the card of this one allows.
    """
    scores = _scores(loop, done, samples) if done == last else None
    distributed.barrier()
    found = folder.summed_up(loop.run, loop.task.name, done, last, loop.task.order.steps, scores)
    forgetting.require_kept(loop.task.name, (scores or {}).get("earlier", ()), found["checkpoint"])
    return found


def leave(run: Path, found: dict[str, Any], lines: list[dict[str, Any]], teller: Teller) -> None:
    """Writes eval.json, the answers, and into the checkpoint how its stage did; called by the first rank."""
    metrics = found.get("metrics")
    if metrics is not None:
        write_answers(run, lines)
        if metrics["metric"] is not None:
            checkpoint.add_score(checkpoint.find(run), found["stage"], exam.mark(metrics))
            teller.say(f"held out: {metrics['metric']['name']} {metrics['metric']['value']:.4f}")
    files.write_json(str(run / folder.EVAL), found)


def _scores(loop: Loop, done: int, samples: int) -> dict[str, Any] | None:
    task, engine, held_out = loop.task, loop.engine, loop.task.stage.held_out
    before = {name: score for name, score in loop.said["scores"].items() if name != task.name}
    if held_out is None and not (samples and before):
        return None
    found: dict[str, Any] = {"stage": task.name, "step": done, "loss": None}
    lines: list[dict[str, Any]] = []
    if held_out is not None:
        found |= heldout.score(engine, task, held_out)
        if samples:
            ask = exam.asking(engine, task.reader, held_out)
            found["metrics"], lines = exam.metrics(ask, held_out, samples, exam.is_divided(engine))
        loop.aside.settle()
    if samples:
        ended = done == task.order.steps  # half a stage is told what it lost, and may still mend it
        tolerance = task.stage.plan.get("forgetting", forgetting.OFF) if ended else forgetting.OFF
        found["earlier"] = forgetting.compared(engine, before, loop.said["data"], tolerance)
        found["forgotten"] = [row["stage"] for row in found["earlier"] if row["forgotten"]]
        for row in found["earlier"]:
            loop.teller.say(forgetting.words(row))
        if found["earlier"] and not ended:
            loop.teller.say("the stage has not come to its end, so none of this stops it")
    if loop.rank == 0:
        leave(loop.run, found, lines, loop.teller)
    return found

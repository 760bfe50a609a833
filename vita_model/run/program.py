"""`vita-model run`: from manifests to trained and scored stages, one step after the other.

Every step is a command that can be stopped and begun again by itself; here they get their order and their arguments,
and one that was made from what there is now is left alone.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from vita_data import files
from vita_data.errors import UsageError, VitaError
from vita_data.manifest.find import load_mixture, load_sources
from vita_model.run import state
from vita_model.run.asked import Asked
from vita_model.run.child import Children, Ended
from vita_model.run.graph import choose, drawable, read_graph
from vita_model.run.judge import Verdict, judge, waiting
from vita_model.run.state import State
from vita_model.run.steps import CODEC, Step, steps_of
from vita_model.train import folder, saved

Say = Callable[[str], None]
OLD = ".old"
CALL = 2  # the exit status of a command that was called wrongly
FORGOTTEN = "forgotten"


def plan_run(asked: Asked, say: Say) -> list[Step]:
    """The steps of a run; without --stages those of every stage that the mixture has something for."""
    mixture = load_mixture(asked.mixture, asked.manifests)
    graph = read_graph(mixture, asked.stages, asked.option, asked.manifests)
    codecs = frozenset(node.name for node in graph if CODEC in node.training.trains)
    if asked.stages is not None:
        return steps_of(choose(graph, asked.stages), codecs, mixture, asked)
    nodes = drawable(graph, mixture, load_sources(mixture, asked.manifests))
    if not nodes:
        raise UsageError(f"mixture {mixture.mixture} has nothing for any stage; name sources in it.")
    if left := [node.name for node in graph if node not in nodes]:
        say(f"stages {', '.join(left)} are left out: mixture {mixture.mixture} has no source for them")
    return steps_of(nodes, codecs, mixture, asked)


def survey(asked: Asked, say: Say) -> list[tuple[Step, Verdict]]:
    """What a run would do, step by step; changes nothing."""
    found: list[tuple[Step, Verdict]] = []
    undone: set[str] = set()
    for step in plan_run(asked, say):
        verdict = waiting(step, undone) or _verdict(step, asked)
        undone |= set() if verdict.do == "done" else {step.name}
        found.append((step, verdict))
    return found


def run(asked: Asked, say: Say) -> dict[str, Any]:
    """Does what is to be done; {out, steps: [{step, status, seconds}], stopped}.

    A step without anything to do, and so without a state, is `needless`. `stopped` is the number of the signal that
    ended it early. Raises VitaError, with the status of its command, for a step that failed, and for a training that
    has cost an earlier stage too much unless that is accepted.
    """
    steps = plan_run(asked, say)
    children = Children()
    told: list[dict[str, Any]] = []
    with files.locked(str(asked.states), "run"), children.listening():
        for number, step in enumerate(steps, 1):
            verdict = _verdict(step, asked)
            known = state.read(asked.states, step.name)
            if verdict.do not in ("done", "forgot"):
                say(f"{step.name} ({number} of {len(steps)})" + (f": {verdict.why}" if verdict.why else ""))
                known = _do(step, verdict, asked, children, say)
            status, seconds = (known.status, known.seconds) if known else ("needless", 0.0)
            told.append({"step": step.name, "status": status, "seconds": seconds})
            if status == "forgot":
                _require_accepted(step, asked, say)
            if status == "stopped" or children.stopped is not None:
                say("stopped; the same command goes on from here")
                return {"out": str(asked.out), "steps": told, "stopped": children.stopped or signal.SIGTERM}
    return {"out": str(asked.out), "steps": told, "stopped": None}


def _verdict(step: Step, asked: Asked) -> Verdict:
    needless = step.needless()
    if needless is not None:
        return Verdict("done", needless)
    return judge(step, state.read(asked.states, step.name), step.inputs())


def _do(step: Step, verdict: Verdict, asked: Asked, children: Children, say: Say) -> State:
    """Runs the command of a step and keeps how it ended; VitaError where it failed."""
    before = state.read(asked.states, step.name) if verdict.do == "go on" else None
    command = step.command
    if step.run is not None and step.run.exists():
        if verdict.do == "go on":
            command = [*command, "--resume"]
        else:
            _set_aside(step.run, say)
    begun = State(step.name, "begun", step.inputs(), command, before.seconds if before else 0.0)
    state.write(asked.states, begun)
    since = time.monotonic()
    ended = children.run(command, spread=step.run is not None and asked.processes > 1)
    made = step.output()
    after = replace(begun, seconds=round(begun.seconds + time.monotonic() - since, 1), made=made)
    stopped = bool(ended.said.get("stopped")) or (children.stopped is not None and ended.status != 0)
    if stopped:
        return state.write(asked.states, replace(after, status="stopped"))
    if ended.status == 1 and step.run is not None and _forgotten(step.run):
        return state.write(asked.states, replace(after, status="forgot"))
    if ended.status != 0 or made is None:
        state.write(asked.states, replace(after, status="failed"))
        raise _failure(step, ended)
    return state.write(asked.states, replace(after, status="done"))


def _set_aside(run: Path, say: Say) -> None:
    """Keeps what an earlier training has made, in the place of one that was kept before."""
    old = run.with_name(run.name + OLD)
    files.remove_tree(str(old))
    run.rename(old)
    say(f"the earlier {run} is kept as {old}")


def _forgotten(run: Path) -> bool:
    """Whether a training is whole, and says at its end that an earlier stage was forgotten."""
    scores, last = run / folder.EVAL, saved.last(run)
    if last is None or not scores.exists():
        return False
    said = files.read_json(str(scores))
    return bool(said.get(FORGOTTEN)) and said["step"] == saved.facts(last)["step"]


def _require_accepted(step: Step, asked: Asked, say: Say) -> None:
    words = f"{step.name} has cost an earlier stage more than its card allows"
    if not asked.go_on:
        raise VitaError(
            f"{words}, as {folder.EVAL} in {step.run} says; mend that, or accept it with --go-on."
        )
    say(f"{words}, which --go-on accepts")


def _failure(step: Step, ended: Ended) -> VitaError:
    how = f"signal {-ended.status}" if ended.status < 0 else f"status {ended.status}"
    how += "" if ended.status else ", and what it should have made is not there"
    error = VitaError(
        f"step {step.name} has ended with {how}; mend what it says above, then the same command goes on from here."
    )
    error.status = CALL if ended.status == CALL else 1
    return error

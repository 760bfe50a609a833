"""Where each training starts from: trainings of this run, earlier ones of the same folder, or what `--init` names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vita_data.errors import UsageError
from vita_model.run import made, state
from vita_model.run.asked import Asked
from vita_model.run.graph import Node
from vita_model.train import saved

TRAIN = "train-"


@dataclass(frozen=True)
class Start:
    """A place to start from: the run of a stage, or weights that no stage made; `ours` is one of this folder."""

    place: Path
    stage: str | None
    ours: bool = False

    def digest(self, asked: Asked) -> str:
        """What stands for it among the inputs of a step."""
        known = state.read(asked.states, f"{TRAIN}{self.stage}") if self.ours else None
        return made.place_made(self.place) if known is None else known.digest


def starts_of(nodes: Sequence[Node], asked: Asked) -> dict[str, list[Start]]:
    """By training, what it starts from; UsageError for a need that nothing meets and an --init that none takes."""
    given = [Start(place, _stage_of(place)) for place in asked.init]
    chosen = {node.name for node in nodes}
    known = chosen.union(*(node.before for node in nodes))
    found = {node.name: _needed(node, chosen, given, asked) for node in nodes}
    for node in nodes:
        if node.wants_weights and not node.before:  # which a stage of another graph can have made too
            found[node.name] += [start for start in given if start.stage not in known]
    if len({node.stage for node in nodes}) == 1:  # what can start alone need not, where it is not one of many
        for node in nodes:
            alone = not node.training.needs
            found[node.name] += [
                start for start in given if alone and (start.stage is None or len(nodes) == 1)
            ]
    taken = [start for starts in found.values() for start in starts]
    for start in given:
        if start not in taken:
            holds = f"stage {start.stage}" if start.stage else "released weights"
            raise UsageError(
                f"--init {start.place} holds {holds}, from which none of {', '.join(sorted(chosen))} starts here; "
                "leave it out, or change --stages."
            )
    return found


def _stage_of(place: Path) -> str | None:
    return None if made.is_released(place) else str(saved.facts(saved.find(place))["stage"])


def _needed(node: Node, chosen: set[str], given: Sequence[Start], asked: Asked) -> list[Start]:
    released = [start for start in given if start.stage is None]
    starts: list[Start] = []
    for need in node.before:
        run = Start(asked.run_of(need), need, ours=True)
        named = [start for start in given if start.stage == need]
        if need in chosen:
            starts.append(run)
        elif named or released:
            starts += [start for start in named or released if start not in starts]
        elif saved.last(run.place) is not None:
            starts.append(run)
        else:
            raise UsageError(
                f"stage {node.name} starts from stage {need}, which is not among --stages and was not trained in "
                f"{asked.out}; name a run of it, or a folder of weights, with --init."
            )
    return starts

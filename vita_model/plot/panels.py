"""Which plots there are of the runs of a stage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vita_model.plot.curves import Curve, Run

NAMED = 8


@dataclass(frozen=True)
class Panel:
    """One plot: curves over each other; `others` are drawn without a name of their own."""

    title: str
    curves: Sequence[Curve]
    others: Sequence[Curve] = ()
    log: bool = False
    whole: bool = False  # from 0 on


def panels(runs: Sequence[Run]) -> list[Panel]:
    """The plots of runs of one stage: what they share is laid over each other, what has parts is apart for each."""
    several = len(runs) > 1
    found = [_loss(runs)]
    for run in runs:
        where = f", {run.name}" if several else ""
        found += [
            _parts(f"Loss by source{where}", run.group("sources")),
            _parts(f"Held-out loss by source{where}", run.held_out()),
            _parts(f"Loss by what a sample holds{where}", run.group("modalities")),
            _parts(f"Loss by term{where}", run.terms(), log=True),
        ]
    found += [
        _rates(runs),
        _shared("Gradient norm", runs, "gradient_norm", log=True),
        _shared("Tokens a second", runs, "tokens_per_second", whole=True),
        _shared("Share of peak", runs, "share_of_peak", whole=True),
        _shared("Seconds a step waits for data", runs, "waiting_seconds", whole=True),
    ]
    return [panel for panel in found if panel.curves]


def _loss(runs: Sequence[Run]) -> Panel:
    if len(runs) == 1:
        told = [runs[0].curve("loss", "training"), runs[0].validation("held out")]
    else:
        told = [*(run.curve("loss", run.name) for run in runs), *map(_held_out, runs)]
    curves = [curve for curve in told if curve]
    return Panel("Loss", curves, log=_wide(curves))


def _held_out(run: Run) -> Curve | None:
    return run.validation(f"{run.name}, held out")


def _rates(runs: Sequence[Run]) -> Panel:
    """The learning rate of each run; of a single one that of the vision tower, too, where it is another."""
    if len(runs) > 1:
        return _shared("Learning rate", runs, "learning_rate", whole=True, exact=True)
    found = runs[0].curve("learning_rate", "all other parts", exact=True)
    tower = runs[0].curve("vision_learning_rate", "vision tower", exact=True)
    apart = tower if found and tower and list(tower.values) != list(found.values) else None
    return Panel("Learning rate", list(filter(None, (found, apart))), whole=True)


def _shared(
    title: str, runs: Sequence[Run], key: str, log: bool = False, whole: bool = False, exact: bool = False
) -> Panel:
    """A number of each run."""
    curves = [curve for run in runs if (curve := run.curve(key, run.name, exact=exact))]
    return Panel(title, curves, log=log and _wide(curves), whole=whole)


def _parts(title: str, curves: Iterable[Curve | None], log: bool = False) -> Panel:
    """Parts of a loss: those that it is highest for by name, the rest behind them."""
    found = sorted(filter(None, curves), key=lambda curve: -curve.smooth[-1])
    return Panel(title, found[:NAMED], found[NAMED:], log=log and _wide(found))


def _wide(curves: Sequence[Curve]) -> bool:
    """Whether values differ so much that only a logarithm shows them."""
    values = [abs(value) for curve in curves for value in curve.smooth if value]
    return bool(values) and max(values) > 20 * min(values) and min(min(curve.values) for curve in curves) > 0

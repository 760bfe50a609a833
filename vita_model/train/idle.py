"""What a sense does in a pack that has nothing for it, so that every rank does the same."""

from __future__ import annotations

from collections.abc import Iterable

from vita_model.nets.vita import SENSES, Idle, Sense


def idle_senses(
    zero: int, busy: set[Sense], trained: Iterable[str], settles: bool = False
) -> dict[Sense, Idle]:
    """How each sense idles at a ZeRO stage when some ranks are `busy` with these senses in this round.

    ZeRO 2 reduces gradients in the order in which they arrive: were a sense idle on one rank and busy on
    another, one parameter's gradient would be added to another's. ZeRO 3 gathers parameters by all ranks
    together, so a rank that does not call hangs the others; what no rank needs, it leaves alone, unless nothing
    that is `trained` would be reached at all: there is no backward pass without a graph. A round `settles` the
    gradients of a step where they are offloaded, which ZeRO 3 does for parameters that have one in this very round:
    there everything that is trained is called.
    """
    learning = set(trained)
    resting = {part for sense, parts in SENSES.items() if sense not in busy for part in parts}
    reached = bool(learning - resting)
    return {
        sense: _idle(zero, sense in busy or not reached or (settles and bool(learning & set(parts))))
        for sense, parts in SENSES.items()
    }


def _idle(zero: int, needed: bool) -> Idle:
    if zero < 2:
        return "zeros"
    if needed:
        return "call"
    return "zeros" if zero == 2 else "skip"

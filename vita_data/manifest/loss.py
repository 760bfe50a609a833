"""What a stage minimises: the terms of each loss, and what they count for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from vita_data.manifest.words import closest

Loss = Literal["lm", "ctc", "lm+state", "codec", "codec-tokens"]
Term = Literal["lm", "state", "ctc", "codes"]

# Each term is a mean over what is labelled for it. The codec's GAN has terms of its own, which no card weighs.
TERMS: dict[str, tuple[Term, ...]] = {
    "lm": ("lm",),
    "lm+state": ("lm", "state"),
    "ctc": ("ctc",),
    "codec-tokens": ("codes",),
    "codec": (),
}


def weights_of(loss: str, said: Mapping[str, float]) -> dict[str, float]:
    """The weight of each term of a loss, 1 where none is said."""
    return {term: float(said.get(term, 1.0)) for term in TERMS[loss]}


def complaint_about_weights(loss: str | None, said: Mapping[str, float]) -> tuple[str, str] | None:
    """What is wrong with a card's `loss_weights`: a word for no term, or a weight for one that the loss has not.

    A weight of 1 says nothing, so it may stay where an option or a mixture takes its term away.
    """
    for term, weight in said.items():
        key = f"loss_weights.{term}"
        if term not in get_args(Term):
            near = closest(term, get_args(Term))
            return key, f"{term} is no term of a loss; write {near or 'one of ' + ', '.join(get_args(Term))}"
        if loss is not None and weight != 1 and term not in TERMS[loss]:
            return key, f"loss {loss} has no term {term}; take the weight out"
    return None

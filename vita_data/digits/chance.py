"""Random choices of the corpus of digits: keyed by name, so that each run makes the same ones."""

from __future__ import annotations

import numpy as np

from vita_data.records.key import keyed_hash


def drawn(*names: str) -> np.random.Generator:
    """A generator that depends on `names` and nothing else."""
    return np.random.default_rng(keyed_hash(0, "digits", *names))

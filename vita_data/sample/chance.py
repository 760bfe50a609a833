"""Every random choice of the sample corpus: keyed by name, so that each run makes the same ones."""

from __future__ import annotations

from random import Random

from vita_data.records.key import keyed_hash


def rng(*names: str) -> Random:
    """A generator that depends on `names` and nothing else."""
    return Random(keyed_hash(0, "sample", *names))

"""Tensors of released files copied into a model, after everything about them has been checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import nn

from vita_data.errors import UsageError
from vita_model.weights.names import Entry, matches
from vita_model.weights.stores import Store


@dataclass(frozen=True)
class Job:
    """A store and the entries that are to be taken from it.

    `unused` are patterns of names that may stand there and are left; `others` prefixes of names that belong to
    parts which nobody asked for. `copies` are entries that hold what another entry holds: (name, of which name).
    """

    store: Store
    entries: tuple[Entry, ...]
    unused: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    copies: Mapping[str, str] = field(default_factory=dict)


def load(model: nn.Module, jobs: Iterable[Job]) -> tuple[str, ...]:
    """Copies what the jobs name into the model, on its device and in its precision; the names that were left.

    Nothing is copied unless everything fits: one UsageError names every tensor that is missing, that the key map
    does not know, or that has another shape.
    """
    jobs = tuple(jobs)
    complaints = [complaint for job in jobs for complaint in _complaints(job)]
    if complaints:
        raise UsageError("; ".join(complaints) + "; give the weights of a model with these dimensions.")
    targets = {name: tensor.detach() for name, tensor in model.state_dict(keep_vars=True).items()}
    return tuple(name for job in jobs for name in _copy(targets, job))


def _complaints(job: Job) -> list[str]:
    there = job.store.shapes()
    known = {entry.name: entry.shape for entry in job.entries}
    needed = [job.copies.get(name, name) for name in known]
    missing = sorted({name for name in needed if name not in there})
    extra = sorted(name for name in there if name not in known and not _left(job, name))
    odd = sorted(
        f"{name} of {_text(there[name])}, the model's is {_text(shape)}"
        for name, shape in known.items()
        if name in there and there[name] != shape
    )
    return [
        f"{job.store.place} {what}: {', '.join(names)}"
        for what, names in (("misses", missing), ("holds unknown tensors", extra), ("has another shape", odd))
        if names
    ]


def _left(job: Job, name: str) -> bool:
    return name.startswith(job.others) or matches(name, job.unused)


def _text(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "one number"


@torch.no_grad()
def _copy(targets: Mapping[str, torch.Tensor], job: Job) -> list[str]:
    wanted: dict[str, list[Entry]] = {}
    for entry in job.entries:
        wanted.setdefault(job.copies.get(entry.name, entry.name), []).append(entry)
    left: list[str] = []
    for name, tensor in job.store.read():
        for entry in wanted.get(name, []):
            _put(targets, entry, tensor)
        if name not in wanted:
            left.append(name)
    return left


def _put(targets: Mapping[str, torch.Tensor], entry: Entry, tensor: torch.Tensor) -> None:
    if len(entry.pieces) == 1:
        targets[entry.pieces[0][0]].copy_(tensor)
        return
    rows = [shape[0] for _, shape in entry.pieces]
    for (ours, _), piece in zip(entry.pieces, tensor.split(rows), strict=True):
        targets[ours].copy_(piece)

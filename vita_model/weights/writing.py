"""Files of released tensors: safetensors shards with an index, and plain pickles of a part."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file

from vita_model.weights import keys
from vita_model.weights.names import Entry, matches
from vita_model.weights.stores import INDEX, Pickled

Tensors = Mapping[str, torch.Tensor]
Named = dict[str, torch.Tensor]


def joined(entry: Entry, tensors: Tensors, precision: torch.dtype | None) -> torch.Tensor:
    """The released tensor of an entry on the CPU, with memory of its own; counters keep their type."""
    pieces = [tensors[ours] for ours, _ in entry.pieces]
    whole = torch.cat(pieces) if len(pieces) > 1 else pieces[0]
    wanted = precision if whole.is_floating_point() else None
    return whole.detach().to("cpu", wanted or whole.dtype, copy=True).contiguous()


def write_shards(
    folder: Path, found: Sequence[Entry], tensors: Tensors, precision: torch.dtype | None, most_bytes: int
) -> None:
    """Safetensors of at most so many bytes, unless one tensor is larger, and the index that names their tensors.

    No more than one of them is in memory beside the model.
    """
    shards: list[list[Entry]] = [[]]
    held = total = 0
    for entry in found:
        size = sum(
            tensors[ours].numel() * (precision or tensors[ours].dtype).itemsize for ours, _ in entry.pieces
        )
        if shards[-1] and held + size > most_bytes:
            shards.append([])
            held = 0
        shards[-1].append(entry)
        held += size
        total += size
    places: dict[str, str] = {}
    for number, shard in enumerate(shards, 1):
        name = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        held_now = {entry.name: joined(entry, tensors, precision) for entry in shard}
        save_file(held_now, folder / name, metadata={"format": "pt"})
        places |= dict.fromkeys(held_now, name)
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(places.items()))}
    (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n")


def write_pickle(
    path: Path, found: Sequence[Entry], tensors: Tensors, unused: keys.Lines, like: Path | None, nested: bool
) -> None:
    """A pickle of a part, {"encoder": {"x": ...}} instead of {"encoder.x": ...} where it is nested.

    What the public code insists on and does not use is zero, or what `like` has, a file of the same part; precisions
    are those of `like` too, fp32 without one.
    """
    before: Named = dict(Pickled(like).read()) if like is not None and like.exists() else {}
    said = {
        entry.name: joined(
            entry, tensors, before[entry.name].dtype if entry.name in before else torch.float32
        )
        for entry in found
    }
    said |= {name: torch.zeros_like(said[model]) for name, model in unused if model}
    patterns = [name for name, _ in unused]
    said |= {name: tensor for name, tensor in before.items() if matches(name, patterns)}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(_nested(said) if nested else said, path)


def _nested(said: Named) -> dict[str, Named]:
    found: dict[str, Named] = {}
    for name, tensor in said.items():
        first, _, rest = name.partition(".")
        found.setdefault(first, {})[rest] = tensor
    return found

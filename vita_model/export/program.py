"""`vita-model export`: a checkpoint as a released folder, with its card and its lineage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from vita_data import files
from vita_data.errors import UsageError
from vita_model.config.model import ModelConfig
from vita_model.export import card
from vita_model.export import lineage as lineages
from vita_model.nets.vita import build
from vita_model.train import checkpoint, starts
from vita_model.weights.export import export_release

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


def export(place: Path, out: Path, precision: str | None = None, like: Path | None = None) -> dict[str, Any]:
    """Writes the checkpoint of a run, in the precision it was trained in unless said otherwise.

    `like` is a released folder whose other files, the tokenizer's among them, go along. {folder, files, ...} of what
    was written. UsageError for what is no checkpoint, and for a folder that is there already.
    """
    start = starts.find(place)
    if start.said is None:
        raise UsageError(f"{place} holds released weights already; name a run or one of its checkpoints.")
    chosen = precision or str(start.said["precision"])
    said = lineages.lineage(start.said, start.place.name, chosen)
    model = build(ModelConfig.from_json(start.said["model"]), 0)
    checkpoint.load_weights(model, start.place)

    def tell(folder: Path) -> None:
        files.write_bytes(str(folder / card.NAME), card.card(said).encode())
        said["files"] = lineages.digests(folder)
        files.write_json(str(folder / lineages.NAME), said)

    export_release(model, out, PRECISIONS[chosen], like, beside=tell)
    return {"folder": str(out), **said}

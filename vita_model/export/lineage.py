"""What an exported model comes from, as its lineage.json says it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from vita_data.prompt.tokenizer import load_tokenizer
from vita_model.config.model import ModelConfig
from vita_model.train import history
from vita_model.weights.keys import PARTS

VERSION = 1
NAME = "lineage.json"
CHUNK = 1 << 20


def lineage(said: dict[str, Any], checkpoint: str, precision: str) -> dict[str, Any]:
    """{stages, parts, left_out, scores, tokenizer, ...} of a checkpoint by what it says of itself.

    Of each stage the digests of its plan and its packs, the `step` up to which its data was seen, and its sources with
    their licences.
    """
    config = ModelConfig.from_json(said["model"])
    tokenizer = load_tokenizer(config.geometry.tokenizer)
    lora = said.get("lora")
    return {
        "version": VERSION,
        "checkpoint": checkpoint,
        "stage": said["stage"],
        "preset": said["preset"],
        "precision": precision,
        "stages": {**said.get("stages", {}), said["stage"]: history.own(said)},
        "parts": said["trained"],
        "left_out": sorted(set(said["trained"]) - set(PARTS)),
        "merged_lora": lora,
        "scores": said.get("scores", {}),
        "tokenizer": {"name": tokenizer.name, "digest": tokenizer.digest(), "rows": tokenizer.rows},
        "geometry_digest": said["geometry_digest"],
        "template_digest": said["template_digest"],
    }


def digests(folder: Path) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of every file in a folder, by its path there."""
    return {
        str(path.relative_to(folder)): {"bytes": path.stat().st_size, "sha256": _sha256(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _sha256(path: Path) -> str:
    found = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(CHUNK):
            found.update(block)
    return found.hexdigest()

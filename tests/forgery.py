"""What tests do to finished stages: careful forgers who mend every digest after them, and careless ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from vita_data import files
from vita_data.shards.seal import sealed_facts, sealed_plan


def reseal(stage: Path) -> None:
    """Makes the digests of a stage those of what lies there now: nothing but its meaning can give it away."""
    for folder in (stage / "eval", stage):
        if (folder / "stage.json").exists():
            plan = sealed_plan(files.read_json(f"{folder}/plan.json"))
            files.write_json(f"{folder}/plan.json", plan)
            facts = {**files.read_json(f"{folder}/stage.json"), "digest": plan["digest"]}
            files.write_json(f"{folder}/stage.json", sealed_facts(str(folder), facts))


def edit(path: Path, change: Callable[[Any], Any]) -> None:
    """Changes a JSON file."""
    facts = json.loads(path.read_text())
    change(facts)
    path.write_text(json.dumps(facts))


def edit_table(
    stage: Path, name: str, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
) -> None:
    """Changes the rows of a table."""
    path = f"{stage}/{name}.parquet"
    table = files.read_table(path)
    files.write_table(path, pa.Table.from_pylist(change(table.to_pylist()), table.schema))


def flip(path: Path, at: int, bits: int) -> bytes:
    """Changes one byte of a file; returns what it was."""
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[at] ^= bits
    path.write_bytes(damaged)
    return whole


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

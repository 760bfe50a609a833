"""The characters of a stage that learns transcripts, written once its shards are there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from vita_data import files
from vita_data.prompt.characters import Characters
from vita_data.shards.read import Shard
from vita_data.shards.seal import CHARACTERS


def write_characters(folder: str, plan: dict[str, Any], shards: int) -> str | None:
    """Writes the vocabulary of the transcripts in a stage's shards; returns its digest, None for other stages.

    What is held out has no say in it.
    """
    if all(half["loss"] != "ctc" for half in plan.get("halves", {}).values()):
        return None
    characters = Characters.of(_transcripts(folder, shards))
    characters.write(files.join(folder, CHARACTERS))
    return characters.digest


def _transcripts(folder: str, shards: int) -> Iterator[str]:
    for number in range(shards):
        shard = Shard(folder, number)
        for row in range(len(shard)):
            record = json.loads(shard.read(row)[0])
            yield from (turn["value"] for turn in record["conversations"] if turn["from"] == "gpt")

"""Samples that turn out unreadable while a run goes on: known to all its ranks, and to the run when it is resumed."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import torch
from torch import distributed

from vita_data import files
from vita_model.batch.left_out import LeftOut
from vita_model.train.engine import gathered, total
from vita_model.train.folder import LEFT_OUT
from vita_model.train.say import Teller


class Aside:
    """Keeps RUN/left-out.json as what the ranks have left out together.

    Who wants a sample back, since a machine was only slow, takes its row out of the file before going on.
    """

    def __init__(self, run: Path, left_out: LeftOut, teller: Teller, device: torch.device) -> None:
        self.path = run / LEFT_OUT
        self.left_out = left_out
        self.teller = teller
        self.device = device

    def settle(self) -> None:
        """Lets all ranks know what one has found, writes it and says it aloud; all ranks call it."""
        mine = self.left_out.fresh()
        if not total([len(mine)], self.device)[0]:
            return
        found = {row["key"]: row for row in map(json.loads, gathered([json.dumps(row) for row in mine]))}
        self.left_out.learn(found.values())
        if distributed.get_rank() == 0:
            files.write_json(str(self.path), self.left_out.rows())
        rules = Counter(row["rule"] for row in found.values())
        first = next(iter(found.values()))
        self.teller.say(
            f"{len(found):,} samples are left out ({', '.join(f'{rule} {n:,}' for rule, n in sorted(rules.items()))}), "
            f"such as {first['key']}: {first['message']} All are in {self.path}"
        )

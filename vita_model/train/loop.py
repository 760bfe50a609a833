"""The loop: one global batch of packs a step, each term of its loss a mean over all that is labelled for it.

A sum of losses is divided by the count of the whole global batch, which is known before the first backward
pass; so neither the number of ranks nor the accumulation changes what is learned.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from vita_data.errors import ShardError, VitaError
from vita_data.records.key import keyed_hash
from vita_data.shards.read import Pack
from vita_model.batch.loader import prefetch
from vita_model.batch.order import Share
from vita_model.nets.batch import Batch
from vita_model.nets.vita import SENSES, Sense
from vita_model.train import breakdown, checkpoint
from vita_model.train.aside import Aside
from vita_model.train.consumed import Consumed
from vita_model.train.drive import Drive
from vita_model.train.engine import clip_plain, forget_gradients, gathered, offloads, set_rates, total
from vita_model.train.idle import idle_senses
from vita_model.train.objective import weighted
from vita_model.train.say import Teller
from vita_model.train.schedule import rates
from vita_model.train.spikes import Skipper
from vita_model.train.task import Task
from vita_model.train.untouched import Untouched
from vita_model.train.watch import Watch

NAMED = 20


@dataclass(frozen=True)
class Counted:
    """A global batch: tokens, samples, operations, what each term is a mean over, senses busy in each round."""

    tokens: float
    samples: float
    operations: float
    terms: dict[str, float]
    busy: list[set[Sense]]


class Loop:
    """A training in progress: engine, task, and where its steps are written."""

    def __init__(
        self,
        engine: Any,
        task: Task,
        run: Path,
        said: dict[str, Any],
        teller: Teller,
        skipper: Skipper,
        exact: Untouched | None = None,
        effort: Callable[[Batch], float] | None = None,
    ) -> None:
        self.engine = engine
        self.task = task
        self.run = run
        self.said = said
        self.teller = teller
        self.skipper = skipper
        self.exact = exact
        self.effort = effort
        self.consumed = Consumed(task.stage, task.order, task.reader.left_out)
        self.aside = Aside(run, task.reader.left_out, teller, engine.device)
        self.rank, self.world = distributed.get_rank(), distributed.get_world_size()
        self.rounds = task.order.rounds(self.world)

    def train(self, watch: Watch, first: int, last: int, save_every: int) -> int:
        """Steps `first` up to, not including, `last`; returns the steps done, fewer after SIGTERM or Ctrl-C.

        Checkpoints every `save_every` steps and at the end of what was done.
        """
        loaded = watch.pace.waited_for(self._load(first, last))
        self.engine.train()
        drive = Drive(watch, self.engine.device)
        try:
            return drive.through(range(first, last), partial(self._next, loaded), self._save, save_every)
        finally:
            loaded.close()

    def _next(self, loaded: Iterator[Batch], number: int) -> dict[str, Any]:
        return self.step(number, list(islice(loaded, self.rounds)))

    def _load(self, first: int, last: int) -> Any:
        packs: Iterator[Pack | None] = (
            slot.pack for step in range(first, last) for slot in self._share(step)
        )
        return prefetch(lambda pack: self.task.batch(self.task.stage, pack), packs, ahead=self.rounds + 2)

    def _share(self, step: int) -> Share:
        return self.task.order.shares(step, self.world)[self.rank]

    def _save(self, done: int) -> int:
        final = done == self.task.order.steps
        said = {**self.said, "final": final, "updates": done - self.skipper.skipped}
        if self.rank == 0:
            said["consumed"] = self.consumed.after(done)
        checkpoint.save(self.engine, self.run, done, said, self.exact)
        return done

    def step(self, number: int, batches: list[Batch]) -> dict[str, Any]:
        """One optimizer step over this rank's share of a global batch; returns its metrics.

        Raises ShardError for a global batch without a label, and VitaError when the loss or its gradient is not
        finite, before the update.
        """
        self.aside.settle()
        counted = self._count(batches)
        if not any(counted.terms.values()):
            raise ShardError(f"step {number} has nothing labelled; see it with `vita-model order`.")
        vision_rate, rate = rates(self.task.schedule, number, self.task.order.steps)
        set_rates(self.engine, vision_rate, rate)
        losses, sums, parts = self._backward(number, batches, counted)
        means = self._means(sums, counted)
        mean = sum(self.task.objective[term] * value for term, value in means.items())
        self._require_finite(number, mean, batches, losses)
        norm = clip_plain(self.engine, self.task.schedule.clip)
        norm, spike, skipped = self.skipper.step(mean, norm)
        forget_gradients(self.engine)
        self._require_finite(number, norm, batches, losses)
        return {
            "step": number,
            "loss": mean,
            **({f"loss_{term}": value for term, value in means.items()} if len(means) > 1 else {}),
            **breakdown.means(parts),
            "learning_rate": rate,
            "vision_learning_rate": vision_rate,
            "gradient_norm": norm,
            "spike": spike,
            **(self._skipped(number, spike, batches) if skipped else {}),
            "tokens": int(counted.tokens),
            "labelled": int(sum(counted.terms.values())),
            "samples": int(counted.samples),
            **({"operations": counted.operations} if self.effort else {}),
        }

    def _count(self, batches: list[Batch]) -> Counted:
        """What the global batch holds, over all ranks."""
        terms = list(self.task.objective)
        mine = [
            sum(batch.tokens for batch in batches if batch.keys),
            sum(len(batch.keys) for batch in batches),
            sum(map(self.effort, batches)) if self.effort else 0,
            *(sum(batch.counts[term] for batch in batches) for term in terms),
            *(int(batch.has(sense)) for batch in batches for sense in SENSES),
        ]
        tokens, samples, operations, *rest = total(mine, self.engine.device)
        counts, busy = rest[: len(terms)], rest[len(terms) :]
        rounds = [busy[n : n + len(SENSES)] for n in range(0, len(busy), len(SENSES))]
        return Counted(
            tokens,
            samples,
            operations,
            dict(zip(terms, counts, strict=True)),
            [{sense for sense, ranks in zip(SENSES, one, strict=True) if ranks} for one in rounds],
        )

    def _backward(
        self, number: int, batches: list[Batch], counted: Counted
    ) -> tuple[list[float], dict[str, float], list[breakdown.Parts]]:
        """Runs the packs of this rank: the share of each in the loss, the sums of each term, those by part."""
        shares: list[torch.Tensor] = []
        sums = dict.fromkeys(self.task.objective, torch.zeros((), device=self.engine.device))
        parts: list[breakdown.Parts] = []
        for place, (slot, batch) in enumerate(zip(self._share(number), batches, strict=True)):
            # The slot of the global batch, not the rank, seeds what is drawn: any world size draws the same.
            torch.manual_seed(keyed_hash(self.said["seed"], "drop-path", str(number), str(slot.number)) >> 1)
            settles = place + 1 == len(batches) and offloads(self.engine)
            zero, busy = self.engine.zero_optimization_stage(), counted.busy[place]
            idle = idle_senses(zero, busy, self.task.trains, settles)
            losses = self.engine(batch.to(self.engine.device), idle)
            share = weighted(losses, self.task.objective, counted.terms)
            self.engine.backward(share * self.world, scale_wrt_gas=False)
            shares.append(share.detach())
            sums = {term: sums[term] + values.detach().sum() for term, values in losses.items()}
            parts.append(breakdown.by_part(batch, losses))
            if place + 1 < len(batches):
                self.engine.step()
        return torch.stack(shares).tolist(), {term: float(value) for term, value in sums.items()}, parts

    def _means(self, sums: dict[str, float], counted: Counted) -> dict[str, float]:
        """The mean of each term that the global batch has labels for, over all ranks."""
        whole = total([sums[term] for term in self.task.objective], self.engine.device)
        return {
            term: value / counted.terms[term]
            for term, value in zip(self.task.objective, whole, strict=True)
            if counted.terms[term]
        }

    def _skipped(self, number: int, spike: float | None, batches: list[Batch]) -> dict[str, Any]:
        """Says aloud that a step was left out, and what it was made of."""
        names = gathered([key for batch in batches for key in batch.keys])
        self.teller.say(
            f"step {number} is skipped, {spike:.1f} deviations above the steps before it: {_few(names)}"
        )
        return {"skipped": True, "skipped_samples": names}

    def _require_finite(self, number: int, value: float, batches: list[Batch], losses: list[float]) -> None:
        if math.isfinite(value):
            return
        odd = [batch for batch, loss in zip(batches, losses, strict=True) if not math.isfinite(loss)]
        suspects = gathered([key for batch in odd for key in batch.keys])
        suspects = suspects or gathered([key for batch in batches for key in batch.keys])
        raise VitaError(
            f"step {number}: the loss or its gradient is {value} in {_few(suspects)}; "
            "look at them or lower the learning rate, then go on from the last checkpoint with --resume."
        )


def _few(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"

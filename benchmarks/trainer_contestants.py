"""The same training four ways: by our loop, by hand in torch, by transformers' Trainer, by raw DeepSpeed.

Each takes the same packs and the same number of them a step, from the same weights, with the same AdamW, clipping and
learning rates; `laps` does some steps and tells what each took.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from vita_model.cost.effort import effort
from vita_model.nets.batch import LM, Batch
from vita_model.nets.vita import Vita, build
from vita_model.train import schedule
from vita_model.train.drive import Drive
from vita_model.train.engine import _config, start_engine
from vita_model.train.loop import Loop
from vita_model.train.pace import pace_of
from vita_model.train.parts import groups
from vita_model.train.say import Teller
from vita_model.train.spikes import Skipper, Spikes
from vita_model.train.task import Task
from vita_model.train.validation import Validation, scorer
from vita_model.train.watch import watch

NEVER = 1 << 40
LAUNCHED = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


class Lap(NamedTuple):
    """Seconds that a step took: on the wall, and of this process's CPU."""

    wall: float
    cpu: float


class Clock:
    """Laps between one call of `tick` and the next."""

    def __init__(self) -> None:
        self._ticks: list[Lap] = []

    def tick(self) -> None:
        """A step begins, or the last one has ended."""
        self._ticks.append(Lap(time.perf_counter(), time.process_time()))

    def laps(self) -> list[Lap]:
        """What lies between the ticks, but for the first lap, which warms up."""
        pairs = zip(self._ticks[1:], self._ticks[2:], strict=False)
        return [Lap(after.wall - before.wall, after.cpu - before.cpu) for before, after in pairs]


@dataclass(frozen=True)
class Work:
    """A training of the language model alone: its task, its packs, and how the optimizer's state is divided."""

    task: Task
    packs: list[Batch]
    zero: int

    @property
    def rounds(self) -> int:
        """Packs of a step."""
        return self.task.order.rounds(1)

    def model(self) -> Vita:
        """The model as every contestant begins with it."""
        model = build(self.task.config, seed=1)
        model.set_trained(self.task.trains, (LM,))
        return model.train()

    def step(self, number: int) -> list[Batch]:
        """The packs of a step; they come again and again."""
        first = number * self.rounds
        return [self.packs[place % len(self.packs)] for place in range(first, first + self.rounds)]

    def rate(self, number: int) -> float:
        """The learning rate of a step."""
        return schedule.rates(self.task.schedule, number, self.task.order.steps)[1]

    def scheduler(
        self, optimizer: torch.optim.Optimizer, first: int = 0
    ) -> torch.optim.lr_scheduler.LambdaLR:
        """What sets the learning rate of a step, `first` and those after it."""
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] = 1.0  # what the scheduler multiplies
        return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda done: self.rate(first + done))

    def optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        """AdamW as the trainer makes it."""
        said = self.task.schedule
        return torch.optim.AdamW(
            groups(model, said.weight_decay), lr=said.learning_rate, betas=said.betas, fused=True
        )


class Ours:
    """`vita_model.train.loop.Loop` and its engine: the step alone, or with all that is written and told beside it."""

    def __init__(self, work: Work, run: Path, told: bool) -> None:
        self.work = work
        self.told = told
        self.teller = Teller(False)
        self.model = start_engine(work.model(), work.task.schedule, work.zero, work.rounds)
        count = partial(effort, work.task.config, work.task.trains, (LM,))
        run.mkdir()
        skipper = Skipper(self.model, Spikes())
        self.loop = Loop(
            self.model, work.task, run, {"seed": 1}, self.teller, skipper, effort=count() if told else None
        )

    def laps(self, steps: range) -> list[Lap]:
        """Does these steps."""
        clock = Clock()

        def step(number: int) -> dict[str, Any]:
            clock.tick()
            return self.loop.step(number, self.work.step(number))

        if self.told:
            device, run = self.model.device, self.loop.run
            pace = pace_of(device, self.work.task.schedule.precision, 1.0)
            validation = Validation(run, None, scorer(self.model, self.work.task), self.teller)
            seen = watch(run, steps.start, {}, self.teller, pace, validation)
            Drive(seen, device).through(steps, step, lambda done: clock.tick(), NEVER)
        else:
            for number in steps:
                step(number)
            clock.tick()
        return clock.laps()


class ByHand:
    """A loop in plain torch, as one writes it for one process."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.model = work.model()
        self.optimizer = work.optimizer(self.model)

    def laps(self, steps: range) -> list[Lap]:
        """Does these steps."""
        clock = Clock()
        weights = [weight for weight in self.model.parameters() if weight.requires_grad]
        for number in steps:
            clock.tick()
            for group in self.optimizer.param_groups:
                group["lr"] = self.work.rate(number)
            packs = self.work.step(number)
            labelled = sum(len(pack.targets) for pack in packs)
            loss = torch.zeros(())
            for pack in packs:
                share = self.model(pack)[LM].sum() / labelled
                share.backward()
                loss += share.detach()
            if self.work.task.schedule.clip:
                nn.utils.clip_grad_norm_(weights, self.work.task.schedule.clip)
            self.optimizer.step()
            self.optimizer.zero_grad()
            float(loss)  # a loop that tells its loss
        clock.tick()
        return clock.laps()


class RawDeepSpeed:
    """`deepspeed.initialize` with the configuration and optimizer of our engine, and a loop by hand around it."""

    def __init__(self, work: Work) -> None:
        import deepspeed

        self.work = work
        model = work.model()
        config = _config(work.task.schedule, work.zero, work.rounds, None)
        self.model, *_ = deepspeed.initialize(model=model, optimizer=work.optimizer(model), config=config)

    def laps(self, steps: range) -> list[Lap]:
        """Does these steps."""
        clock = Clock()
        for number in steps:
            clock.tick()
            for group in self.model.optimizer.param_groups:
                group["lr"] = self.work.rate(number)
            packs = self.work.step(number)
            labelled = sum(len(pack.targets) for pack in packs)
            loss = torch.zeros(())
            for pack in packs:
                share = self.model(pack)[LM].sum() / labelled
                self.model.backward(share * self.work.rounds)  # it divides by the rounds
                self.model.step()
                loss += share.detach()
            float(loss)
        clock.tick()
        return clock.laps()


class OfDict(nn.Module):
    """A model that takes a pack as a dictionary of its fields and gives its share of a step's loss, for a Trainer."""

    def __init__(self, model: Vita) -> None:
        super().__init__()
        self.model = model

    def forward(self, scale: float, **held: Any) -> dict[str, torch.Tensor]:
        """{loss}, to be averaged over the packs of a step."""
        loss: torch.Tensor = self.model(Batch(**held))[LM].sum()
        return {"loss": loss * scale}


class PacksOf(torch.utils.data.Dataset[dict[str, Any]]):
    """The packs of a whole training as dictionaries, by their place in it; read when they are asked for."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.rounds = task.order.rounds(1)

    def __len__(self) -> int:
        return self.task.order.steps * self.rounds

    def __getitem__(self, place: int) -> dict[str, Any]:
        step, number = divmod(place, self.rounds)
        pack = self.task.batch(self.task.stage, self.task.order.shares(step, 1)[0][number].pack)
        scale = 1 / max(1, len(pack.targets))
        return {**{item.name: getattr(pack, item.name) for item in fields(pack)}, "scale": scale}


class Packs(torch.utils.data.IterableDataset[dict[str, Any]]):
    """The packs of some steps as dictionaries."""

    def __init__(self, work: Work, steps: range) -> None:
        self.work = work
        self.steps = steps

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for number in self.steps:
            packs = self.work.step(number)
            scale = self.work.rounds / sum(len(pack.targets) for pack in packs)
            for pack in packs:
                yield {**{item.name: getattr(pack, item.name) for item in fields(pack)}, "scale": scale}


class OfTransformers:
    """transformers' Trainer; a new one for each run of steps, with the same model and optimizer."""

    def __init__(self, work: Work, run: Path) -> None:
        self.work = work
        self.run = run
        self.model = work.model()
        self.optimizer = work.optimizer(self.model)

    def laps(self, steps: range) -> list[Lap]:
        """Does these steps, as a process that no launcher has started."""
        launched = {name: os.environ.pop(name) for name in LAUNCHED if name in os.environ}
        try:
            return self._laps(steps)
        finally:
            os.environ.update(launched)

    def _laps(self, steps: range) -> list[Lap]:
        from transformers import Trainer, TrainerCallback, TrainingArguments

        clock = Clock()

        class Laps(TrainerCallback):
            def on_step_begin(self, *_: Any, **__: Any) -> None:
                clock.tick()

            def on_train_end(self, *_: Any, **__: Any) -> None:
                clock.tick()

        said = self.work.task.schedule
        arguments = TrainingArguments(
            output_dir=str(self.run),
            max_steps=len(steps),
            per_device_train_batch_size=1,
            gradient_accumulation_steps=self.work.rounds,
            max_grad_norm=said.clip or 0.0,
            logging_strategy="no",
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            use_cpu=True,
            remove_unused_columns=False,
            dataloader_pin_memory=False,
        )
        trainer = Trainer(
            OfDict(self.model),
            arguments,
            data_collator=lambda items: items[0],
            train_dataset=Packs(self.work, steps),
            optimizers=(self.optimizer, self.work.scheduler(self.optimizer, steps.start)),
            callbacks=[Laps()],
        )
        trainer.model_accepts_loss_kwargs = False  # the fields it takes are those of a pack
        trainer.train()
        return clock.laps()

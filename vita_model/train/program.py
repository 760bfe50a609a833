"""`vita-model train`: one stage, from its folder to a checkpoint and the held-out loss."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import distributed

from vita_data import files
from vita_data.errors import UsageError
from vita_model.batch.order import ranks
from vita_model.config import ModelConfig, preset
from vita_model.nets.vita import Vita, build
from vita_model.train import checkpoint, folder, heldout
from vita_model.train.engine import start_engine, start_processes
from vita_model.train.loop import Loop
from vita_model.train.say import Teller
from vita_model.train.task import Task, open_task, training_seed


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    stage: str
    data: str
    preset: str
    out: Path
    init: Path | None = None
    resume: bool = False
    max_steps: int | None = None
    zero: int | None = None
    seed: int | None = None
    save_every: int = 500
    precision: str | None = None


def train(options: Options) -> dict[str, Any]:
    """Trains a stage, or goes on with it; returns {run, stage, step, steps, loss, checkpoint, eval, stopped}."""
    config = preset(options.preset)
    task = open_task(
        files.join(options.data, "stages", options.stage), config, options.seed, options.precision
    )
    seed = training_seed(task.stage.plan, options.seed)
    start = _start(options, task)
    rank, world = start_processes()
    teller = Teller(rank == 0)
    if rank == 0:
        folder.begin(options.out, _asked(options, task, config, seed, world), options.resume)
    distributed.barrier()
    went_on = checkpoint.complete(options.out)[-1:] if options.resume else []
    cursor = checkpoint.facts(went_on[0])["step"] if went_on else 0
    model = _model(config, seed, went_on[0] if went_on else start, teller)
    model.set_trained(task.trains)
    zero = options.zero if options.zero is not None else int(task.schedule.precision == "bf16")
    engine = start_engine(model, task.schedule, zero, len(ranks(task.order.step(0), world)[0]))
    if went_on:
        checkpoint.load_optimizer(engine, went_on[0], cursor)
        teller.say(f"going on from {went_on[0]} at step {cursor} of {task.order.steps}")
    if rank == 0:
        folder.cut_metrics(options.out, cursor)
    distributed.barrier()
    said = _asked(options, task, config, seed, world)
    loop = Loop(engine, task, options.out, seed, said, teller)
    last = min(task.order.steps, options.max_steps if options.max_steps is not None else task.order.steps)
    done = loop.train(cursor, last, options.save_every)
    return _finish(loop, done, last)


def _start(options: Options, task: Task) -> Path | None:
    """The checkpoint whose weights the stage starts from; UsageError when it is not of a stage that it needs."""
    if options.init is None:
        if task.stages_before and not options.resume:
            raise UsageError(
                f"stage {task.name} starts from stage {' and '.join(task.stages_before)}; "
                "name the run that trained it with --init."
            )
        return None
    found = checkpoint.find(options.init)
    stage = checkpoint.facts(found)["stage"]
    if task.stages_before and stage not in task.stages_before:
        raise UsageError(
            f"{found} was trained in stage {stage} and stage {task.name} starts from "
            f"{' and '.join(task.stages_before)}; name a run of that stage with --init."
        )
    return found


def _model(config: ModelConfig, seed: int, start: Path | None, teller: Teller) -> Vita:
    model = build(config, seed)
    if start is None:
        teller.say(f"no --init: every weight is random, from seed {seed}; good for a trial, not for a model.")
        return model
    if ModelConfig.from_json(checkpoint.facts(start)["model"]) != config:
        raise UsageError(
            f"{start} holds another model than preset {config.preset}; give the preset it was made with."
        )
    checkpoint.load_weights(model, start)
    return model


def _asked(options: Options, task: Task, config: ModelConfig, seed: int, world: int) -> dict[str, Any]:
    return {
        "version": 1,
        "stage": task.name,
        "preset": config.preset,
        "seed": seed,
        "precision": task.schedule.precision,
        "zero": options.zero,
        "world_size": world,
        "init": None if options.init is None else str(options.init),
        "plan_digest": task.plan_digest,
        "geometry_digest": task.stage.plan["geometry_digest"],
        "template_digest": task.stage.plan["template_digest"],
        "trains": list(task.trains),
        "model": config.to_json(),
    }


def _finish(loop: Loop, done: int, last: int) -> dict[str, Any]:
    """Scores the held-out part when the run came to its end, and sums up."""
    held_out = loop.task.stage.held_out
    scores = None
    if done == last and held_out is not None:
        scores = {"stage": loop.task.name, "step": done, **heldout.score(loop.engine, loop.task, held_out)}
        if loop.rank == 0:
            files.write_json(str(loop.run / folder.EVAL), scores)
    distributed.barrier()
    lines = folder.read_metrics(loop.run)
    return {
        "run": str(loop.run),
        "stage": loop.task.name,
        "step": done,
        "steps": loop.task.order.steps,
        "loss": lines[-1]["loss"] if lines else None,
        "tokens_per_second": lines[-1]["tokens_per_second"] if lines else None,
        "checkpoint": str(checkpoint.find(loop.run)),
        "eval": scores,
        "stopped": done < last,
    }

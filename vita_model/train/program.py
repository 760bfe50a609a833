"""`vita-model train`: one stage, from its folder to a checkpoint and the held-out loss."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import distributed

from vita_data import files
from vita_data.errors import UsageError
from vita_model.batch.order import ranks
from vita_model.config.model import ModelConfig
from vita_model.config.presets import preset
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
    save_memory: bool = False


def train(options: Options) -> dict[str, Any]:
    """Trains a stage or goes on with it; {run, stage, step, steps, loss, checkpoint, eval, stopped, ...}."""
    config = preset(options.preset)
    place = files.join(options.data, "stages", options.stage)
    task = open_task(place, config, options.seed, options.precision)
    went_on = checkpoint.last(options.out) if options.resume else None
    start = went_on or _start(options, task)
    rank, world = start_processes()
    teller = Teller(rank == 0)
    if options.resume and went_on is None:
        teller.say(f"{options.out} has no complete checkpoint; starting at the first step")
    asked = _asked(options, task, config, world)
    cursor = 0 if went_on is None else int(checkpoint.facts(went_on)["step"])
    if rank == 0:
        folder.begin(options.out, asked, options.resume)
        folder.cut_metrics(options.out, cursor)
    distributed.barrier()
    model = _model(config, asked["seed"], start, teller)
    model.set_trained(task.trains, tuple(task.objective))
    model.save_memory(options.save_memory)
    rounds = len(ranks(task.order.step(0), world)[0])
    engine = start_engine(model, task.schedule, asked["zero"], rounds)
    if went_on is not None:
        checkpoint.load_optimizer(engine, went_on, cursor)
        teller.say(f"going on from {went_on} at step {cursor} of {task.order.steps}")
    loop = Loop(engine, task, options.out, asked, teller)
    last = min(task.order.steps, options.max_steps or task.order.steps)
    return _finish(loop, loop.train(cursor, last, options.save_every), last)


def _start(options: Options, task: Task) -> Path | None:
    """The checkpoint that the stage starts from; UsageError when it is not of a stage that it needs."""
    before = " or ".join(task.stages_before)
    if options.init is None:
        if before:
            raise UsageError(
                f"stage {task.name} starts from stage {before}; name the run that trained it with --init."
            )
        return None
    found = checkpoint.find(options.init)
    stage = checkpoint.facts(found)["stage"]
    if before and stage not in task.stages_before:
        raise UsageError(
            f"{found} was trained in stage {stage} and stage {task.name} starts from stage {before}; "
            "name a run of that stage with --init."
        )
    return found


def _model(config: ModelConfig, seed: int, start: Path | None, teller: Teller) -> Vita:
    model = build(config, seed)
    if start is None:
        teller.say(f"no --init: every weight is random, from seed {seed}; good for a trial, not for a model.")
        return model
    said = checkpoint.facts(start)
    if ModelConfig.from_json(said["model"]) != config:
        raise UsageError(
            f"{start} holds another model than preset {config.preset}; give the preset it was made with."
        )
    checkpoint.load_weights(model, start)
    teller.say(
        f"weights of {start}, {'the end' if said['final'] else 'in the midst'} of stage {said['stage']}"
    )
    return model


def _asked(options: Options, task: Task, config: ModelConfig, world: int) -> dict[str, Any]:
    bf16 = task.schedule.precision == "bf16"
    return {
        "version": 1,
        "stage": task.name,
        "preset": config.preset,
        "seed": training_seed(task.stage.plan, options.seed),
        "precision": task.schedule.precision,
        "zero": int(bf16) if options.zero is None else options.zero,
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

"""`vita-model train`: one stage, from its folder to a checkpoint and the held-out loss."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import distributed

from vita_data.errors import UsageError
from vita_data.manifest.stage import split_stage
from vita_model.batch.clauses import Clauses
from vita_model.batch.readers import Transcripts
from vita_model.config.model import ModelConfig
from vita_model.cost.effort import effort
from vita_model.train import checkpoint, folder, history, starts
from vita_model.train.boards import check_wandb
from vita_model.train.codec.program import train_codec
from vita_model.train.engine import start_processes
from vita_model.train.finish import finish
from vita_model.train.loop import Loop
from vita_model.train.opening import opened
from vita_model.train.options import Options
from vita_model.train.pace import agreed, pace_of
from vita_model.train.ready import check, engine_of
from vita_model.train.say import Teller
from vita_model.train.shared import require_shared
from vita_model.train.spikes import Skipper, Spikes
from vita_model.train.task import Task, halves, loss_of, stage_folder, training_seed
from vita_model.train.validation import Validation, scorer
from vita_model.train.watch import watch


def train(options: Options) -> dict[str, Any]:
    """Trains a stage or goes on with it; {run, stage, step, steps, loss, checkpoint, eval, stopped, ...}.

    A stage in halves trains one after the other, each in a run of its own inside --out, the second from the first.
    A whole released model begins the first, too, since it holds what that trains.
    """
    name, half = split_stage(options.stage)
    place = stage_folder(options.data, options.stage)
    rest = () if half else halves(place)
    if not rest:
        return _train_one(options, place, half)
    given = [starts.find(place_of) for place_of in options.init]  # before the first half has trained for days
    whole = tuple(place_of for place_of, start in zip(options.init, given, strict=True) if start.is_release)
    done: dict[str, Any] = {}
    finished: tuple[Path, ...] = ()
    for each in rest:
        run = options.out / each
        begun = options.resume and (run / folder.RUN).exists()
        init = (*(options.init if finished else whole), *finished)
        done = _train_one(replace(options, stage=name + each, out=run, init=init, resume=begun), place, each)
        if done["stopped"]:
            break
        finished = (*finished, run)
    return done


def _train_one(options: Options, place: str, half: str | None) -> dict[str, Any]:
    if loss_of(place, half) == "codec":
        return train_codec(options)
    opening = opened(options, place, half)
    task, found, went_on = opening.task, opening.found, opening.went_on
    rank, world = start_processes()
    teller = Teller(rank == 0)
    if options.resume and went_on is None:
        teller.say(f"{options.out} has no complete checkpoint; starting at the first step")
    asked = asked_of(options, task, opening.config, world) | {"trained": starts.lineage(found, task)}
    asked |= starts.carried(found) | _characters(task)
    asked |= history.data_of(task.stage) | {"stages": history.before(found, task.name)}
    check(task, options, asked["zero"])
    check_wandb(options.wandb)
    cursor = 0 if went_on is None else int(checkpoint.facts(went_on)["step"])
    last = min(task.order.steps, options.max_steps or task.order.steps)
    if last < cursor:
        raise UsageError(
            f"{options.out} is at step {cursor}, past --max-steps {last}; give that many or more."
        )
    with folder.held(options.out, rank == 0):
        if rank == 0:
            folder.begin(options.out, asked, options.resume, cursor)
            folder.cut_metrics(options.out, cursor)
        distributed.barrier()
        require_shared(options.out, cursor)
        _leave_out(task, options.out)
        engine, exact = engine_of(opening, options, asked, teller)
        updates = 0
        if went_on is not None:
            updates = int(checkpoint.facts(went_on).get("updates", cursor))
            checkpoint.load_optimizer(engine, went_on, updates)
            teller.say(f"going on from {went_on} at step {cursor} of {task.order.steps}")
        spikes = Spikes(options.spike_window, folder.read_metrics(options.out))
        skipper = Skipper(engine, spikes, options.skip_spikes, cursor - updates)
        validation = Validation(options.out, options.validate_every, scorer(engine, task), teller)
        pace = pace_of(engine.device, task.schedule.precision, options.peak)
        watching = watch(options.out, cursor, asked, teller, pace, validation, options.wandb)
        count = partial(effort, opening.config, task.trains, tuple(task.objective), options.lora)
        loop = Loop(engine, task, options.out, asked, teller, skipper, exact, agreed(count))
        done = loop.train(watching, cursor, last, options.save_every)
        return finish(loop, done, last, options.eval_samples)


def _leave_out(task: Task, run: Path) -> None:
    """Puts aside what the run went without before, and what cannot be said, before the first step."""
    task.reader.left_out.learn(folder.read_left_out(run))
    if isinstance(task.reader, Clauses):
        for stage in filter(None, (task.stage, task.stage.held_out)):
            task.reader.leave_out(stage)


def _characters(task: Task) -> dict[str, Any]:
    """What the speech encoder learns to write, where it does: no checkpoint could be read without it."""
    reader = task.reader
    return {"characters": reader.characters.symbols} if isinstance(reader, Transcripts) else {}


def asked_of(options: Options, task: Task, config: ModelConfig, world: int) -> dict[str, Any]:
    """What a run is started with, as its checkpoints say it."""
    bf16 = task.schedule.precision == "bf16"
    return {
        "version": 3,
        "stage": task.name,
        "preset": config.preset,
        "seed": training_seed(task.stage.plan, options.seed),
        "precision": task.schedule.precision,
        "zero": int(bf16) if options.zero is None else options.zero,
        "world_size": world,
        "data": options.data,
        "init": [str(init) for init in options.init],
        "plan_digest": task.plan_digest,
        "geometry_digest": task.stage.plan["geometry_digest"],
        "template_digest": task.stage.plan["template_digest"],
        "trains": list(task.trains),
        "lora": options.lora.to_json() if options.lora else None,
        "model": config.to_json(),
    }

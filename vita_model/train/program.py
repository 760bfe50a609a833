"""`vita-model train`: one stage, from its folder to a checkpoint and the held-out loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import distributed

from vita_data import files
from vita_data.errors import UsageError
from vita_data.manifest.stage import split_stage
from vita_model.batch.clauses import Clauses
from vita_model.batch.order import ranks
from vita_model.config.model import ModelConfig
from vita_model.config.presets import preset
from vita_model.nets.batch import CTC
from vita_model.nets.vita import Vita, build
from vita_model.train import checkpoint, folder, heldout, starts
from vita_model.train.codec.program import train_codec
from vita_model.train.engine import start_engine, start_processes
from vita_model.train.loop import Loop
from vita_model.train.norms import measure_norms
from vita_model.train.options import Options
from vita_model.train.say import Teller
from vita_model.train.shared import require_shared
from vita_model.train.starts import Start
from vita_model.train.task import Task, halves, loss_of, open_task, stage_folder, training_seed
from vita_model.train.untouched import Untouched


def train(options: Options) -> dict[str, Any]:
    """Trains a stage or goes on with it; {run, stage, step, steps, loss, checkpoint, eval, stopped, ...}.

    A stage in halves trains one after the other, each in a run of its own inside --out, the second from the first.
    """
    name, half = split_stage(options.stage)
    place = stage_folder(options.data, options.stage)
    rest = () if half else halves(place)
    if not rest:
        return _train_one(options, place, half)
    for place_of in options.init:
        starts.find(place_of)  # before the first half has trained for days
    done: dict[str, Any] = {}
    finished: tuple[Path, ...] = ()
    for each in rest:
        run = options.out / each
        begun = options.resume and (run / folder.RUN).exists()
        init = (*(options.init if finished else ()), *finished)
        done = _train_one(replace(options, stage=name + each, out=run, init=init, resume=begun), place, each)
        if done["stopped"]:
            break
        finished = (*finished, run)
    return done


def _train_one(options: Options, place: str, half: str | None) -> dict[str, Any]:
    if loss_of(place, half) == "codec":
        return train_codec(options)
    went_on = checkpoint.last(options.out) if options.resume else None
    found = [starts.find(init) for init in ([went_on] if went_on else options.init)]
    model_config = preset(options.preset)
    codec = partial(starts.codec_of, found, model_config)
    task = open_task(place, model_config, options.seed, options.precision, half, codec)
    if went_on is None:
        starts.check(found, task)
    config = starts.config_of(found, task.config)
    rank, world = start_processes()
    teller = Teller(rank == 0)
    if options.resume and went_on is None:
        teller.say(f"{options.out} has no complete checkpoint; starting at the first step")
    asked = _asked(options, task, config, world) | {"trained": starts.lineage(found, task)}
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
        _leave_out(task, teller, options.out if rank == 0 else None)
        model = _model(config, asked["seed"], found, teller)
        if CTC in task.objective and (clips := measure_norms(model, task)):
            teller.say(f"the spread of features was measured on {clips:,} clips")
        exact = Untouched(model, found, task.trains) if task.schedule.precision != "fp32" else None
        model.set_trained(task.trains, tuple(task.objective))
        model.save_memory(options.save_memory)
        rounds = len(ranks(task.order.step(0), world)[0])
        engine = start_engine(model, task.schedule, asked["zero"], rounds)
        if went_on is not None:
            checkpoint.load_optimizer(engine, went_on, cursor)
            teller.say(f"going on from {went_on} at step {cursor} of {task.order.steps}")
        loop = Loop(engine, task, options.out, asked, teller, exact)
        return _finish(loop, loop.train(cursor, last, options.save_every), last)


def _model(config: ModelConfig, seed: int, found: Sequence[Start], teller: Teller) -> Vita:
    model = build(config, seed)
    for line in starts.load(model, found):
        teller.say(f"weights: {line}")
    if not found:
        teller.say(f"no --init: every weight is random, from seed {seed}; good for a trial, not for a model.")
    return model


def _leave_out(task: Task, teller: Teller, run: Path | None) -> None:
    """Puts what cannot be said aside, each by name and reason, before the first step."""
    if not isinstance(task.reader, Clauses):
        return
    for stage in (task.stage, task.stage.held_out):
        if stage is not None:
            task.reader.leave_out(stage)
    rows = [
        {
            "key": key,
            "rule": error.rule,
            "value": error.value,
            "threshold": error.threshold,
            "message": str(error),
        }
        for key, error in sorted(task.reader.left_out.items())
    ]
    if rows:
        teller.say(f"{len(rows):,} utterances are left out, since they cannot be said; see {folder.LEFT_OUT}")
    if run is not None:
        files.write_json(str(run / folder.LEFT_OUT), rows)


def _asked(options: Options, task: Task, config: ModelConfig, world: int) -> dict[str, Any]:
    bf16 = task.schedule.precision == "bf16"
    return {
        "version": 2,
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

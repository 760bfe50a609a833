"""Stage 3.1 from its folder to a checkpoint of the whole model, and the held-out clips as its codec makes them."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

from torch import distributed

from vita_data.errors import UsageError
from vita_model.batch.loader import prefetch
from vita_model.batch.segments import Segments
from vita_model.config.model import ModelConfig
from vita_model.config.presets import preset
from vita_model.cost.effort import segment_effort
from vita_model.eval.answers import Line
from vita_model.eval.score import score
from vita_model.nets.vita import Vita, build
from vita_model.train import checkpoint, folder, history, starts
from vita_model.train.aside import Aside
from vita_model.train.boards import check_wandb
from vita_model.train.codec import heldout
from vita_model.train.codec.engines import Engines, build_discriminators, load_discriminators, start_engines
from vita_model.train.codec.gan import Gan
from vita_model.train.codec.task import CodecTask, open_codec_task
from vita_model.train.consumed import Consumed
from vita_model.train.drive import Drive
from vita_model.train.engine import start_processes
from vita_model.train.exam import metrics
from vita_model.train.finish import leave
from vita_model.train.options import Options
from vita_model.train.pace import agreed, pace_of
from vita_model.train.say import Teller
from vita_model.train.shared import require_shared
from vita_model.train.spikes import Spikes
from vita_model.train.starts import Start
from vita_model.train.validation import Validation
from vita_model.train.watch import watch

AHEAD = 3
THREADS = 2


def train_codec(options: Options) -> dict[str, Any]:
    """Trains the codec or goes on with it; {run, stage, step, steps, loss, checkpoint, eval, stopped, ...}.

    `save_memory` has nothing to save here.
    """
    task = open_codec_task(options, preset(options.preset))
    went_on = checkpoint.last(options.out) if options.resume else None
    found = [starts.find(place) for place in ((went_on,) if went_on else options.init)]
    if went_on is None:
        starts.check(found, task)
    config = starts.config_of(found, task.config)
    rank, world = start_processes()
    task.check_ranks(world)
    check_wandb(options.wandb)
    teller = Teller(rank == 0)
    if options.resume and went_on is None:
        teller.say(f"{options.out} has no complete checkpoint; starting at the first step")
    asked = _asked(options, task, config, world) | {"trained": starts.lineage(found, task)}
    asked |= starts.carried(found)
    asked |= history.data_of(task.stage) | {"stages": history.before(found, task.name)}
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
        engines = _engines(task, config, found, asked, teller, went_on)
        if went_on is not None:
            engines.load_optimizers(went_on, cursor, _judged(task, cursor))
            teller.say(f"going on from {went_on} at step {cursor} of {task.order.steps}")
        done = _drive(options, task, engines, range(cursor, last), asked, teller)
        return _finish(options, task, engines, done, last, teller)


def _engines(
    task: CodecTask,
    config: ModelConfig,
    found: list[Start],
    asked: dict[str, Any],
    teller: Teller,
    went_on: Path | None,
) -> Engines:
    model = _model(config, asked["seed"], found, teller)
    discriminators = build_discriminators(config.codec, asked["seed"])
    if went_on is not None:
        load_discriminators(discriminators, went_on)  # before the engines copy their master weights
    return start_engines(model, discriminators, task.schedule, asked["zero"])


def _model(config: ModelConfig, seed: int, found: list[Start], teller: Teller) -> Vita:
    model = build(config, seed)
    for line in starts.load(model, found):
        teller.say(f"weights: {line}")
    model.set_trained(("codec",))
    return model


def _judged(task: CodecTask, steps: int) -> int:
    """In how many of the first steps the discriminators learned."""
    return max(0, steps - task.joining)


def _drive(
    options: Options, task: CodecTask, engines: Engines, steps: range, said: dict[str, Any], teller: Teller
) -> int:
    def save(done: int) -> Path:
        final = {**said, "final": done == task.order.steps}
        if distributed.get_rank() == 0:
            final["consumed"] = consumed.after(done)
        return engines.save(options.out, done, _judged(task, done), final)

    task.cut.left_out.learn(folder.read_left_out(options.out))
    pace = pace_of(engines.maker.device, task.schedule.precision, options.peak)
    consumed = Consumed(task.stage, task.order, task.cut.left_out)
    batches = pace.waited_for(_batches(task, steps))
    try:
        spikes = Spikes(options.spike_window, folder.read_metrics(options.out))
        aside = Aside(options.out, task.cut.left_out, teller, engines.maker.device)
        gan = Gan(engines, task, batches, spikes, aside, agreed(partial(segment_effort, task.config)))
        validation = _validation(options, task, engines, teller)
        watching = watch(options.out, steps.start, said, teller, pace, validation, options.wandb)
        return Drive(watching, gan.device).through(steps, gan.step, save, options.save_every)
    finally:
        batches.close()


def _validation(options: Options, task: CodecTask, engines: Engines, teller: Teller) -> Validation:
    def held_out() -> dict[str, Any]:
        part = task.stage.held_out
        if part is None:
            return {"loss": None, "sources": {}}
        return heldout.score(engines, task, part, options.out)

    return Validation(options.out, options.validate_every, held_out, teller)


def _batches(task: CodecTask, steps: range) -> Generator[Segments]:
    """This rank's share of each step; slot i of a global batch is rank i mod world size's."""
    rank, world = distributed.get_rank(), distributed.get_world_size()

    def read(step: int) -> Segments:
        mine = task.order.shares(step, world)[rank]
        drawn = [(slot.number, slot.pack.samples[0]) for slot in mine if slot.pack is not None]
        return task.cut.batch(task.stage, step, drawn)

    yield from prefetch(read, steps, AHEAD, THREADS)


def _asked(options: Options, task: CodecTask, config: ModelConfig, world: int) -> dict[str, Any]:
    return {
        "version": 3,
        "stage": task.name,
        "preset": config.preset,
        "seed": task.cut.seed,
        "precision": task.schedule.precision,
        "zero": options.zero or 0,
        "world_size": world,
        "data": options.data,
        "init": [str(init) for init in options.init],
        "plan_digest": task.plan_digest,
        "geometry_digest": task.stage.plan["geometry_digest"],
        "template_digest": task.stage.plan["template_digest"],
        "trains": list(task.trains),
        "model": config.to_json(),
    }


def _finish(
    options: Options, task: CodecTask, engines: Engines, done: int, last: int, teller: Teller
) -> dict[str, Any]:
    """Scores the held-out part when the run came to its end, and sums up."""
    run, held_out = options.out, task.stage.held_out
    scores = None
    if done == last and held_out is not None:
        scores = {"stage": task.name, "step": done, **heldout.score(engines, task, held_out, run)}
        lines: list[Line] = []
        if options.eval_samples:
            ask = partial(score, engines.model, None, held_out)
            scores["metrics"], lines = metrics(ask, held_out, options.eval_samples)
        if distributed.get_rank() == 0:
            leave(run, scores, lines, teller)
    distributed.barrier()
    return folder.summed_up(run, task.name, done, last, task.order.steps, scores)

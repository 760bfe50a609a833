"""`vita-model train --dry-run`: the largest step of a training that is not begun, and what the training would be."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import distributed, nn

from vita_data.errors import UsageError, VitaError
from vita_data.manifest.stage import split_stage
from vita_model.batch.left_out import LeftOut
from vita_model.batch.segments import Segments
from vita_model.batch.work import Work
from vita_model.config.presets import preset
from vita_model.cost.memory import state_bytes
from vita_model.nets.vita import Vita
from vita_model.rehearsal.mock import mock
from vita_model.train import starts
from vita_model.train.aside import Aside
from vita_model.train.codec.engines import build_discriminators, start_engines
from vita_model.train.codec.gan import Gan
from vita_model.train.codec.task import CodecTask, open_codec_task
from vita_model.train.engine import start_processes, total
from vita_model.train.loop import Loop
from vita_model.train.opening import opened
from vita_model.train.options import Options
from vita_model.train.program import asked_of
from vita_model.train.ready import check, engine_of, model_of
from vita_model.train.say import Teller
from vita_model.train.spikes import Skipper, Spikes
from vita_model.train.task import Task, halves, loss_of, stage_folder

KILO = 1024  # bytes in the unit of ru_maxrss on Linux


def rehearse(options: Options) -> dict[str, Any]:
    """One step of packs of nothing, as large as the largest of the plan, without a run; all ranks call it.

    {stage, steps, packs, tokens, ..., parameters, mock: {tokens, seconds}, memory, plan}. UsageError for a stage that
    trains in halves, and whatever a training would raise; VitaError where a GPU has too little memory.
    """
    place = stage_folder(options.data, options.stage)
    half = split_stage(options.stage)[1]
    if not half and (each := halves(place)):
        names = " or ".join(options.stage + name for name in each)
        raise UsageError(f"stage {options.stage} trains in halves; rehearse {names}.")
    rank, world = start_processes()
    teller = Teller(rank == 0)
    begin = _codec if loss_of(place, half) == "codec" else _language
    try:
        task, parts, step = begin(options, place, half, world, teller)
        took = time.monotonic()
        values = step()
    except torch.OutOfMemoryError as error:
        raise VitaError(
            f"stage {options.stage} does not fit into a GPU ({str(error).partition('.')[0]}); take a higher --zero, "
            "--offload or --save-memory."
        ) from error
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    peaks = [0.0] * world
    peaks[rank] = _peak()
    return {
        **_plan(task, world),
        **_parameters(parts, world),
        "mock": {"tokens": values["tokens"], "seconds": time.monotonic() - took, "loss": values["loss"]},
        "memory": {"device": device.type, "peak": max(total(peaks, device))},
    }


Begun = tuple[Task | CodecTask, dict[str, nn.Module], Callable[[], dict[str, Any]]]


def _language(options: Options, place: str, half: str | None, world: int, teller: Teller) -> Begun:
    """A training by packs, ready for the mock step."""
    opening = opened(options, place, half)
    task = opening.task
    asked = asked_of(options, task, opening.config, world)
    check(task, options, asked["zero"])
    engine, _ = engine_of(opening, options, asked, teller, measures=False)
    loop = Loop(engine, task, options.out, asked, teller, Skipper(engine, Spikes()))
    rank, rounds = distributed.get_rank(), task.order.rounds(world)
    packs = sorted(task.stage.packs(), key=Work(task.stage), reverse=True)[rank::world][:rounds]
    batches = [mock(task, pack) for pack in packs] + [mock(task, None)] * (rounds - len(packs))
    engine.train()
    return task, _parts(engine.module), lambda: loop.step(0, batches)


def _codec(options: Options, place: str, half: str | None, world: int, teller: Teller) -> Begun:
    """The codec and its discriminators, ready for a mock step in which both learn."""
    task = open_codec_task(options, preset(options.preset))
    found = [starts.find(init) for init in options.init]
    starts.check(found, task)
    task.check_ranks(world)
    config = starts.config_of(found, task.config)
    model = model_of(config, task.cut.seed, found, teller)
    model.set_trained(task.trains)
    judges = build_discriminators(config.codec, task.cut.seed)
    engines = start_engines(model, judges, task.schedule, options.zero or 0)
    keys = task.stage.shard(0).keys[:1] * len(task.order.shares(0, world)[distributed.get_rank()])
    noise = torch.randn(2, len(keys), 1, task.cut.samples).clamp(-1, 1) / 4
    batch = Segments(noise[0], noise[1], tuple(keys))
    aside = Aside(options.out, LeftOut(), teller, engines.maker.device)
    gan = Gan(engines, task, iter([batch]), Spikes(), aside)
    return task, {**_parts(model), "discriminators": judges}, lambda: gan.step(task.joining)


def _plan(task: Task | CodecTask, world: int) -> dict[str, Any]:
    """The training by its plan."""
    packs = task.stage.packs()
    return {
        "stage": task.name,
        "plan_digest": task.plan_digest,
        "steps": task.order.steps,
        "epochs": task.schedule.epochs,
        "packs": len(packs),
        "samples": sum(len(pack.samples) for pack in packs),
        "tokens": sum(pack.tokens for pack in packs),
        "global_batch": task.schedule.global_batch,
        "world_size": world,
        "rounds": task.order.rounds(world),
        "precision": task.schedule.precision,
        "trains": list(task.trains),
        "starts_from": list(task.stages_before),
        "held_out": task.stage.held_out is not None,
    }


def _parts(model: Vita) -> dict[str, nn.Module]:
    return {name: model.part(name) for name in model.parts}


def _parameters(parts: dict[str, nn.Module], world: int) -> dict[str, Any]:
    """{parameters: by part what there is and what learns, estimate: bytes of each rank by ZeRO stage}."""
    found = {name: _counted(part) for name, part in parts.items()}
    learned = sum(part["learned"] for part in found.values())
    sizes = {"learned": learned, "frozen": sum(part["all"] for part in found.values()) - learned}
    return {
        "parameters": found,
        "learned": learned,
        "estimate": {str(zero): state_bytes(sizes, ("learned",), zero, world) for zero in range(4)},
    }


def _counted(part: nn.Module) -> dict[str, int]:
    """Sizes from what ZeRO 3 notes of a parameter, which it leaves empty."""
    sizes = [
        (getattr(weight, "ds_numel", weight.numel()), weight.requires_grad) for weight in part.parameters()
    ]
    return {
        "all": sum(size for size, _ in sizes),
        "learned": sum(size for size, learns in sizes if learns),
    }


def _peak() -> float:
    """The most bytes that this process has held: of its GPU, else of the machine."""
    if torch.cuda.is_available():
        return float(torch.cuda.max_memory_allocated())
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KILO)

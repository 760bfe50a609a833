"""A model with its weights in place, in the engine that trains it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vita_data.errors import UsageError
from vita_data.records.key import keyed_hash
from vita_model.config.model import ModelConfig
from vita_model.nets.batch import CTC
from vita_model.nets.lora import add_lora
from vita_model.nets.vita import Vita, build
from vita_model.train import checkpoint, starts, state
from vita_model.train.engine import check_engine, start_engine
from vita_model.train.given import Given
from vita_model.train.norms import measure_norms
from vita_model.train.opening import Opening
from vita_model.train.options import Options
from vita_model.train.say import Teller
from vita_model.train.starts import LANGUAGE, Start
from vita_model.train.task import Task
from vita_model.train.untouched import Untouched


def check(task: Task, options: Options, zero: int) -> None:
    """UsageError for settings that the stage or the engine cannot follow."""
    check_engine(task.schedule.precision, zero, options.offload)
    if options.lora is not None and LANGUAGE not in task.trains:
        raise UsageError(
            f"stage {task.name} trains {', '.join(task.trains)} and not the {LANGUAGE}; leave --lora out."
        )


def model_of(
    config: ModelConfig, seed: int, found: Sequence[Start], teller: Teller, apart: bool = False
) -> Vita:
    """The model with the weights of all it starts from, what LoRA added in them unless it is to stay `apart`."""
    model = build(config, seed)
    for line in starts.load(model, found, apart):
        teller.say(f"weights: {line}")
    if not found:
        teller.say(f"no --init: every weight is random, from seed {seed}; good for a trial, not for a model.")
    return model


def set_learning(model: Vita, task: Task, options: Options, seed: int) -> None:
    """Lets the stage's parts learn, the language model by additions alone where LoRA is asked for."""
    model.set_trained(task.trains, tuple(task.objective))
    if options.lora is not None:
        add_lora(model.language_model, options.lora, keyed_hash(seed, "lora") >> 1)
    model.save_memory(options.save_memory)


def engine_of(
    opening: Opening, options: Options, asked: dict[str, Any], teller: Teller, measures: bool = True
) -> tuple[Any, Untouched | None]:
    """The engine, its optimizer still at the beginning, and the exact weights of what it leaves alone.

    An encoder that has heard nothing yet `measures` the clips that its features are normed by.
    """
    task, found, went_on = opening.task, opening.found, opening.went_on
    apart = went_on is not None
    model = model_of(opening.config, asked["seed"], found, teller, apart)
    if measures and CTC in task.objective and (clips := measure_norms(model, task)):
        teller.say(f"the spread of features was measured on {clips:,} clips")
    set_learning(model, task, options, asked["seed"])
    if went_on is not None:
        checkpoint.load_factors(model, went_on)
    given = Given(model, starts.places(found, model), apart)
    exact = Untouched(model, given) if task.schedule.precision != "fp32" else None
    rounds = task.order.rounds(asked["world_size"])
    engine = start_engine(model, task.schedule, asked["zero"], rounds, options.offload)
    state.set_masters(engine, given)
    return engine, exact

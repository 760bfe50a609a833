"""What a stage asks of the trainer, checked against the model before anything is loaded."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from vita_data.errors import ShardError, UsageError
from vita_data.manifest.schedule import Schedule
from vita_data.prompt.template import template_digest
from vita_data.prompt.tokenizer import load_tokenizer
from vita_data.records.key import digest_of
from vita_data.shards.read import Pack, Stage
from vita_model.batch.collate import collate, empty
from vita_model.batch.encode import Encoder
from vita_model.batch.order import Order
from vita_model.config.model import PARTS, ModelConfig
from vita_model.nets.batch import STATE, Batch
from vita_model.train import schedule as schedules
from vita_model.train.objective import objective

WEIGHTS = "weights:"


@dataclass(frozen=True)
class Task:
    """A finished stage with everything that follows from its plan."""

    name: str
    stage: Stage
    schedule: Schedule
    trains: tuple[str, ...]
    needs: tuple[str, ...]
    objective: dict[str, float]
    encoder: Encoder
    order: Order
    plan_digest: str

    def batch(self, stage: Stage, pack: Pack | None) -> Batch:
        """A pack of this stage, or of its held-out part, read and encoded; None gives an empty one."""
        if pack is None:
            return empty(self.encoder.geometry.tile_pixels)
        encoded = [self.encoder.encode(stage.sample(place.shard, place.row)) for place in pack.samples]
        return collate(encoded, STATE in self.objective)

    @property
    def main(self) -> str:
        """The term that the held-out part is scored by."""
        return next(iter(self.objective))

    @property
    def stages_before(self) -> tuple[str, ...]:
        """The stages whose checkpoint this one starts from; none where it starts from released weights."""
        return tuple(name for name in self.needs if not name.startswith(WEIGHTS))


def open_task(folder: str, config: ModelConfig, seed: int | None, precision: str | None) -> Task:
    """The task of a stage folder for a model; ShardError or UsageError where the two do not fit.

    The seed orders the packs; the plan's own where none is given.
    """
    stage = Stage(folder)
    plan = stage.plan
    _check_model(plan, folder, config)
    state_tokens = bool(plan.get("state_tokens", False))
    if template_digest(state_tokens) != plan["template_digest"]:
        raise ShardError(
            f"{folder} was packed for another chat template; build the stage again with this version."
        )
    schedule = schedules.from_plan(plan["schedule"], precision)
    order = Order(stage.packs(), training_seed(plan, seed), schedule.global_batch, schedule.epochs)
    tokenizer = load_tokenizer(config.geometry.tokenizer)
    if tokenizer.rows > config.language.vocabulary:
        raise UsageError(
            f"tokenizer {tokenizer.name} needs {tokenizer.rows} rows and preset {config.preset} has "
            f"{config.language.vocabulary}; choose a preset made for it."
        )
    return Task(
        name=plan["stage"],
        stage=stage,
        schedule=schedule,
        trains=tuple(plan["trains"]),
        needs=tuple(plan["needs"]),
        objective=objective(plan["loss"]),
        encoder=Encoder(tokenizer, config.geometry, state_tokens),
        order=order,
        plan_digest=digest_of("plan", plan, stage.facts["packs"]),
    )


def training_seed(plan: dict[str, Any], seed: int | None) -> int:
    """The seed that was given, else the one the stage was built with."""
    return int(plan["seed"]) if seed is None else seed


def _check_model(plan: dict[str, Any], folder: str, config: ModelConfig) -> None:
    if plan["geometry_digest"] != config.geometry.digest():
        raise ShardError(_other_geometry(plan["geometry"], folder, config))
    if "halves" in plan:
        names = " and ".join(plan["stage"] + half for half in plan["halves"])
        raise UsageError(
            f"stage {plan['stage']} trains in halves, {names}, which this model does not have yet."
        )
    unknown = set(plan["trains"]) - set(PARTS)
    if unknown:
        raise UsageError(f"stage {plan['stage']} trains {', '.join(sorted(unknown))}, which no model has.")


def _other_geometry(said: dict[str, Any], folder: str, config: ModelConfig) -> str:
    mine = asdict(config.geometry)
    odd = {name for name in mine.keys() | said.keys() if said.get(name) != mine.get(name)}
    detail = ", ".join(f"{name} {said.get(name)} (model {mine.get(name)})" for name in sorted(odd))
    return (
        f"{folder} was built for another geometry than preset {config.preset}: {detail}; "
        "build the stage with a mixture of the preset's geometry, or choose the preset of its geometry."
    )

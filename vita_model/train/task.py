"""What a stage asks of the trainer, checked against the model before anything is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from vita_data import files
from vita_data.errors import ShardError, UsageError
from vita_data.manifest.schedule import Schedule
from vita_data.manifest.stage import split_stage
from vita_data.prompt.characters import Characters
from vita_data.prompt.template import noise_ends_in, template_digest
from vita_data.prompt.tokenizer import Tokenizer, load_tokenizer
from vita_data.records.key import digest_of
from vita_data.shards.read import Pack, Stage
from vita_data.shards.seal import CHARACTERS
from vita_model.batch.clauses import Clauses
from vita_model.batch.codes import codes_for
from vita_model.batch.decode import Decode, decode
from vita_model.batch.encode import Encoder
from vita_model.batch.order import Order, order_of
from vita_model.batch.readers import Conversations, Reader, Transcripts
from vita_model.config.model import PARTS, ModelConfig
from vita_model.nets.batch import CODES, CTC, STATE, Batch
from vita_model.train import schedule as schedules
from vita_model.train.objective import objective

WEIGHTS = "weights:"
ENCODER, HEAD, PROMPTS = "speech_encoder", "ctc_head", "prompt_embeddings"


@dataclass(frozen=True)
class Task:
    """A finished stage, or one half of it, with everything that follows from its plan.

    `config` is the model's, with as many characters as the stage's transcripts have where it learns them.
    """

    name: str
    stage: Stage
    schedule: Schedule
    trains: tuple[str, ...]
    needs: tuple[str, ...]
    objective: dict[str, float]
    reader: Reader
    order: Order
    plan_digest: str
    config: ModelConfig

    def batch(self, stage: Stage, pack: Pack | None) -> Batch:
        """A pack of this stage, or of its held-out part, read and encoded; None gives an empty one."""
        return self.reader.batch(stage, pack)

    @property
    def main(self) -> str:
        """The term that the held-out part is scored by."""
        return next(iter(self.objective))

    @property
    def stages_before(self) -> tuple[str, ...]:
        """The stages whose checkpoints this one starts from; none where it starts from released weights."""
        return tuple(name for name in self.needs if not name.startswith(WEIGHTS))


def stage_folder(data: str, name: str) -> str:
    """Where a build keeps the stage of that name, which can be one half of it."""
    return files.join(data, "stages", split_stage(name)[0])


def halves(folder: str) -> tuple[str, ...]:
    """The halves that a stage trains in, in their order; none for one that trains in one run."""
    return tuple(sorted(Stage(folder).plan.get("halves", {})))


def open_task(
    folder: str,
    config: ModelConfig,
    seed: int | None,
    precision: str | None,
    half: str | None = None,
    codec: Callable[[], str | None] = lambda: None,
    by: Decode = decode,
) -> Task:
    """The task of a stage folder for a model; ShardError or UsageError where the two do not fit.

    The seed orders the packs; the plan's own where none is given. `codec` gives the digest of the codec whose tokens
    a stage that learns some is to read, `by` decodes media.
    """
    stage = Stage(folder)
    plan = stage.plan
    run = run_of(plan, half)
    _check_model(plan, run, folder, config)
    schedule = schedules.from_plan(run["schedule"], precision)
    terms = objective(run["loss"], run.get("loss_weights"))
    reader: Reader
    trains = tuple(run["trains"])
    if CTC in terms:
        characters = Characters.read(files.join(folder, CHARACTERS))
        config = replace(config, characters=len(characters))
        reader = Transcripts(characters, config.geometry, by)
        trains += (HEAD,) if ENCODER in trains else ()
    elif CODES in terms:
        reader = Clauses(_tokenizer(config), config, codes_for(folder, codec()))
    else:
        reader = Conversations(_encoder(plan, config, PROMPTS in trains, by), STATE in terms)
    return Task(
        name=plan["stage"] + (half or ""),
        stage=stage,
        schedule=schedule,
        trains=trains,
        needs=tuple(run["needs"]),
        objective=terms,
        reader=reader,
        order=order_of(stage, run, training_seed(plan, seed)),
        plan_digest=digest_of("plan", plan, stage.facts["packs"]),
        config=config,
    )


def training_seed(plan: dict[str, Any], seed: int | None) -> int:
    """The seed that was given, else the one the stage was built with."""
    return int(plan["seed"]) if seed is None else seed


def loss_of(folder: str, half: str | None) -> str:
    """What a stage folder, or one half of it, minimises."""
    return str(run_of(Stage(folder).plan, half)["loss"])


def run_of(plan: dict[str, Any], half: str | None) -> dict[str, Any]:
    """What the plan says of the training: of the stage, or of one half of it."""
    there = plan.get("halves", {})
    if half in there:
        return dict(there[half])
    if half is not None or there:
        names = " or ".join(plan["stage"] + name for name in sorted(there)) or plan["stage"]
        raise UsageError(f"stage {plan['stage']}{half or ''} is no training of its own; ask for {names}.")
    return plan


def _tokenizer(config: ModelConfig) -> Tokenizer:
    tokenizer = load_tokenizer(config.geometry.tokenizer)
    if tokenizer.rows > config.language.vocabulary:
        raise UsageError(
            f"tokenizer {tokenizer.name} needs {tokenizer.rows} rows and preset {config.preset} has "
            f"{config.language.vocabulary}; choose a preset made for it."
        )
    return tokenizer


def _encoder(plan: dict[str, Any], config: ModelConfig, guided: bool, by: Decode) -> Encoder:
    prompts = config.adapter.prompts if guided else 0
    return Encoder(
        _tokenizer(config),
        config.geometry,
        bool(plan.get("state_tokens", False)),
        prompts,
        noise_ends=noise_ends_in(plan),
        classes=config.states,
        by=by,
    )


def _check_model(plan: dict[str, Any], run: dict[str, Any], folder: str, config: ModelConfig) -> None:
    if plan["geometry_digest"] != config.geometry.digest():
        raise ShardError(_other_geometry(plan["geometry"], folder, config))
    template = template_digest(bool(plan.get("state_tokens", False)), noise_ends_in(plan))
    if template != plan["template_digest"]:
        raise ShardError(
            f"{folder} was packed for another chat template; build the stage again with this version."
        )
    unknown = sorted(set(run["trains"]) - set(PARTS))
    if unknown:
        raise UsageError(f"stage {plan['stage']} trains {', '.join(unknown)}, which no model has.")


def _other_geometry(said: dict[str, Any], folder: str, config: ModelConfig) -> str:
    mine = asdict(config.geometry)
    odd = {name for name in mine.keys() | said.keys() if said.get(name) != mine.get(name)}
    detail = ", ".join(f"{name} {said.get(name)} (model {mine.get(name)})" for name in sorted(odd))
    return (
        f"{folder} was built for another geometry than preset {config.preset}: {detail}; "
        "build the stage with a mixture of the preset's geometry, or choose the preset of its geometry."
    )

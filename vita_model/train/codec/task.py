"""What stage 3.1 asks of the trainer, checked before anything is loaded."""

from __future__ import annotations

from dataclasses import dataclass

from vita_data.errors import ShardError, UsageError
from vita_data.manifest.schedule import Schedule
from vita_data.records.key import digest_of
from vita_data.shards.read import Stage
from vita_model.batch.decoder import within
from vita_model.batch.order import Order, order_of
from vita_model.batch.segments import Cut
from vita_model.config.model import ModelConfig
from vita_model.train import schedule as schedules
from vita_model.train.options import Options
from vita_model.train.task import WEIGHTS, run_of, stage_folder, training_seed

CODEC = "codec"
MOST_ZERO = 2
FEWEST_SEGMENTS = 2


@dataclass(frozen=True)
class CodecTask:
    """A finished stage of speech, and how a codec is trained on it; `order` is over clips."""

    name: str
    stage: Stage
    schedule: Schedule
    needs: tuple[str, ...]
    order: Order
    cut: Cut
    plan_digest: str
    config: ModelConfig
    trains: tuple[str, ...] = (CODEC,)

    @property
    def stages_before(self) -> tuple[str, ...]:
        """The stages whose checkpoints this one starts from."""
        return tuple(name for name in self.needs if not name.startswith(WEIGHTS))

    @property
    def joining(self) -> int:
        """The step at which the discriminators join."""
        return self.schedule.discriminator_start or 0

    def check_ranks(self, world: int) -> None:
        """UsageError where a rank would have fewer than two segments a step."""
        batch = self.schedule.global_batch
        if batch // world < FEWEST_SEGMENTS:
            raise UsageError(
                f"stage {self.name} has {batch} segments a step, fewer than the {FEWEST_SEGMENTS} that each of "
                f"{world} ranks needs for the codec's batch norm; take fewer ranks or a larger global_batch."
            )


def open_codec_task(options: Options, config: ModelConfig) -> CodecTask:
    """The task of the stage that the options name; UsageError or ShardError for what cannot be trained."""
    folder = stage_folder(options.data, options.stage)
    stage = Stage(folder)
    run = run_of(stage.plan, None)
    schedule = schedules.from_plan(run["schedule"], options.precision)
    _check(run, folder, stage, schedule, config, options)
    seed = training_seed(stage.plan, options.seed)
    return CodecTask(
        name=stage.plan["stage"],
        stage=stage,
        schedule=schedule,
        needs=tuple(run["needs"]),
        order=order_of(stage, run, seed),
        cut=Cut(config.codec.segment, config.codec.rate, seed, within(options.sample_timeout)),
        plan_digest=digest_of("plan", stage.plan, stage.facts["packs"]),
        config=config,
    )


def _check(
    run: dict[str, object],
    folder: str,
    stage: Stage,
    schedule: Schedule,
    config: ModelConfig,
    options: Options,
) -> None:
    if run["trains"] != [CODEC]:
        raise UsageError(
            f"{folder} trains {run['trains']} by the codec's loss; let its card train [{CODEC}]."
        )
    if options.zero is not None and options.zero > MOST_ZERO:
        raise UsageError(
            f"ZeRO {options.zero} divides the weights themselves, and codec and discriminators run through each "
            f"other's outside their own engines; take --zero 0 to {MOST_ZERO}."
        )
    if options.lora is not None:
        raise UsageError(f"stage {options.stage} does not train the language model; leave --lora out.")
    if options.offload is not None:
        raise UsageError("the codec's optimizer is small beside its signals; leave --offload out.")
    if options.skip_spikes is not None:
        raise UsageError(
            "in a step of the codec its discriminators have learned before its own gradient is known; leave "
            "--skip-spikes out, the scores are told all the same."
        )
    if schedule.precision != "fp32":
        raise UsageError(
            f"the codec and its discriminators are trained in fp32, not {schedule.precision}; give --precision fp32."
        )
    said, made = stage.plan["geometry"]["codec_rate"], config.codec.rate / config.codec.hop
    if said != made:
        raise ShardError(
            f"{folder} was built for {said:g} codec tokens a second and preset {config.preset} makes {made:g}; "
            "build the stage with a mixture of the preset's geometry."
        )

"""What a training stands on: its stage, what it starts from, and the model that follows from both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from vita_model.batch.clauses import Clauses
from vita_model.batch.codes import with_voice
from vita_model.batch.decoder import within
from vita_model.config.model import ModelConfig
from vita_model.config.presets import preset
from vita_model.train import checkpoint, starts
from vita_model.train.options import Options
from vita_model.train.starts import Start
from vita_model.train.task import Task, open_task


@dataclass(frozen=True)
class Opening:
    """The task, the model's config, and the starts; `went_on` is the one checkpoint of a run that is resumed."""

    task: Task
    config: ModelConfig
    found: tuple[Start, ...]
    went_on: Path | None


def opened(options: Options, place: str, half: str | None) -> Opening:
    """Looks all of it up for a stage folder, or one half of it; UsageError or ShardError for what does not fit."""
    went_on = checkpoint.last(options.out) if options.resume else None
    found = tuple(starts.find(init) for init in ([went_on] if went_on else options.init))
    chosen = preset(options.preset)
    model_config = replace(chosen, states=starts.states_of(found, chosen, options.states))
    codec = partial(starts.codec_of, found, model_config)
    by = within(options.sample_timeout)
    task = open_task(place, model_config, options.seed, options.precision, half, codec, by)
    if went_on is None:
        starts.check(found, task)
    config = starts.config_of(found, task.config)
    if isinstance(task.reader, Clauses):
        config = with_voice(config, task.reader.codes)
    return Opening(task, config, found, went_on)

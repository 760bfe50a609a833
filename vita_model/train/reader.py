"""What reads a finished stage for a model that has been trained already."""

from __future__ import annotations

from vita_data.errors import UsageError
from vita_model.batch.readers import Reader
from vita_model.nets.codec.identity import codec_digest
from vita_model.nets.vita import Vita
from vita_model.train.task import loss_of, open_task

CODEC_LOSS = "codec"


def reader_of(folder: str, half: str | None, model: Vita) -> Reader | None:
    """The reader of a stage folder, or of one half of it; None for clips that the codec hears.

    UsageError or ShardError where the stage does not fit the model, as by the characters that it writes.
    """
    if loss_of(folder, half) == CODEC_LOSS:
        return None
    task = open_task(folder, model.config, None, None, half, lambda: codec_digest(model.codec))
    if task.config.characters != model.config.characters:
        raise UsageError(
            f"the model writes {model.config.characters} characters and {folder} has {task.config.characters}; "
            "give the build that its stage 2.1 was trained from."
        )
    return task.reader

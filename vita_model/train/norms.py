"""The mean and spread of the speech encoder's features, measured before it first learns."""

from __future__ import annotations

import torch

from vita_model.nets.cmvn import Moments
from vita_model.nets.fbank import fbank
from vita_model.nets.vita import Vita
from vita_model.train.task import Task

CLIPS = 1000


def measure_norms(model: Vita, task: Task) -> int:
    """Sets the encoder's normalisation by the first clips that the stage will see; how many those were.

    All ranks measure the same. A model whose normalisation was set before keeps it: then none are measured.
    """
    encoder = model.speech_encoder
    if encoder.cmvn.is_set():
        return 0
    moments: Moments | None = None
    clips = 0
    for step in range(task.order.steps_per_epoch):
        for pack in task.order.step(step):
            if pack is None or clips >= CLIPS:
                continue
            batch = task.batch(task.stage, pack)
            with torch.no_grad():
                found = Moments.of(fbank(batch.sounds, batch.sound_lengths, encoder.config.mel_bins, 0.0))
            moments = found if moments is None else moments + found
            clips += len(batch.sound_lengths)
        if clips >= CLIPS:
            break
    assert moments is not None  # a stage has a pack at least
    encoder.cmvn.take(moments)
    return clips

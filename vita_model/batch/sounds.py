"""Sounds as waveforms: the bytes of a clip as the shard holds it give the samples that the model hears."""

from __future__ import annotations

import io

import soundfile
import torch

from vita_data.errors import ShardError


def waveform(data: bytes, rate: int, name: str) -> torch.Tensor:
    """float32 (samples,) from -1 to 1 of an encoded mono clip at `rate`; `name` is for the error."""
    try:
        samples, found = soundfile.read(io.BytesIO(data), dtype="float32")
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise ShardError(
            f"{name}: its sound cannot be decoded ({error}); run `vita-data prove` on the stage."
        ) from error
    if found != rate or samples.ndim != 1:
        raise ShardError(
            f"{name}: its sound has {found} Hz and shape {samples.shape}, not {rate} Hz and one channel; "
            "build the stage again with this version."
        )
    return torch.from_numpy(samples)

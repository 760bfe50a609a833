"""Sounds as tensors: the bytes of a clip as the shard holds it give the samples that the model hears."""

from __future__ import annotations

import torch

from vita_data.errors import ShardError
from vita_model.batch.decode import Decode, Sound, Unreadable, decode


def waveform(data: bytes, rate: int, name: str, by: Decode = decode) -> torch.Tensor:
    """float32 (samples,) from -1 to 1 of an encoded mono clip at `rate`; `name` is for the error."""
    try:
        return torch.from_numpy(by(Sound(data, rate)))
    except Unreadable as error:
        raise error.of(f"{name}: its sound") from error
    except ShardError as error:
        raise ShardError(
            f"{name}: its sound has {error}; build the stage again with this version."
        ) from error

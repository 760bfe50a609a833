"""A clip whose voice is to be taken: any format, rate and number of channels, as the codec hears it."""

from __future__ import annotations

import io

import soundfile
import soxr
import torch

from vita_data import files
from vita_data.errors import UsageError

LEAST_SECONDS = 0.5


def reference_clip(path: str, rate: int) -> torch.Tensor:
    """float32 (samples,) from -1 to 1 at `rate`, channels averaged.

    Raises UsageError for a file that holds no sound, or one too short to tell a voice by.
    """
    found = read_sound(path, rate)
    if len(found) < LEAST_SECONDS * rate:
        raise UsageError(
            f"{path} is {len(found) / rate:.2f} s long; a voice takes {LEAST_SECONDS} s or more."
        )
    return found


def read_sound(path: str, rate: int) -> torch.Tensor:
    """float32 (samples,) of a file of any format, rate and number of channels; UsageError where it holds no sound."""
    try:
        samples, native = soundfile.read(io.BytesIO(files.read_bytes(path)), dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"{path} cannot be read as sound ({reason}); give a WAV, FLAC, OGG or MP3 file."
        ) from error
    return torch.from_numpy(soxr.resample(samples.mean(1), native, rate))

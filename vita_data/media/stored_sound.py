"""A stored sound as samples again: what the catalog wrote, mono FLAC, back from its bytes."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import soundfile
import soxr

from vita_data.errors import RecordError


def stored_samples(data: bytes) -> tuple[Any, int]:
    """(int16[n], samples a second) of a stored sound. RecordError audio_undecodable for what no longer decodes."""
    try:
        samples, rate = soundfile.read(io.BytesIO(data), dtype="int16", always_2d=True)
    except (soundfile.LibsndfileError, ValueError) as error:
        raise RecordError("audio_undecodable", f"The stored sound does not decode ({error}).") from error
    return samples[:, 0], rate


def at_rate(samples: Any, rate: int, wanted: int) -> Any:
    """Samples at another rate, as float32 where they were resampled."""
    return samples if rate == wanted else soxr.resample(samples.astype(np.float32), rate, wanted)

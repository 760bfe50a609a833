"""What a decoder offers: the samples of one sound file from any of them on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vita_data.errors import RecordError

Block = NDArray[np.float32]  # (samples, channels); full scale is 1

LOWEST_RATE, HIGHEST_RATE = 4_000, 192_000
MOST_CHANNELS = 64


class Track(Protocol):
    """The decoded samples of a file, counted from the first one that is heard (encoder delay is cut off).

    `declared` is how many samples the file says it holds, None where that is unknown or a guess. `forgets`
    says that a cut does not depend on the cuts before it, so that one track may serve many. After the blocks
    of a cut are used up, `end` is where decoding stopped and `lost` counts the samples of damaged packets
    on the way there.
    """

    rate: int
    channels: int
    declared: int | None
    forgets: bool
    end: int
    lost: int

    def blocks(self, first: int, count: int) -> Iterator[Block]:
        """Yields `count` samples from number `first` on, or as many as there are, a bounded number at a time."""

    def close(self) -> None:
        """Lets go of the decoder; the file stays open."""


def undecodable(words: str, value: object = None, threshold: object = None) -> RecordError:
    """The refusal of a file that no decoder makes sense of."""
    return RecordError(
        "audio_undecodable",
        f"The sound file cannot be decoded ({words}); fetch it again or convert it.",
        words if value is None else value,
        threshold,
    )


def check_shape(rate: Any, channels: Any) -> tuple[int, int]:
    """Sample rate and channels as they may be; RecordError audio_undecodable for what no recording has."""
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise undecodable(
            f"its sample rate is {rate} Hz", rate, f"{LOWEST_RATE} to {HIGHEST_RATE} samples per second"
        )
    if not 1 <= channels <= MOST_CHANNELS:
        raise undecodable(f"it has {channels} channels", channels, f"1 to {MOST_CHANNELS} channels")
    return int(rate), int(channels)

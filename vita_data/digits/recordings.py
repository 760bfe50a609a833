"""Single digits as people said them: recordings in the layout of the Free Spoken Digit Dataset.

`{digit}_{speaker}_{take}.wav`, mono at 8 kHz; its publisher's test split is takes 0 to 4 of every speaker
(https://github.com/Jakobovski/free-spoken-digit-dataset, CC BY-SA 4.0).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from vita_data.errors import UsageError

RATE = 16000
TEST_TAKES = 5
_NAME = re.compile(r"(?P<digit>\d)_(?P<speaker>[^_]+)_(?P<take>\d+)\.wav")

Sound = np.ndarray  # float32 samples of one channel at RATE
Say = Callable[[str], None]


@dataclass(frozen=True)
class Recording:
    """One digit, said once."""

    digit: int
    speaker: str
    take: int
    sound: Sound

    @property
    def name(self) -> str:
        """Its file's name without the extension."""
        return f"{self.digit}_{self.speaker}_{self.take}"

    @property
    def for_test(self) -> bool:
        """Whether it belongs to the publisher's test split."""
        return self.take < TEST_TAKES


def read_recordings(folder: Path, say: Say) -> list[Recording]:
    """The recordings in a folder, or in `recordings` below it; what cannot be read is named and left out.

    Raises UsageError where there are none.
    """
    place = folder / "recordings" if (folder / "recordings").is_dir() else folder
    found = [(path, name) for path in sorted(place.glob("*.wav")) if (name := _NAME.fullmatch(path.name))]
    read = []
    for path, name in found:
        try:
            sound = _at_rate(path)
        except (OSError, RuntimeError, ValueError) as error:
            say(f"{path.name} is left out: {error}")
            continue
        read.append(Recording(int(name["digit"]), name["speaker"], int(name["take"]), sound))
    if not read:
        raise UsageError(
            f"{folder} holds no recordings named like 7_somebody_12.wav; give a clone of the Free Spoken Digit Dataset."
        )
    return read


def _at_rate(path: Path) -> Sound:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    if len(samples) < rate // 50:
        raise ValueError("it is shorter than a fiftieth of a second")
    return np.asarray(soxr.resample(samples.mean(axis=1), rate, RATE), dtype=np.float32)


def by_digit(recordings: Iterable[Recording]) -> dict[int, list[Recording]]:
    """Recordings by what is said in them."""
    found: dict[int, list[Recording]] = defaultdict(list)
    for recording in recordings:
        found[recording.digit].append(recording)
    return dict(found)


def by_speaker(recordings: Iterable[Recording]) -> dict[str, list[Recording]]:
    """Recordings by who says them, in the order of names, of those who say every digit."""
    found: dict[str, list[Recording]] = defaultdict(list)
    for recording in recordings:
        found[recording.speaker].append(recording)
    whole = {speaker: some for speaker, some in sorted(found.items()) if len(by_digit(some)) == 10}
    return whole

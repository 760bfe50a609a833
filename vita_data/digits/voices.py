"""Who says the digits: people who were recorded, and voices of the offline engine beside them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import soxr

from vita_data.digits.chance import drawn
from vita_data.digits.recordings import RATE, Recording, Sound
from vita_data.sample import voices as engine_voices
from vita_data.sample.spoken_numbers import ONES

WORDS = ONES[:10]  # as they are said; a digit is written as a numeral
LINE = 4000.0  # hertz above which a telephone line, and so every recording, has nothing


def synthetic(engine: Path, count: int, workers: int = 4) -> list[Recording]:
    """`count` voices of the engine, each saying every digit, over a line as narrow as that of the recordings."""
    cast = engine_voices.cast("digits", "en", count)

    def said(number: int) -> list[Recording]:
        voice, name = cast[number], f"engine-{number:03d}"
        return [
            Recording(digit, name, 0, _as_recorded(engine_voices.speak(engine, _other(voice, number), word)))
            for digit, word in enumerate(WORDS)
        ]

    with ThreadPoolExecutor(workers) as pool:
        return [recording for some in pool.map(said, range(count)) for recording in some]


def _other(voice: engine_voices.Voice, number: int) -> engine_voices.Voice:
    """The engine has some fifty timbres; pace and pitch make more speakers of them."""
    random = drawn("voices", str(number))
    return engine_voices.Voice(voice.code, int(random.integers(120, 200)), int(random.integers(20, 80)))


def _as_recorded(samples: np.ndarray) -> Sound:
    sound = soxr.resample(samples.astype(np.float32) / 32768.0, engine_voices.RATE, RATE)
    spectrum = np.fft.rfft(sound)
    spectrum[np.fft.rfftfreq(len(sound), 1 / RATE) > LINE] = 0.0
    return np.asarray(np.fft.irfft(spectrum, len(sound)), dtype=np.float32)

"""The offline speech engine espeak-ng: where it is, the voices it lends to made-up speakers, what they say."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from vita_data.errors import SourceError
from vita_data.sample.chance import rng

ENGINE = "espeak-ng"
DEBIAN_PACKAGE = "espeak-ng"
RATE = 22050  # samples a second that the engine makes
SECONDS = 60  # a sentence takes the engine hundredths of a second

Sound = np.ndarray  # one channel of 16-bit samples

SPEEDS = {"en": (150, 210), "zh": (215, 290)}  # words a minute, a character of Chinese being one
# The engine's own Mandarin voice spells most characters in English letters; the pinyin one reads them.
ACCENTS = {
    "en": ("en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-us-nyc"),
    "zh": ("cmn-latn-pinyin",),
}
TIMBRES = ("m1", "m2", "m3", "m4", "m7", "f1", "f2", "f3", "f4", "f5")


@dataclass(frozen=True)
class Voice:
    """A speaker: the engine's voice, words a minute, and pitch from 0 to 99."""

    code: str
    speed: int
    pitch: int

    @property
    def gender(self) -> str:
        """`female` or `male`, as the engine names its timbres."""
        return "female" if "+f" in self.code else "male"


def find_engine(path: str | None = None) -> Path | None:
    """The engine in the folders of `path` (those of PATH when None), or None."""
    found = shutil.which(ENGINE, path=path)
    return Path(found) if found else None


def version_of(engine: Path) -> str:
    """The engine's version, such as 1.51; `unknown` when it does not say it."""
    done = subprocess.run([str(engine), "--version"], capture_output=True, timeout=SECONDS, check=False)
    found = re.search(rb"\d+(\.\d+)+", done.stdout)
    return found[0].decode("ascii") if found else "unknown"


def cast(purpose: str, language: str, count: int) -> list[Voice]:
    """`count` different voices for a corpus, men and women in turn, the same ones at every run."""
    random = rng("voices", purpose)
    pairs = list(product(ACCENTS[language], TIMBRES))
    random.shuffle(pairs)
    women = [pair for pair in pairs if pair[1].startswith("f")]
    men = [pair for pair in pairs if not pair[1].startswith("f")]
    turns = [pair for both in zip(women, men, strict=True) for pair in both]
    chosen = (turns * (count // len(turns) + 1))[:count]
    return [
        Voice(f"{accent}+{timbre}", random.randrange(*SPEEDS[language], 5), random.randrange(25, 76, 5))
        for accent, timbre in chosen
    ]


def speak(engine: Path, voice: Voice, text: str) -> Sound:
    """A text spoken at RATE, without the silence around it; Mandarin is given in pinyin.

    Raises SourceError when the engine fails.
    """
    command = [str(engine), "-b", "1", "-v", voice.code, "-s", str(voice.speed), "-p", str(voice.pitch)]
    try:
        done = subprocess.run(
            [*command, "--stdin", "--stdout"],
            input=text.encode("utf-8"),
            capture_output=True,
            timeout=SECONDS,
            check=True,
        )
        return _trimmed(_samples(done.stdout))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise SourceError(
            f"{engine} could not speak with the voice {voice.code} ({error}): "
            f"apt-get install --reinstall {DEBIAN_PACKAGE}."
        ) from error


def _samples(wave: bytes) -> Sound:
    """The samples of a WAV stream, whose header cannot know their number."""
    start = wave.find(b"data") + 8
    if start < 44 or struct.unpack_from("<HHI", wave, 20) != (1, 1, RATE):
        raise ValueError(f"it gave no 16-bit mono sound of {RATE} Hz")
    return np.frombuffer(wave[start : start + (len(wave) - start) // 2 * 2], dtype="<i2")


def _trimmed(sound: Sound) -> Sound:
    loud = np.flatnonzero(np.abs(sound.astype(np.int32)) > 60)
    if not len(loud):
        raise ValueError("it gave nothing but silence")
    return sound[loud[0] : loud[-1] + 1]

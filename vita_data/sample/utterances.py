"""What is recorded for a speech corpus: a speaker says a line, in a room, at the rate of the corpus."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vita_data.sample import speech_text_en, speech_text_zh
from vita_data.sample.chance import rng
from vita_data.sample.ledger import Fate
from vita_data.sample.sound import at_rate, in_a_room
from vita_data.sample.voices import RATE, Sound, Voice, speak

Line = speech_text_en.Line | speech_text_zh.Line


@dataclass(frozen=True)
class Utterance:
    """A recorded line; `sound` has `rate` samples a second."""

    line: Line
    voice: Voice
    sound: Sound
    rate: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.sound) / self.rate


@dataclass(frozen=True)
class Recording:
    """What is planted for curation: a sound of 16,000 samples a second, the words that its transcript has, its fate."""

    words: str
    sound: Sound
    fate: Fate


def recorded(engine: Path, voice: Voice, line: Line, rate: int, *names: str) -> Utterance:
    """The line as this voice says it; `names` key the room, so that no two recordings are alike."""
    dry = at_rate(speak(engine, voice, line.read), RATE, rate)
    return Utterance(line, voice, in_a_room(dry, rate, rng("room", *names)), rate)

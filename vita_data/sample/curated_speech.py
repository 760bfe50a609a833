"""What is planted for curation among the recordings: bad sounds, wrong transcripts, a copy, and leaks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vita_data.sample import speech_librispeech
from vita_data.sample.ledger import Fate
from vita_data.sample.readings import READINGS
from vita_data.sample.sound import LOUDEST, SCALE, at_rate, silence, tone
from vita_data.sample.speech_text_en import Line
from vita_data.sample.utterances import Recording, Utterance, recorded
from vita_data.sample.voices import RATE, Sound, Voice, cast, speak

HEARD_RATE = speech_librispeech.RATE
SPANISH = Voice("es", 170, 50)
HOUSE = "La casa de mi abuela está cerca del río y tiene un jardín muy grande"
FADED = 0.0004  # of its loudness, about 68 decibels below it
FORCED = 60  # times as loud as full scale lets through
SOFTER = 0.55


@dataclass(frozen=True)
class Curated:
    """Recordings by the layout that they are planted in."""

    tree: list[Recording]  # LibriSpeech
    clips: list[Recording]  # Common Voice
    shards: list[Recording]  # WeNet
    tunes: list[Recording]  # AISHELL-1, whose card asks whether somebody speaks


def planted(engine: Path, readings: list[Utterance]) -> Curated:
    """All recordings; `readings` are those of the benchmark of speech."""
    name, copied = speech_librispeech.recording(engine, 2)
    copy = Fate("same_samples", "duplicate", "the same samples in another file with the same words",
                stays=(speech_librispeech.NAME, name))  # fmt: skip
    tune = Fate("tune", "no_speech", "a tune with the words of a song that nobody sings")
    return Curated(
        tree=[*_bad_sounds(engine), *_leaks(engine, readings)],
        clips=[
            _leaked(
                readings[1],
                readings[1].sound,
                "leak_recording",
                "recording",
                "mp3",
                "a benchmark's recording as MP3",
            )
        ],
        shards=[
            Recording(Line(copied.line.written, copied.line.read).upper.capitalize(), copied.sound, copy)
        ],
        tunes=[Recording("月光 照 在 小 河 上", tone(SCALE * 2, 3.2, HEARD_RATE), tune)],
    )


def _bad_sounds(engine: Path) -> list[Recording]:
    """One for each rule about levels and about how fast somebody speaks, and one in another language."""
    voices = iter(cast("bad sounds", "en", 10))

    def said(*texts: str) -> Sound:
        sounds = [speak(engine, next(voices), text) for text in texts]
        pause = silence(0.2, RATE)
        joined = np.concatenate([part for sound in sounds for part in (pause, sound)])
        return at_rate(joined, RATE, HEARD_RATE)

    def bad(words: str, sound: Sound, rule: str, note: str) -> Recording:
        return Recording(words, sound, Fate(rule, rule, note))

    street = "The market closes when the church bell rings."
    long = "The ferry leaves the island an hour after sunset and comes back before the first bakers light their ovens"
    return [
        bad(street, _louder(said(street), FADED), "quiet", "the microphone was not plugged in"),
        bad(street, _louder(said(street), FORCED), "clipped", "the gain was far too high"),
        bad(street, _over_a_telephone(said(street)), "narrow_band", "it came over a telephone line"),
        bad("Stop right there", np.concatenate([said("Stop.")[-4000:], silence(9, HEARD_RATE)]), "silent",
            "a part of a word, and then nothing"),
        bad(long, said("The old gate is shut."), "fast_speech", "the words belong to a longer recording"),
        bad(long, said(street), "ctc_too_short", "the words of a longer recording, said by a fast talker at best"),
        bad("Yes", said(long, street, long), "slow_speech", "of twenty seconds one word is written down"),
        bad(HOUSE,
            at_rate(speak(engine, SPANISH, HOUSE), RATE, HEARD_RATE),
            "other_language", "Spanish in a source that is English"),
    ]  # fmt: skip


def _leaks(engine: Path, readings: list[Utterance]) -> list[Recording]:
    """A benchmark's recording as it is and softer, and its words by another voice, which are only reported."""
    equal, _, softer, other = readings[:4]
    voice = cast("another reader", "en", 2)[1]
    again = recorded(engine, voice, other.line, HEARD_RATE, "another reader")
    reported = Fate("same_words", None, "stays: another voice says what a benchmark's recording says", None, READINGS,
                    "question")  # fmt: skip
    return [
        _leaked(equal, equal.sound, "leak_content", "content", "same_recording", "a benchmark's recording"),
        _leaked(softer, _louder(softer.sound, SOFTER), "leak_recording", "recording", "softer_recording",
                "a benchmark's recording at another level"),
        Recording(other.line.written, again.sound, reported),
    ]  # fmt: skip


def _leaked(said: Utterance, sound: Sound, rule: str, found: str, kind: str, note: str) -> Recording:
    return Recording(said.line.written, sound, Fate(kind, rule, note, benchmark=READINGS, found=found))


def _over_a_telephone(sound: Sound) -> Sound:
    """The sound without what lies above 4,000 hertz."""
    return at_rate(at_rate(sound, HEARD_RATE, HEARD_RATE // 2), HEARD_RATE // 2, HEARD_RATE)


def _louder(sound: Sound, factor: float) -> Sound:
    """The sound at another level, cut off at full scale."""
    return np.asarray(np.rint(factor * sound.astype(np.float64)).clip(-LOUDEST - 1, LOUDEST), dtype=np.int16)

"""Rules about what is heard: level, clipping, silence, speech, bandwidth, and whether a transcript fits its time."""

from __future__ import annotations

import re

from vita_data.curate.rules.base import Sample
from vita_data.prompt.characters import frames_needed
from vita_data.prompt.lengths import encoder_frames
from vita_data.records.reject import Reject

_CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_CHINESE_WEIGHT = 3  # a syllable takes as long to say as three letters
_HEARD_RATE = 16000
_LONG_ENOUGH = 1.0  # seconds: shorter sounds are too short to tell how fast somebody speaks


def level(sample: Sample, least: float) -> Reject | None:
    """Refuses a sound whose root mean square is below this level, in decibels of full scale.

    For dead channels. Source: what rounding to 16 bits adds lies at -98, speech that was meant to be heard above -50.
    Wrong for far-away speakers in otherwise good recordings.
    """
    heard = next((heard for heard in sample.sounds if heard.level < least), None)
    if heard is None:
        return None
    words = f"A sound has a level of {heard.level:.1f} decibels of full scale."
    return Reject("quiet", words, f"{heard.level:.1f}", str(least))


def clipping(sample: Sample, most: float) -> Reject | None:
    """Refuses a sound of whose samples more than this part is cut off at full scale.

    For recordings with the gain too high. Source: runs of samples at full scale, as editors of sound find clipping.
    Wrong for music that was mastered loud.
    """
    heard = next((heard for heard in sample.sounds if heard.clipped > most), None)
    if heard is None:
        return None
    words = f"{heard.clipped:.1%} of a sound is cut off at full scale."
    return Reject("clipped", words, f"{heard.clipped:.3f}", str(most))


def silence(sample: Sample, most: float) -> Reject | None:
    """Refuses a sound of which more than this part is silent.

    For segments that were cut beside the speech. Source: FFmpeg's silencedetect, whose -60 dB is what silent means
    here. Wrong for a short word in a long pause.
    """
    heard = next((heard for heard in sample.sounds if heard.silent > most), None)
    if heard is None:
        return None
    return Reject("silent", f"{heard.silent:.0%} of a sound is silent.", f"{heard.silent:.3f}", str(most))


def speech(sample: Sample, least: float) -> Reject | None:
    """Refuses a sound of which less than this part is somebody speaking, as Silero's model hears it.

    For speech corpora with music and noise among them. Off unless a card asks for it, since it takes time to measure.
    Source: Silero VAD (github.com/snakers4/silero-vad). Wrong for whispering and singing.
    """
    for heard in sample.sounds:
        if heard.speech is not None and heard.speech < least:
            words = f"Somebody speaks in {heard.speech:.0%} of a sound."
            return Reject("no_speech", words, f"{heard.speech:.3f}", str(least))
    return None


def band(sample: Sample, least: float) -> Reject | None:
    """Refuses a sound in which nothing is heard up to this frequency in hertz.

    For telephone speech and strong compression among studio recordings: what was sampled at 8,000 a second has nothing
    above 4,000 hertz, whatever rate its file claims, so 5,000 tells the two apart. Off unless a card asks for it.
    Source: Nyquist's theorem, on the mean spectrum down to 60 decibels below its peak. Wrong for hums and low tones;
    and a telephone call that was resampled without a filter, as by drawing straight lines, passes.
    """
    low = next((heard.band for heard in sample.sounds if heard.band is not None and heard.band < least), None)
    if low is None:
        return None
    return Reject("narrow_band", f"Nothing is heard above {low:.0f} hertz.", f"{low:.0f}", str(least))


def fast_speech(sample: Sample, most: float) -> Reject | None:
    """Refuses a transcript of more characters a second than anybody says: it belongs to another sound.

    For transcripts that slipped by a line. A Chinese character counts as three. Source: speech rates of Pellegrino et
    al. 2011 (six syllables a second in English, five in Mandarin), which are 15 to 19 such characters. Wrong for
    texts with much that is not said, such as punctuation and tags.
    """
    rate = _rate(sample)
    if rate is None or rate <= most:
        return None
    return Reject("fast_speech", f"{rate:.1f} characters are said a second.", f"{rate:.1f}", str(most))


def slow_speech(sample: Sample, least: float) -> Reject | None:
    """Refuses a transcript of fewer characters a second than this: most of what is said is not written down.

    For segments that are too long for their text. Source: as for `fast_speech`, with room for pauses. Wrong for one
    word in a long recording, and for numbers that stand as digits.
    """
    rate = _rate(sample)
    if rate is None or rate >= least:
        return None
    return Reject("slow_speech", f"{rate:.2f} characters are said a second.", f"{rate:.2f}", str(least))


def ctc(sample: Sample, switch: str) -> Reject | None:
    """Refuses a clip with fewer frames than its transcript needs to be learned from.

    For transcripts of more than was cut out. The speech encoder writes one character a frame, 25 a second, and a blank
    between equal ones; for a clip that is over before its text, that loss is infinite. Source: Graves et al. 2006.
    Wrong for a trainer that splits text into longer units than characters.
    """
    if sample.kind != "asr" or not sample.sounds:
        return None
    symbols = [ord(symbol) for symbol in " ".join(sample.answers)]
    frames = encoder_frames(round(sum(heard.seconds for heard in sample.sounds) * _HEARD_RATE))
    needed = frames_needed(symbols)
    if needed <= frames:
        return None
    words = f"The clip has {frames} frames and its transcript needs {needed}."
    return Reject("ctc_too_short", words, str(frames), str(needed))


def _rate(sample: Sample) -> float | None:
    """Characters a second of a transcript; None for what is no transcript or too short to tell."""
    seconds = sum(heard.seconds for heard in sample.sounds)
    if sample.kind not in ("asr", "tts") or seconds < _LONG_ENOUGH:
        return None
    text = "".join("".join(sample.answers).split())
    return (len(text) + (_CHINESE_WEIGHT - 1) * len(_CHINESE.findall(text))) / seconds

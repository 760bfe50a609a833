"""Recordings of benchmarks are heard in training sounds, however these were encoded, and not in others."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import soxr

from tests import sounds
from tests.vita_data.leaks.voices import again, spoken, syllables
from vita_data.errors import UsageError, VitaError
from vita_data.leaks.plain import WORDS
from vita_data.leaks.prints import FRAME, RATE, STEP, Print, fingerprint, packed, unpacked
from vita_data.leaks.questions import QuestionIndex
from vita_data.leaks.sound import LEAST, SoundIndex, near
from vita_data.media.audio import read_sound

CUT = round(0.3 * RATE)


@pytest.fixture(scope="module")
def recordings() -> SoundIndex:
    """Twenty recordings of four seconds."""
    return SoundIndex.build([fingerprint(syllables(seed)) for seed in range(20)])


def heard(samples: sounds.Samples, index: SoundIndex) -> list[int]:
    """The recordings in a sound."""
    return [one.recording for one in near([fingerprint(samples)], index)]


@pytest.mark.parametrize("kind", ["mp3", "opus32", "opus16", "8000 Hz"])
def test_a_recording_is_heard_after_encoding_cutting_and_turning_down(
    recordings: SoundIndex, kind: str
) -> None:
    for number in (3, 11):
        quieter = (syllables(number)[CUT:] * 0.5).astype(np.int16)
        assert heard(again(quieter, kind), recordings) == [number]


@pytest.mark.parametrize("shift", [0, 1, STEP // 2, 12_345])
def test_any_shift_is_bridged_and_told(recordings: SoundIndex, shift: int) -> None:
    (one,) = near([fingerprint(syllables(5)[shift:])], recordings)
    assert (one.sound, one.recording) == (0, 5)
    assert one.begin - one.at == pytest.approx(shift / RATE, abs=0.021) and one.score > 0.9


def test_a_recording_is_heard_inside_a_longer_sound_and_where(recordings: SoundIndex) -> None:
    longer = np.concatenate(
        [syllables(100, 3.0), syllables(7), syllables(101, 5.0), syllables(8)[: RATE * 3]]
    )
    one, other = near([fingerprint(longer)], recordings)
    assert (one.recording, other.recording) == (7, 8)
    assert one.at - one.begin == pytest.approx(3.0, abs=0.03) and one.seconds == pytest.approx(3.8, abs=0.3)
    assert other.at - other.begin == pytest.approx(12.0, abs=0.03)


def test_another_rate_of_speech_by_a_hundredth_is_bridged(recordings: SoundIndex) -> None:
    faster = np.rint(soxr.resample(syllables(2), RATE, RATE * 0.99)).astype(np.int16)
    assert heard(faster, recordings) == [2]


def test_other_sounds_and_silence_are_not_heard(recordings: SoundIndex) -> None:
    noise = np.random.default_rng(1).integers(-3000, 3000, 4 * RATE).astype(np.int16)
    tone = np.rint(9000 * np.sin(np.arange(4 * RATE) * 0.3)).astype(np.int16)
    for other in (noise, tone, np.zeros(4 * RATE, np.int16), *(syllables(seed) for seed in range(100, 140))):
        assert heard(other, recordings) == []


def test_a_second_that_two_sounds_share_is_not_the_recording(recordings: SoundIndex) -> None:
    shared = np.concatenate([syllables(100, 2.0), syllables(6)[RATE : RATE * 5 // 2], syllables(101, 2.0)])
    assert heard(shared, recordings) == []


@pytest.mark.parametrize("rate", [8000, 16001])
def test_other_rates_and_two_channels_are_refused(rate: int) -> None:
    with pytest.raises(UsageError, match="one channel at 16000 Hz"):
        fingerprint(np.zeros(9000, np.int16), rate)
    with pytest.raises(UsageError, match="one channel at 16000 Hz"):
        fingerprint(np.zeros((9000, 2), np.int16))


def test_a_fingerprint_has_fifty_frames_a_second_whatever_the_gain_and_the_type() -> None:
    samples = syllables(1)
    one, other = fingerprint(samples), fingerprint(samples.astype(np.float64) / 65536)
    assert len(one.frames) == (len(samples) - FRAME) // STEP and one.frames.dtype == np.uint32
    assert np.bitwise_count(one.frames ^ other.frames).sum() <= 2


def test_a_packed_fingerprint_takes_six_bytes_a_frame_and_comes_back_as_it_was() -> None:
    for count in (0, FRAME + STEP, 3 * RATE):
        one = fingerprint(syllables(1)[:count])
        other = unpacked(packed(one))
        assert len(packed(one)) == 6 * len(one.frames)
        for before, after in zip(one, other, strict=True):
            assert before.dtype == after.dtype and np.array_equal(before, after)


def test_too_short_a_sound_is_no_evidence() -> None:
    for count in (0, 100, FRAME, FRAME + STEP * (LEAST - 1)):
        short = fingerprint(syllables(1)[:count])
        assert near([short], SoundIndex.build([short, fingerprint(syllables(1))])) == []
    assert near([Print(*fingerprint(syllables(1)))], SoundIndex.build([])) == []


def test_an_index_of_sounds_comes_back_from_disk(recordings: SoundIndex, tmp_path: Path) -> None:
    recordings.save(str(tmp_path))
    again_index = SoundIndex.load(str(tmp_path))
    sound = [fingerprint(syllables(4)[CUT:])]
    assert near(sound, again_index) == near(sound, recordings) != [] and len(again_index) == 20
    with pytest.raises(VitaError, match="does not read as questions"):
        QuestionIndex.load(str(tmp_path))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="nobody speaks here: apt-get install espeak-ng")
def test_of_two_hundred_utterances_of_four_voices_each_is_heard_only_in_itself() -> None:
    rng = random.Random(4)
    texts = {
        " ".join(rng.sample(WORDS, 12)): f"en+{rng.choice(('m1', 'm3', 'f2', 'f4'))}" for _ in range(200)
    }
    utterances = [spoken(text, voice) for text, voice in texts.items()]
    index = SoundIndex.build([fingerprint(one) for one in utterances])
    assert [one.recording for one in near([fingerprint(one[CUT:]) for one in utterances], index)] == list(
        range(len(texts))
    )
    for number in range(0, 200, 20):
        for kind in ("mp3", "opus32"):
            quieter = (utterances[number][CUT:] * 0.5).astype(np.int16)
            assert heard(again(quieter, kind), index) == [number]


@pytest.mark.slow
@pytest.mark.corpus
def test_real_speech_is_heard_after_encoding_and_no_other(corpus: Path) -> None:
    files = sorted((corpus / "speech/LJSpeech-1.1/wavs").glob("*.wav"))
    files += sorted((corpus / "speech/WenetSpeech").rglob("*.opus"))
    files += sorted((corpus / "speech").rglob("BAC009S0[0-9]*.wav"))[:20]
    originals = [sounds.stored(read_sound(str(path), RATE).flac)[: 20 * RATE] for path in files]
    originals = [samples for samples in originals if len(samples) > 2 * RATE]
    assert len(originals) >= 8
    index = SoundIndex.build([fingerprint(samples) for samples in originals])
    for number, samples in enumerate(originals):
        for kind in ("mp3", "opus32"):
            assert heard(again((samples[CUT:] * 0.5).astype(np.int16), kind), index) == [number], files[
                number
            ]

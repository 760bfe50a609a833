"""A sound is stored as one channel at one rate in 16 bits, the same every time, and measured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests import sounds
from vita_data.media.audio import Sound, read_sound

LOSSLESS = ("wav", "flac", "aiff", "nist")
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("kind", LOSSLESS)
def test_lossless_samples_at_their_own_rate_are_stored_as_they_are(kind: str) -> None:
    sound = read_sound(sounds.all_kinds()[kind], 44100)
    assert np.array_equal(sounds.stored(sound.flac), sounds.speechlike(6, 44100))


@pytest.mark.parametrize(
    ("subtype", "step"),
    [
        ("PCM_U8", 257),
        ("PCM_24", 0),
        ("PCM_32", 0),
        ("FLOAT", 0),
        ("DOUBLE", 0),
        ("ULAW", 800),
        ("MS_ADPCM", 3000),
    ],
)
def test_every_depth_of_wav_keeps_its_samples(subtype: str, step: int) -> None:
    samples = sounds.speechlike(1, 16000)
    sound = read_sound(sounds.written("wav", samples / 32768, 16000, subtype), 16000)
    got = sounds.stored(sound.flac)[: len(samples)]
    assert np.abs(got.astype(int) - samples).max() <= step


@pytest.mark.parametrize("kind", ["mp3", "vorbis", "opus", "webm", "m4a", "mkv"])
def test_the_delay_of_a_lossy_encoder_is_taken_out(kind: str) -> None:
    original = sounds.speechlike(6, sounds.rate_of(kind)).astype(float)
    got = sounds.stored(read_sound(sounds.all_kinds()[kind], sounds.rate_of(kind)).flac).astype(float)[
        : len(original)
    ]
    size = 1 << 20
    match = np.fft.irfft(np.fft.rfft(got, size) * np.conj(np.fft.rfft(original, size)), size)
    assert match.argmax() == 0


def test_the_stored_flac_has_one_channel_of_16_bits_and_no_tags() -> None:
    sound = read_sound(sounds.written("wav", sounds.speechlike(1, 44100), 44100), 16000)
    assert sound.flac[:4] == b"fLaC"
    info = int.from_bytes(sound.flac[18:26], "big")
    assert (info >> 44, info >> 41 & 7, info >> 36 & 31, info & (1 << 36) - 1) == (
        16000,
        0,
        15,
        sound.samples,
    )
    comments = sound.flac.index(b"reference libFLAC")
    length = int.from_bytes(sound.flac[comments - 4 : comments], "little")
    assert sound.flac[comments + length : comments + length + 4] == bytes(4), "no comment after the vendor's"


def test_channels_are_mixed_to_their_mean() -> None:
    rng = np.random.default_rng(3)
    channels = rng.integers(-9000, 9000, (4000, 6), dtype=np.int16)
    sound = read_sound(sounds.written("wav", channels, 16000), 16000)
    assert sound.channels == 6
    assert np.abs(sounds.stored(sound.flac) - channels.mean(axis=1)).max() <= 0.501


@pytest.mark.parametrize("native", [8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000])
@pytest.mark.parametrize("count", [1001, 4800, 16001])
def test_resampling_keeps_the_length_to_the_nearest_sample(native: int, count: int) -> None:
    sound = read_sound(sounds.written("wav", sounds.speechlike(3, native)[:count], native), 16000)
    assert sound.samples == int(count * 16000 / native + 0.5)
    assert sound.native_rate == native


@pytest.mark.parametrize("native", [8000, 44100, 48000])
def test_a_click_stays_where_it_was(native: int) -> None:
    samples = np.zeros(native * 2, np.int16)
    samples[native] = 20000
    got = sounds.stored(read_sound(sounds.written("flac", samples, native), 16000).flac)
    assert np.abs(got.astype(int)).argmax() == 16000


def test_tones_below_the_new_band_pass_and_those_above_it_vanish() -> None:
    def level(hertz: float) -> float:
        tone = np.rint(16000 * np.sin(2 * np.pi * hertz * np.arange(96000) / 48000)).astype(np.int16)
        sound = read_sound(sounds.written("wav", tone, 48000), 16000)
        middle = sounds.stored(sound.flac)[8000:-8000].astype(float)  # the tone's ends are clicks
        return float(10 * np.log10((middle**2).mean() / (16000**2 / 2) + 1e-12))

    assert max(abs(level(hertz)) for hertz in (60, 1000, 4000, 7000)) < 0.02
    assert max(level(hertz) for hertz in (9000, 12000, 20000)) < -80


def test_loudness_silence_and_clipping_are_measured() -> None:
    square = np.full(16000, 32767, np.int16)
    square[::2] = -32768
    square[8000:] = 0
    sound = read_sound(sounds.written("wav", square, 16000), 16000)
    assert (sound.peak, round(sound.rms, 2), sound.clipped) == (0.0, -3.01, 0.5)
    assert read_sound(sounds.written("wav", square // 4, 16000), 16000).clipped == 0
    silence = read_sound(sounds.written("wav", np.zeros(160, np.int16), 16000), 16000)
    assert (silence.peak, silence.rms) == (-200.0, -200.0)


def test_what_is_louder_than_full_scale_is_cut_off_not_wrapped() -> None:
    loud = np.concatenate([np.full(100, 1.7, np.float32), np.full(100, -1.7, np.float32)])
    got = sounds.stored(read_sound(sounds.written("wav", loud, 16000, "FLOAT"), 16000).flac)
    assert set(got[:100]) == {32767} and set(got[100:]) == {-32768}


def test_equal_samples_have_equal_content_in_every_container() -> None:
    contents = {read_sound(sounds.all_kinds()[kind], 16000).content for kind in LOSSLESS}
    assert len(contents) == 1
    assert read_sound(sounds.all_kinds()["wav"], 16000, 0.0, 5.9).content not in contents


def test_another_process_stores_the_same_bytes(tmp_path: Path) -> None:
    code = (
        "import hashlib, sys; from vita_data.media.audio import read_sound\n"
        "for path in sys.argv[1:]: print(hashlib.sha256(read_sound(path, 16000, 1.5, 4).flac).hexdigest())"
    )
    paths = []
    for kind in sounds.KINDS:
        paths.append(tmp_path / kind)
        paths[-1].write_bytes(sounds.all_kinds()[kind])
    outputs = {
        subprocess.run([sys.executable, "-c", code, *paths], cwd=ROOT, capture_output=True, check=True).stdout
        for _ in range(2)
    }
    assert len(outputs) == 1 and len(next(iter(outputs)).split()) == len(sounds.KINDS)


def test_facts_stand_beside_the_bytes() -> None:
    sound = read_sound(sounds.all_kinds()["mp3"], 16000, 1, 3)
    assert isinstance(sound, Sound)
    assert (sound.samples, sound.rate, sound.native_rate, sound.channels) == (32000, 16000, 44100, 1)
    assert len(sound.content) == 16 and -25 < sound.rms < sound.peak < 0

"""Sound is cut where the corpus says, to the sample, or refused with its reason."""

from __future__ import annotations

import io
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests import sounds
from vita_data.errors import RecordError
from vita_data.media.audio import LongSound, Sound, read_sound

RATES = {"opus": 48000, "webm": 48000, "gsm": 8000}
LOSSLESS = ("wav", "flac", "aiff", "nist")
ALL = (*sounds.WRITTEN, *sounds.ENCODED)
ROOT = Path(__file__).parents[2]


def rate_of(kind: str) -> int:
    return RATES.get(kind, 44100)


def refusal(
    source: str | bytes, start: float | None = None, end: float | None = None, **bounds: float
) -> RecordError:
    with pytest.raises(RecordError) as caught:
        read_sound(source, 16000, start, end, **bounds)
    return caught.value


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return {kind: sounds.made(kind, sounds.speechlike(6, rate_of(kind)), rate_of(kind)) for kind in ALL}


# What is stored


@pytest.mark.parametrize("kind", LOSSLESS)
def test_lossless_samples_at_their_own_rate_are_stored_as_they_are(
    files: dict[str, bytes], kind: str
) -> None:
    sound = read_sound(files[kind], 44100)
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
def test_the_delay_of_a_lossy_encoder_is_taken_out(files: dict[str, bytes], kind: str) -> None:
    original = sounds.speechlike(6, rate_of(kind)).astype(float)
    got = sounds.stored(read_sound(files[kind], rate_of(kind)).flac).astype(float)[: len(original)]
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


def test_equal_samples_have_equal_content_in_every_container(files: dict[str, bytes]) -> None:
    contents = {read_sound(files[kind], 16000).content for kind in LOSSLESS}
    assert len(contents) == 1
    assert read_sound(files["wav"], 16000, 0.0, 5.9).content not in contents


# Where it is cut


@pytest.mark.parametrize("kind", ALL)
def test_a_cut_is_the_same_part_of_the_whole_to_the_sample(files: dict[str, bytes], kind: str) -> None:
    rate = rate_of(kind)
    whole = sounds.stored(read_sound(files[kind], rate).flac)
    for start, end in ((0, 0.5), (0.1, 0.3), (1.001, 1.5), (2.5, 4.5), (3.33333, 5.9)):
        got = sounds.stored(read_sound(files[kind], rate, start, end).flac)
        part = whole[round(start * rate) : round(end * rate)]
        assert len(got) == len(part)
        # Opus predicts from what it decoded before, for ever less.
        assert np.abs(got.astype(int) - part).max() <= (kind in ("opus", "webm")), (start, end)
    assert read_sound(files[kind], rate, 4.2).samples == len(whole) - round(4.2 * rate)


@pytest.mark.parametrize("kind", ALL)
def test_a_long_sound_gives_the_same_in_any_order(files: dict[str, bytes], kind: str) -> None:
    rng = random.Random(5)
    parts = [(start, start + rng.uniform(0.05, 1.5)) for start in (rng.uniform(0, 4.4) for _ in range(20))]
    with LongSound(files[kind]) as sound:
        got = [sound.cut(16000, start, end) for start, end in parts]
    assert got == [read_sound(files[kind], 16000, start, end) for start, end in parts]


def test_a_long_sound_can_be_used_after_a_refusal(files: dict[str, bytes]) -> None:
    for kind in ALL:
        with LongSound(files[kind]) as sound:
            before = sound.cut(16000, 2, 3)
            with pytest.raises(RecordError):
                sound.cut(16000, 20, 21)
            assert sound.cut(16000, 2, 3) == before, kind


class Counted(io.BytesIO):
    """A file that counts the bytes that are read from it."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data


@pytest.mark.parametrize("kind", ["wav", "flac", "vorbis", "opus", "m4a"])
def test_a_cut_reads_little_of_a_long_file(kind: str) -> None:
    rate = rate_of(kind)
    file = Counted(sounds.made(kind, np.tile(sounds.speechlike(6, rate), 15), rate))
    read_sound(file, 16000, 70, 71)
    assert file.count < 400_000 < len(file.getvalue()) - 200_000
    assert not file.closed


@pytest.mark.parametrize(
    ("start", "end", "value", "threshold"),
    [
        (7.0, None, "7.0", "6.000"),
        (7.0, 8.0, "8.0", "6.000"),
        (5.0, 6.2, "6.2", "6.000"),
        (-1.0, 2.0, "-1.0", "0"),
        (3.0, 3.0, "3.0", "3.0"),
        (4.0, 3.0, "3.0", "4.0"),
        (float("nan"), 3.0, "nan", "0"),
        (2.0, float("nan"), "nan", "2.0"),
        (float("inf"), None, "inf", "0"),
    ],
)
@pytest.mark.parametrize("kind", ["wav", "flac", "vorbis", "mp3", "opus", "webm"])
def test_a_segment_outside_its_file_is_refused_with_both_times(
    files: dict[str, bytes], kind: str, start: float, end: float | None, value: str, threshold: str
) -> None:
    error = refusal(files[kind], start, end)
    assert (error.rule, error.value) == ("segment_outside", value)
    assert float(error.threshold or "nan") == pytest.approx(float(threshold), abs=0.01)


@pytest.mark.parametrize("kind", ["wav", "opus"])
def test_a_segment_that_ends_just_behind_its_file_ends_with_it(files: dict[str, bytes], kind: str) -> None:
    assert read_sound(files[kind], 16000, 5.0, 6.09) == read_sound(files[kind], 16000, 5.0)


# What is refused


@pytest.mark.parametrize("kind", ["wav", "mp3", "adts"])
def test_sounds_longer_or_shorter_than_the_caller_wants_are_refused(
    files: dict[str, bytes], kind: str
) -> None:
    error = refusal(files[kind], most_seconds=5)
    assert (error.rule, error.threshold) == ("audio_too_long", "5")
    assert refusal(files[kind], 1, 4, most_seconds=2.5).rule == "audio_too_long"
    error = refusal(files[kind], 1, 1.25, least_seconds=0.3)
    assert (error.rule, error.value, error.threshold) == ("audio_too_short", "0.250", "0.3")


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "audio_undecodable"),
        (bytes(5000), "audio_undecodable"),
        (b"A transcript lies where the sound should be.\n" * 50, "audio_undecodable"),
        (sounds.written("wav", np.zeros(0, np.int16), 16000), "audio_empty"),
        (sounds.written("wav", np.ones(9, np.int16), 16000)[:44], "audio_empty"),
        (sounds.written("flac", np.ones(9, np.int16), 16000)[:42], "audio_undecodable"),
        (sounds.film(None), "no_audio"),
        (sounds.written("wav", np.full(99, np.nan, np.float32), 16000, "FLOAT"), "audio_undecodable"),
        (sounds.written("wav", np.ones(99, np.int16), 384_000), "audio_undecodable"),
        (sounds.written("wav", np.ones(99, np.int16), 8), "audio_undecodable"),
        (sounds.written("wav", np.ones((99, 256), np.int16), 16000), "audio_undecodable"),
    ],
    ids=[
        "nothing",
        "zeros",
        "text",
        "empty",
        "header",
        "flac header",
        "film",
        "nan",
        "384 kHz",
        "8 Hz",
        "256 channels",
    ],
)
def test_what_is_no_sound_is_refused(data: bytes, rule: str) -> None:
    assert refusal(data).rule == rule


def test_the_sound_of_a_film_is_read() -> None:
    sound = read_sound(sounds.film(sounds.speechlike(1, 48000)), 16000)
    assert (sound.native_rate, round(sound.samples / 16000, 1)) == (48000, 1.0)


@pytest.mark.parametrize("kind", ALL)
def test_the_bytes_tell_the_format_and_not_the_name(
    tmp_path: Path, files: dict[str, bytes], kind: str
) -> None:
    path = tmp_path / "sound.txt"
    path.write_bytes(files[kind])
    assert read_sound(str(path), 16000) == read_sound(files[kind], 16000)


def test_a_format_without_any_header_is_told_by_its_name() -> None:
    data = random.Random(2).randbytes(8000)
    assert read_sound(data, 16000, name="prompts/hello.g722").samples == 16000
    assert refusal(data).rule == "audio_undecodable"


def test_a_play_list_does_not_open_the_files_that_it_names(tmp_path: Path, files: dict[str, bytes]) -> None:
    (tmp_path / "secret.mp3").write_bytes(files["mp3"])
    for number, words in enumerate(
        ("#EXTM3U\n#EXTINF:6,\n{}\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile '{}'\n")
    ):
        path = tmp_path / f"{number}.m3u8"
        path.write_text(words.format(tmp_path / "secret.mp3"))
        assert refusal(str(path)).rule == "audio_undecodable"


def test_a_file_that_is_not_there_or_fails_is_no_fault_of_its_sound(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 8192:
                raise OSError(5, "Input/output error")
            return super().read(size)

    assert refusal(str(tmp_path / "gone.wav")).rule == "media_missing"
    assert refusal(str(tmp_path)).rule == "media_unreadable"
    for kind in ("wav", "flac", "mp3", "opus"):
        with pytest.raises(RecordError) as caught:
            read_sound(Failing(files[kind]), 16000)
        assert caught.value.rule == "media_unreadable", kind


# What is cut short


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3", "mkv"])
def test_a_truncated_file_is_refused_with_what_is_there_and_what_should_be(
    files: dict[str, bytes], kind: str
) -> None:
    error = refusal(files[kind][: len(files[kind]) // 2])
    assert error.rule == "audio_truncated"
    assert float(error.value or 0) == pytest.approx(3, abs=0.3)
    assert float(error.threshold or 0) == pytest.approx(6, abs=0.1)


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3"])
def test_parts_before_the_damage_and_files_that_lack_next_to_nothing_are_kept(
    files: dict[str, bytes], kind: str
) -> None:
    half = files[kind][: len(files[kind]) // 2]
    assert read_sound(half, 16000, 1, 2) == read_sound(files[kind], 16000, 1, 2)
    assert read_sound(files[kind][: len(files[kind]) * 19 // 20], 16000).samples >= 5.5 * 16000


def test_a_header_that_claims_hours_takes_no_memory_and_no_time() -> None:
    data = bytearray(sounds.written("wav", np.ones(500, np.int16), 16000))
    data[40:44] = (36000 * 32000).to_bytes(4, "little")
    error = refusal(bytes(data))
    assert (error.rule, error.value, error.threshold) == ("audio_too_long", "36000.000", "600.0")
    assert refusal(bytes(data), most_seconds=1e6).rule == "audio_truncated"


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_a_wav_written_to_a_pipe_has_no_size_and_is_read_to_its_end(
    files: dict[str, bytes], size: int
) -> None:
    data = files["wav"]
    data = data[:40] + size.to_bytes(4, "little") + data[44:]
    assert read_sound(data, 16000) == read_sound(files["wav"], 16000)


def test_damage_in_one_place_of_a_flac_spares_the_others(files: dict[str, bytes]) -> None:
    data = bytearray(files["flac"])
    data[len(data) // 2] ^= 0xFF
    assert read_sound(bytes(data), 16000, 0.5, 2) == read_sound(files["flac"], 16000, 0.5, 2)
    assert read_sound(bytes(data), 16000, 4, 5.5) == read_sound(files["flac"], 16000, 4, 5.5)


def test_a_rate_that_changes_in_the_middle_is_refused() -> None:
    parts = [sounds.written("mp3", sounds.speechlike(1, rate), rate) for rate in (44100, 32000)]
    error = refusal(b"".join(parts))
    assert (error.rule, {error.value, error.threshold}) == ("audio_undecodable", {"32000", "44100"})


# The same every time


def test_another_process_stores_the_same_bytes(tmp_path: Path, files: dict[str, bytes]) -> None:
    code = (
        "import hashlib, sys; from vita_data.media.audio import read_sound\n"
        "for path in sys.argv[1:]: print(hashlib.sha256(read_sound(path, 16000, 1.5, 4).flac).hexdigest())"
    )
    paths = []
    for kind in ALL:
        paths.append(tmp_path / kind)
        paths[-1].write_bytes(files[kind])
    outputs = {
        subprocess.run([sys.executable, "-c", code, *paths], cwd=ROOT, capture_output=True, check=True).stdout
        for _ in range(2)
    }
    assert len(outputs) == 1 and len(next(iter(outputs)).split()) == len(ALL)


def test_facts_stand_beside_the_bytes(files: dict[str, bytes]) -> None:
    sound = read_sound(files["mp3"], 16000, 1, 3)
    assert isinstance(sound, Sound)
    assert (sound.samples, sound.rate, sound.native_rate, sound.channels) == (32000, 16000, 44100, 1)
    assert len(sound.content) == 16 and -25 < sound.rms < sound.peak < 0

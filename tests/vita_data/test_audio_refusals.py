"""What is no sound, not the sound that was asked for or not all of it is refused with its reason."""

from __future__ import annotations

import io
import os
import random
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests import sounds
from vita_data.errors import RecordError
from vita_data.media.audio import read_sound


def refusal(
    source: str | bytes, start: float | None = None, end: float | None = None, **bounds: float
) -> RecordError:
    with pytest.raises(RecordError) as caught:
        read_sound(source, 16000, start, end, **bounds)
    return caught.value


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((64, 64), 60).save(buffer, "PNG")
    return buffer.getvalue()


def wide_wav() -> bytes:
    """A WAV of 64-bit whole numbers, which FFmpeg decodes and numpy's bridge does not know."""
    data = bytearray(sounds.written("wav", np.ones(400, np.int16), 16000))
    data[32:36] = (8).to_bytes(2, "little") + (64).to_bytes(2, "little")
    return bytes(data)


@pytest.mark.parametrize("kind", ["wav", "mp3", "adts"])
def test_sounds_longer_or_shorter_than_the_caller_wants_are_refused(kind: str) -> None:
    error = refusal(sounds.all_kinds()[kind], most_seconds=5)
    assert (error.rule, error.threshold) == ("audio_too_long", "5")
    assert refusal(sounds.all_kinds()[kind], 1, 4, most_seconds=2.5).rule == "audio_too_long"
    error = refusal(sounds.all_kinds()[kind], 1, 1.25, least_seconds=0.3)
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
        (picture(), "audio_undecodable"),
        (wide_wav(), "audio_undecodable"),
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
        "picture",
        "64 bits",
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


@pytest.mark.parametrize("kind", sounds.KINDS)
def test_the_bytes_tell_the_format_and_not_the_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "sound.txt"
    path.write_bytes(sounds.all_kinds()[kind])
    assert read_sound(str(path), 16000) == read_sound(sounds.all_kinds()[kind], 16000)


def test_a_format_without_any_header_is_told_by_its_name() -> None:
    data = random.Random(2).randbytes(8000)
    assert read_sound(data, 16000, name="prompts/hello.g722").samples == 16000
    assert refusal(data).rule == "audio_undecodable"


def test_a_play_list_does_not_open_the_files_that_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.mp3").write_bytes(sounds.all_kinds()["mp3"])
    for words in ("#EXTM3U\n#EXTINF:6,\n{}\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile {}\n"):
        for name in (tmp_path / "secret.mp3", "secret.mp3"):
            (tmp_path / "list.m3u8").write_text(words.format(name))
            assert refusal(str(tmp_path / "list.m3u8")).rule == "audio_undecodable"


def test_a_file_that_is_not_there_or_fails_is_no_fault_of_its_sound(tmp_path: Path) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 8192:
                raise OSError(5, "Input/output error")
            return super().read(size)

    assert refusal(str(tmp_path / "gone.wav")).rule == "media_missing"
    assert refusal(str(tmp_path)).rule == "media_unreadable"
    os.mkfifo(tmp_path / "pipe.wav")
    assert refusal(str(tmp_path / "pipe.wav")).rule == "media_unreadable"
    for kind in ("wav", "flac", "mp3", "opus"):
        with pytest.raises(RecordError) as caught:
            read_sound(Failing(sounds.all_kinds()[kind]), 16000)
        assert caught.value.rule == "media_unreadable", kind


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3", "mkv"])
def test_a_truncated_file_is_refused_with_what_is_there_and_what_should_be(kind: str) -> None:
    error = refusal(sounds.all_kinds()[kind][: len(sounds.all_kinds()[kind]) // 2])
    assert error.rule == "audio_truncated"
    assert float(error.value or 0) == pytest.approx(3, abs=0.3)
    assert float(error.threshold or 0) == pytest.approx(6, abs=0.1)


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3"])
def test_parts_before_the_damage_and_files_that_lack_next_to_nothing_are_kept(kind: str) -> None:
    half = sounds.all_kinds()[kind][: len(sounds.all_kinds()[kind]) // 2]
    assert read_sound(half, 16000, 1, 2) == read_sound(sounds.all_kinds()[kind], 16000, 1, 2)
    assert (
        read_sound(sounds.all_kinds()[kind][: len(sounds.all_kinds()[kind]) * 19 // 20], 16000).samples
        >= 5.5 * 16000
    )


def test_a_header_that_claims_hours_takes_no_memory_and_no_time() -> None:
    data = bytearray(sounds.written("wav", np.ones(500, np.int16), 16000))
    data[40:44] = (36000 * 32000).to_bytes(4, "little")
    error = refusal(bytes(data))
    assert (error.rule, error.value, error.threshold) == ("audio_too_long", "36000.000", "600.0")
    assert refusal(bytes(data), most_seconds=1e6).rule == "audio_truncated"


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_a_wav_written_to_a_pipe_has_no_size_and_is_read_to_its_end(size: int) -> None:
    data = sounds.all_kinds()["wav"]
    data = data[:40] + size.to_bytes(4, "little") + data[44:]
    assert read_sound(data, 16000) == read_sound(sounds.all_kinds()["wav"], 16000)


def test_damage_in_one_place_of_a_flac_spares_the_others() -> None:
    data = bytearray(sounds.all_kinds()["flac"])
    data[len(data) // 2] ^= 0xFF
    assert read_sound(bytes(data), 16000, 0.5, 2) == read_sound(sounds.all_kinds()["flac"], 16000, 0.5, 2)
    assert read_sound(bytes(data), 16000, 4, 5.5) == read_sound(sounds.all_kinds()["flac"], 16000, 4, 5.5)


def test_a_rate_that_changes_in_the_middle_is_refused() -> None:
    parts = [sounds.written("mp3", sounds.speechlike(1, rate), rate) for rate in (44100, 32000)]
    error = refusal(b"".join(parts))
    assert (error.rule, {error.value, error.threshold}) == ("audio_undecodable", {"32000", "44100"})


def test_a_film_whose_sound_is_damaged_in_the_middle_is_refused() -> None:
    data = bytearray(sounds.film(sounds.speechlike(4, 48000), container="matroska"))
    with av.open(io.BytesIO(data)) as container:
        packets = [packet for packet in container.demux(container.streams.audio[0]) if packet.size]
        places = [(packet.pos + 8, packet.pos + packet.size) for packet in packets[50:150]]
    assert read_sound(bytes(data), 16000).samples > 63_000
    for start, stop in places:
        data[start:stop] = b"\xff" * (stop - start)
    assert refusal(bytes(data)).rule == "audio_truncated"


def test_a_header_that_leads_before_the_file_is_refused_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", heard.append)  # where errors between C and Python end
    for length in range(20, 40):
        assert refusal(sounds.all_kinds()["aiff"][:length]).rule in ("audio_undecodable", "audio_empty")
    assert not heard

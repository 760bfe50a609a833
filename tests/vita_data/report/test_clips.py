from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import soundfile

from vita_data.report.clips import RATE, SECONDS, Tape


def tone(seconds: float, rate: int = 44_100, channels: int = 2, kind: str = "WAV") -> bytes:
    """A tone as a file of some kind."""
    time = np.arange(round(seconds * rate)) / rate
    samples = np.repeat(0.3 * np.sin(2 * np.pi * 440 * time)[:, None], channels, axis=1)
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format=kind, subtype="PCM_16")
    return stream.getvalue()


def played(page):
    """The samples of the players of a page, and their rates."""
    return [
        soundfile.read(io.BytesIO(base64.b64decode(player["src"].removeprefix("data:audio/flac;base64,"))))
        for player in page.all("audio")
    ]


def test_a_clip_is_the_first_seconds_as_mono_flac(parse):
    page = parse(Tape(1 << 20).clip(tone(8), "a tone"))
    ((samples, rate),) = played(page)
    assert (samples.shape, rate) == ((SECONDS * RATE,), RATE)
    assert page.text == "first 3 s"
    (player,) = page.all("audio")
    assert (player["aria-label"], player["preload"], "controls" in player) == ("a tone", "none", True)


def test_a_short_sound_is_played_whole(parse):
    page = parse(Tape(1 << 20).clip(tone(0.5, kind="FLAC"), "short"))
    assert len(played(page)[0][0]) == RATE // 2
    assert page.text == "0.5 s"


def test_a_clip_may_begin_where_it_matters(parse):
    page = parse(Tape(1 << 20).clip(tone(8), "a tone", 6.5))
    assert len(played(page)[0][0]) == pytest.approx(1.5 * RATE, abs=2)
    assert page.text == "1.5 s from 6.5 s on"


def test_of_a_sound_that_is_cut_off_plays_what_there_is(parse):
    data = tone(2.5)
    ((samples, _),) = played(parse(Tape(1 << 20).clip(data[: len(data) // 2], "cut")))
    assert len(samples) == pytest.approx(1.25 * RATE, abs=2)


def test_what_is_no_sound_is_said_in_words(parse):
    page = parse(Tape(1 << 20).clip(b"no sound at all", "words"))
    assert not page.all("audio")
    assert page.text == "No clip: broken sound"


def test_a_tape_ends_with_its_budget(parse):
    tape = Tape(10_000)
    assert parse(tape.clip(tone(3), "first")).all("audio")
    assert parse(tape.clip(tone(3), "second")).text == "No clip: left out to keep the page small"


@pytest.mark.parametrize("name", ["lost.wav", "../secret.wav", "broken.wav", "/etc/hostname"])
def test_a_file_that_cannot_be_heard_has_no_player(tmp_path, name):
    (tmp_path / "root").mkdir()
    (tmp_path / "secret.wav").write_bytes(tone(1))
    (tmp_path / "root" / "broken.wav").write_bytes(b"RIFF")
    assert Tape(1 << 20).file(str(tmp_path / "root"), name) is None
    assert Tape(1 << 20).file(None, "there.wav") is None


def test_a_file_below_its_root_is_heard(parse, tmp_path):
    (tmp_path / "there.wav").write_bytes(tone(5))
    assert parse(Tape(1 << 20).file(str(tmp_path), "there.wav")).text == "first 3 s of the file"


def test_equal_sounds_make_equal_clips():
    assert Tape(1 << 20).clip(tone(4), "x") == Tape(1 << 20).clip(tone(4), "x")

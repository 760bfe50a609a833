"""Media that hang or crash their decoder: what becomes of them, and of the training they are in."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
import soundfile
import torch
from PIL import Image

from vita_data import files
from vita_data.errors import ShardError
from vita_data.shards.read import Stage
from vita_data.shards.write import ShardSample
from vita_model.batch import decoder
from vita_model.batch.decode import Picture, Sound, Unreadable, decode
from vita_model.batch.decoder import within
from vita_model.batch.segments import Cut
from vita_model.train.options import Options
from vita_model.train.program import train

Metrics = Callable[[Path], list[dict[str, Any]]]
ODD = 5  # the sample that takes too long


def png(side: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (side, side), (9, 90, 200)).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="module")
def slow() -> bytes:
    """A picture that takes a second or two to decode, and little room."""
    return png(9000)


def tile(data: bytes) -> Picture:
    return Picture(data, (1, 1), 112, True)


def test_another_process_decodes_to_the_same_numbers() -> None:
    stream = io.BytesIO()
    soundfile.write(stream, 0.3 * numpy.sin(numpy.arange(4000) / 9), 16000, format="FLAC")
    for medium in (Picture(png(300), (3, 2), 112, True), Sound(stream.getvalue(), 16000)):
        numpy.testing.assert_array_equal(within()(medium), decode(medium))


def test_what_takes_too_long_is_ended_after_its_time(slow: bytes) -> None:
    begun = time.monotonic()
    with pytest.raises(Unreadable, match=r"not done after 0\.1 s") as raised:
        within(0.1)(tile(slow))
    assert (raised.value.rule, raised.value.threshold) == ("timed_out", "0.1")
    assert time.monotonic() - begun < 1.0
    assert len(within(20)(tile(png(50)))) == 1  # the next is decoded as ever


def test_what_ends_its_process_each_time_is_broken_and_harms_nobody_else(slow: bytes) -> None:
    decoder._end_all()
    decoder._idle += [decoder._Child(), decoder._Child()]
    pids = [child.process.pid for child in decoder._idle]
    kills = [threading.Timer(0.3 * n, os.kill, (pid, signal.SIGKILL)) for n, pid in enumerate(pids[::-1], 1)]
    for kill in kills:
        kill.start()
    with pytest.raises(Unreadable, match="it ends its decoder by SIGKILL"):
        within()(tile(slow))
    for kill in kills:
        kill.join()
    assert len(within()(tile(png(50)))) == 1


def test_a_process_that_was_ended_while_it_waited_is_replaced() -> None:
    within()(tile(png(50)))
    for child in decoder._idle:
        child.process.kill()
        child.process.wait()
    assert len(within()(tile(png(50)))) == 1


def test_what_no_decoder_reads_is_broken_and_what_no_build_writes_is_an_error() -> None:
    with pytest.raises(Unreadable, match="cannot identify image") as raised:
        within()(tile(b"no picture"))
    assert raised.value.rule == "broken"
    stream = io.BytesIO()
    soundfile.write(stream, numpy.zeros(400), 8000, format="FLAC")
    with pytest.raises(ShardError, match="8000 Hz") as odd:
        within()(Sound(stream.getvalue(), 16000))
    assert not isinstance(odd.value, Unreadable)


def test_a_decoder_does_not_outlive_its_parent() -> None:
    call = (
        "import os; from vita_model.batch import decoder; child = decoder._Child(); "
        "print(child.process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run([sys.executable, "-c", call], capture_output=True, text=True)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{ended.stdout.strip()}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{ended.stdout.strip()}").exists()


@pytest.fixture
def stage_with(
    make_stage: Callable[..., Path], make_sample: Callable[..., ShardSample], tmp_path: Path
) -> Callable[[bytes], str]:
    """The function that makes a build in which one picture is another's bytes."""

    def build(data: bytes) -> str:
        def make(number: int, **changes: Any) -> ShardSample:
            made = make_sample(number, **changes)
            return replace(made, media=[("png", data)]) if number == ODD else made

        make_stage(tmp_path, "1.2", held_out=0, make=make, schedule={"epochs": 3})
        return str(tmp_path)

    return build


def keys(make_sample: Callable[..., ShardSample]) -> str:
    return make_sample(ODD).key


def test_a_sample_that_takes_too_long_is_left_out_by_name_and_stays_so(
    stage_with: Callable[[bytes], str],
    make_sample: Callable[..., ShardSample],
    slow: bytes,
    metrics: Metrics,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = stage_with(slow)
    whole = Options("1.2", data, "tiny", tmp_path / "whole", sample_timeout=0.5)
    train(whole)
    rows = files.read_json(str(whole.out / "left-out.json"))
    assert [(row["key"], row["rule"], row["threshold"]) for row in rows] == [
        (keys(make_sample), "timed_out", "0.5")
    ]
    told = capsys.readouterr().err
    assert f"1 samples are left out (timed_out 1), such as {rows[0]['key']}: " in told
    lines = metrics(whole.out)
    assert sum(line["samples"] for line in lines) == 3 * 23
    cut = replace(whole, out=tmp_path / "cut", max_steps=4)
    train(cut)
    train(replace(cut, max_steps=None, resume=True, sample_timeout=60.0))  # now there would be time enough
    assert [line["loss"] for line in metrics(cut.out)] == [line["loss"] for line in lines]


def test_a_sample_that_no_decoder_reads_is_left_out_where_its_shard_is_intact(
    stage_with: Callable[[bytes], str],
    make_sample: Callable[..., ShardSample],
    metrics: Metrics,
    tmp_path: Path,
) -> None:
    train(Options("1.2", stage_with(b"no picture at all"), "tiny", tmp_path / "run"))
    rows = files.read_json(str(tmp_path / "run" / "left-out.json"))
    assert [(row["key"], row["rule"]) for row in rows] == [(keys(make_sample), "broken")]
    assert "its picture cannot be decoded" in rows[0]["message"]


def test_the_segment_of_a_clip_that_no_decoder_reads_is_cut_from_another(
    make_stage: Callable[..., Path], make_spoken: Callable[..., ShardSample], tmp_path: Path
) -> None:
    def make(number: int, **changes: Any) -> ShardSample:
        made = make_spoken(number, **changes)
        return replace(made, media=[("flac", b"fLaC and no more")]) if number % 4 == 1 else made

    stage = Stage(make_stage(tmp_path, "3.1", shards=1, per_shard=4, per_pack=4, held_out=0, make=make))
    places = stage.packs()[0].samples
    cut = Cut(800, 16000, 7, within())
    found = cut.batch(stage, 3, enumerate(places))
    assert found.keys == (places[0].key, places[2].key, places[2].key, places[3].key)
    assert found.segments.shape == found.others.shape == (4, 1, 800)
    assert [row["key"] for row in cut.left_out.rows()] == [places[1].key]
    assert not torch.equal(found.segments[1], found.segments[2])  # each slot draws its own
    with pytest.raises(ShardError, match="step 3: none of its clips can be read"):
        cut.batch(stage, 3, [(1, places[1])])


@pytest.mark.slow
def test_two_ranks_leave_out_and_skip_alike(
    stage_with: Callable[[bytes], str],
    make_sample: Callable[..., ShardSample],
    cli: Callable[..., subprocess.CompletedProcess[str]],
    slow: bytes,
    metrics: Metrics,
    tmp_path: Path,
) -> None:
    asked = ["train", "--stage", "1.2", "--data", stage_with(slow), "--out", tmp_path / "run", "--zero", 2]
    guards = ["--sample-timeout", 0.5, "--skip-spikes", 0.01, "--spike-window", 4]
    ended = cli(*asked, *guards, processes=2)
    assert ended.returncode == 0, ended.stderr
    rows = files.read_json(str(tmp_path / "run" / "left-out.json"))
    assert [(row["key"], row["rule"]) for row in rows] == [(keys(make_sample), "timed_out")]
    lines = metrics(tmp_path / "run")
    assert sum(line["samples"] for line in lines) == 3 * 23
    skipped = [line for line in lines if line.get("skipped")]
    assert skipped and all(len(line["skipped_samples"]) == line["samples"] for line in skipped)
    assert ended.stderr.count("samples are left out") == 1

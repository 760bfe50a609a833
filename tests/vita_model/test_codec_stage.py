"""Stage 3.1: the codec learns against its discriminators, alone or on several ranks, and goes on where it was."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
import wave
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
import soundfile
import torch

from vita_data.errors import UsageError
from vita_data.records.canon import canonical_bytes
from vita_data.records.key import sample_key
from vita_data.shards.write import ShardSample
from vita_model.batch.order import SampleOrder, keys, ranks
from vita_model.batch.segments import Cut
from vita_model.config import presets
from vita_model.nets.vita import build
from vita_model.train import checkpoint
from vita_model.train.codec.program import train_codec
from vita_model.train.options import Options
from vita_model.train.tensors import Tensors

Metrics = Callable[[Path], list[dict[str, Any]]]
ROOT = Path(__file__).parents[2]
SAMPLES = 4800
# A random codec's global vectors are alike to the last bits of fp32, and the batch norm makes much of these.
APART = 2e-2

# A rank of its own, with segments of a fifth of a second.
RANK = """
import sys, torch
from pathlib import Path
torch.set_num_threads(1)
from dataclasses import replace
from vita_model.config import presets
plain = presets.tiny()
presets.PRESETS["tiny"] = lambda: replace(plain, codec=replace(plain.codec, segment=4800))
from vita_model.train.codec.program import train_codec
from vita_model.train.options import Options
data, out, zero, more = sys.argv[1:5]
train_codec(Options("3.1", data, "tiny", Path(out), zero=int(zero), **eval(more)))
"""


@pytest.fixture(autouse=True)
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = presets.tiny()
    short = replace(plain, codec=replace(plain.codec, segment=SAMPLES))
    monkeypatch.setitem(presets.PRESETS, "tiny", lambda: short)


def said(number: int, source: str = "tones") -> ShardSample:
    """The n-th clip: two harmonics at 24 kHz, every fifth shorter than a segment."""
    samples = 3000 if number % 5 == 4 else 9000 + 600 * (number % 3)
    time = numpy.arange(samples) / 24000
    pitch = 150 + 25 * (number % 6)
    sound = 0.3 * numpy.sin(2 * numpy.pi * pitch * time) + 0.1 * numpy.sin(6 * numpy.pi * pitch * time)
    stream = io.BytesIO()
    soundfile.write(stream, sound, 24000, format="FLAC")
    key = sample_key(source, "tones.json", str(number), 0)
    record = {"conversations": [{"from": "gpt", "value": "A tone."}], "id": key, "audio": [f"{key}.0.flac"]}
    return ShardSample(
        key=key,
        record=canonical_bytes({**record, "image": [], "video": [], "inserted_id": None}),
        media=[("flac", stream.getvalue())],
        length=10,
        seconds=samples / 24000,
        sound_samples=samples,
        source=source,
    )


@pytest.fixture(scope="module")
def make(make_stage: Callable[..., Path]) -> Callable[..., str]:
    """Writes a small stage of speech with some values of its schedule."""

    def make_speech(folder: Path, **schedule: Any) -> str:
        changed = {"learning_rate": 2e-3, "betas": [0.5, 0.9], "clip": None, "decay": "exponential"}
        changed |= {"decay_rate": 0.98, "warmup_ratio": 0.0, "global_batch": 5, "epochs": 1, **schedule}
        make_stage(folder, "3.1", make=said, trains=["codec"], loss="codec", held_out=3, schedule=changed)
        return str(folder)

    return make_speech


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, make: Callable[..., str]) -> str:
    return make(tmp_path_factory.mktemp("speech"), discriminator_start=1)


def launch(
    data: str, out: Path, zero: int, processes: int = 1, **more: Any
) -> subprocess.CompletedProcess[str]:
    """A training in processes of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    launched = {"RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}
    plain = {name: value for name, value in os.environ.items() if name not in launched}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", RANK, data, str(out), str(zero), repr(more)],
            cwd=ROOT,
            env={
                **plain,
                "OMP_NUM_THREADS": "1",
                "RANK": str(rank),
                "LOCAL_RANK": str(rank),
                "WORLD_SIZE": str(processes),
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(port),
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(processes)
    ]
    errors = [one.communicate(timeout=240)[1] for one in running]
    return subprocess.CompletedProcess([], max(one.returncode for one in running), "", "\n".join(errors))


def tensors(run: Path, stem: str = "model") -> dict[str, torch.Tensor]:
    stored = Tensors(checkpoint.find(run), stem)
    return {name: stored.read(name) for name in stored.names()}


def learned(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What does not depend on the clock."""
    return [
        {name: value for name, value in line.items() if not name.endswith(("seconds", "per_second"))}
        for line in lines
    ]


@pytest.fixture(scope="module")
def alone(data: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that the others are held against: one process, never interrupted."""
    run = tmp_path_factory.mktemp("runs") / "alone"
    done = launch(data, run, 0)
    assert done.returncode == 0, done.stderr[-3000:]
    return run


def test_every_batch_is_full_and_each_epoch_has_every_clip_once(data: str) -> None:
    from vita_data.shards.read import Stage

    order = SampleOrder(Stage(Path(data) / "stages" / "3.1").packs(), 7, 5, 2)
    assert order.steps == 10
    seen = [key for step in range(10) for key in keys(order.step(step))]
    assert len(seen) == 50 and len(set(seen[:24])) == len(set(seen[24:48])) == 24
    assert seen[:24] != seen[24:48]


def test_segments_depend_on_step_slot_and_key_alone(data: str) -> None:
    from vita_data.shards.read import Stage

    stage = Stage(Path(data) / "stages" / "3.1")
    slots = SampleOrder(stage.packs(), 7, 5).step(3)
    drawn = [(slot, pack.samples[0]) for slot, pack in enumerate(slots) if pack is not None]
    cut = Cut(SAMPLES, 24000, 7)
    whole = cut.batch(stage, 3, drawn)
    assert whole.segments.shape == whole.others.shape == (5, 1, SAMPLES)
    for rank, share in enumerate(ranks(slots, 2)):
        mine = [(rank + 2 * n, pack.samples[0]) for n, pack in enumerate(share) if pack is not None]
        assert torch.equal(cut.batch(stage, 3, mine).segments, whole.segments[rank::2])
    assert not torch.equal(cut.batch(stage, 4, drawn).segments, whole.segments)
    short = [n for n, (_, place) in enumerate(drawn) if place.key == said(4).key or place.key == said(9).key]
    assert all(not whole.segments[n, 0, 3000:].any() for n in short)


def test_what_the_codec_does_not_touch_stays_to_the_bit_and_the_rest_moves(alone: Path) -> None:
    before, after = build(presets.preset("tiny"), 7).state_dict(), tensors(alone)
    assert set(before) == set(after)
    assert all(torch.equal(value, after[name]) for name, value in before.items() if name[:6] != "codec.")
    still = [
        name for name, value in before.items() if name[:6] == "codec." and torch.equal(value, after[name])
    ]
    assert not still, still


def test_held_out_clips_are_scored_by_source_and_can_be_heard(alone: Path) -> None:
    scores = json.loads((alone / "eval.json").read_text())
    assert set(scores["sources"]) == {"squares", "others"} and scores["samples"] == 3
    mean = sum(part["loss"] * part["samples"] for part in scores["sources"].values()) / 3
    assert scores["loss"] == pytest.approx(mean) and 0 < scores["code_use"]["frame_share"] < 1
    left = sorted(path.name for path in (alone / "eval").iterdir())
    assert len(left) == 4
    for made in (alone / "eval").glob("*.codec.wav"):
        with wave.open(str(made)) as one, wave.open(str(made).replace(".codec.wav", ".wav")) as other:
            assert one.getframerate() == 24000 and one.getnframes() == other.getnframes() > 0


def test_metrics_tell_every_term_and_the_use_of_codes(alone: Path, metrics: Metrics) -> None:
    first, *others = metrics(alone)
    assert "loss_adversarial" not in first and "loss_discriminator" not in first
    for line in others:
        assert line["loss_adversarial"] > 0 and line["loss_discriminator"] > 0 and line["gradient_norm"] > 0
        assert 1 <= line["frame_perplexity"] <= 1024 and 0 < line["global_share"] <= 1
        assert line["samples"] == 5 and line["tokens"] == 40 and line["sources"]["tones"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("zero", [0, 1, 2])
def test_two_ranks_learn_what_one_learns(
    data: str, alone: Path, tmp_path: Path, metrics: Metrics, zero: int
) -> None:
    done = launch(data, tmp_path / "two", zero, processes=2)
    assert done.returncode == 0, done.stderr[-3000:]
    one, two = metrics(alone), metrics(tmp_path / "two")
    assert two[0]["loss"] == pytest.approx(one[0]["loss"], rel=1e-4)
    assert two[1]["loss_discriminator"] == pytest.approx(one[1]["loss_discriminator"], rel=1e-2)
    for name in ("loss", "loss_mel_1024"):
        assert [line[name] for line in two] == pytest.approx([line[name] for line in one], rel=APART), name


@pytest.mark.slow
@pytest.mark.parametrize("zero", [0, 2])
def test_a_run_goes_on_with_the_same_losses_to_the_bit(
    data: str, tmp_path: Path, metrics: Metrics, zero: int
) -> None:
    whole = Options("3.1", data, "tiny", tmp_path / "whole", zero=zero)
    train_codec(whole)
    cut = replace(whole, out=tmp_path / "cut", max_steps=3)
    assert train_codec(cut)["step"] == 3
    train_codec(replace(cut, max_steps=None, resume=True))
    assert learned(metrics(cut.out)) == learned(metrics(whole.out))
    for stem in ("model", "optimizer", "discriminators", "optimizer_discriminators"):
        mine, theirs = tensors(whole.out, stem), tensors(cut.out, stem)
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(value, theirs[name]) for name, value in mine.items()), stem


@pytest.mark.slow
def test_what_two_ranks_began_one_goes_on_with(
    data: str, alone: Path, tmp_path: Path, metrics: Metrics
) -> None:
    run = tmp_path / "elastic"
    assert launch(data, run, 2, processes=2, max_steps=3).returncode == 0
    done = launch(data, run, 1, resume=True)
    assert done.returncode == 0, done.stderr[-3000:]
    wanted = [line["loss"] for line in metrics(alone)]
    assert [line["loss"] for line in metrics(run)] == pytest.approx(wanted, rel=APART)


@pytest.mark.slow
def test_the_mel_distance_falls(make: Callable[..., str], tmp_path: Path, metrics: Metrics) -> None:
    train_codec(Options("3.1", make(tmp_path, epochs=6, discriminator_start=10), "tiny", tmp_path / "run"))
    found = [line["loss_mel_1024"] for line in metrics(tmp_path / "run")]
    assert sum(found[-5:]) / 5 < 0.6 * found[0], found


def test_zero_3_and_too_few_segments_for_the_norm_are_refused(
    data: str, make: Callable[..., str], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="ZeRO 3 divides the weights themselves"):
        train_codec(Options("3.1", data, "tiny", tmp_path / "run", zero=3))
    with pytest.raises(UsageError, match="trained in fp32, not bf16"):
        train_codec(Options("3.1", data, "tiny", tmp_path / "run", precision="bf16"))
    few = make(tmp_path / "few", global_batch=1)
    with pytest.raises(UsageError, match="fewer than the 2 that each of 1 ranks needs"):
        train_codec(Options("3.1", few, "tiny", tmp_path / "run"))

"""Stage 3.1: the codec learns against its discriminators, alone or on several ranks, and goes on where it was."""

from __future__ import annotations

import io
import json
import wave
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
import soundfile
import torch
from click.testing import CliRunner

from tests.vita_model.ranks import cut_segments, train_together
from vita_data.errors import UsageError
from vita_data.records.canon import canonical_bytes
from vita_data.records.key import sample_key
from vita_data.shards.write import ShardSample
from vita_model.batch.order import SampleOrder, keys
from vita_model.batch.segments import Cut
from vita_model.cli.main import main
from vita_model.config import presets
from vita_model.nets.vita import build
from vita_model.train import checkpoint
from vita_model.train.codec.program import train_codec
from vita_model.train.options import Options
from vita_model.train.tensors import Tensors

Metrics = Callable[[Path], list[dict[str, Any]]]
SAMPLES = 4800
# What a random codec hears differs in the last bits of fp32, and its norm over the batch makes much of these: after
# some steps at a high rate so far apart. In float64 two ranks agree to 1e-12 in every step.
APART = 5e-3


@pytest.fixture(autouse=True, scope="module")
def short_segments() -> Iterator[None]:
    """Segments of a fifth of a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(presets.PRESETS, "tiny", presets.tiny)
        cut_segments(SAMPLES)
        yield


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


def tensors(run: Path, stem: str = "model") -> dict[str, torch.Tensor]:
    stored = Tensors(checkpoint.find(run), stem)
    return {name: stored.read(name) for name in stored.names()}


def learned(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What does not depend on the clock."""
    clock = ("seconds", "per_second", "share_of_peak", "memory")
    return [{name: value for name, value in line.items() if not name.endswith(clock)} for line in lines]


@pytest.fixture(scope="module")
def alone(data: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that the others are held against: one process, never interrupted."""
    run = tmp_path_factory.mktemp("runs") / "alone"
    train_codec(Options("3.1", data, "tiny", run))
    return run


@pytest.fixture(scope="module")
def together(data: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of two ranks: one at each ZeRO stage, and one that was cut off."""
    home = tmp_path_factory.mktemp("together")
    asked: dict[str, Any] = {"stage": "3.1", "data": data}
    cases = [{**asked, "out": home / str(zero), "zero": zero} for zero in range(3)]
    cases += [{**asked, "out": home / "cut", "zero": 2, "max_steps": 3}]
    train_together(cases, home / "ranks", segment=SAMPLES)
    return home


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
    order = SampleOrder(stage.packs(), 7, 5)
    drawn = [(slot, pack.samples[0]) for slot, pack in enumerate(order.step(3)) if pack is not None]
    cut = Cut(SAMPLES, 24000, 7)
    whole = cut.batch(stage, 3, drawn)
    assert whole.segments.shape == whole.others.shape == (5, 1, SAMPLES)
    for rank, share in enumerate(order.shares(3, 2)):
        mine = [(slot.number, slot.pack.samples[0]) for slot in share if slot.pack is not None]
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


def test_order_and_blame_tell_the_clips_of_a_step(data: str, alone: Path) -> None:
    from vita_data.shards.read import Stage

    stage = str(Path(data) / "stages" / "3.1")
    wanted = keys(SampleOrder(Stage(stage).packs(), 7, 5).step(3))
    said = call("order", "--data", stage, "--steps", "3:4", "--world-size", 2)["steps"][0]["ranks"]
    assert said == [wanted[0::2], wanted[1::2]]
    found = call("blame", alone, "--step", 3)
    assert [one["key"] for pack in found["packs"] for one in pack["samples"]] == wanted
    assert found["steps"] == 5 and [pack["tokens"] for pack in found["packs"]] == [10] * 5
    assert found["metrics"]["samples"] == 5


def call(*arguments: object) -> dict[str, Any]:
    done = CliRunner().invoke(main, [*map(str, arguments), "--json"])
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.output))


@pytest.mark.slow
@pytest.mark.parametrize("zero", [0, 1, 2])
def test_two_ranks_learn_what_one_learns(alone: Path, together: Path, metrics: Metrics, zero: int) -> None:
    one, two = metrics(alone), metrics(together / str(zero))
    for name in ("loss", "loss_mel_1024", "loss_discriminator"):
        first, wanted = ([line.get(name, 0.0) for line in lines[:3]] for lines in (two, one))
        assert first == pytest.approx(wanted, rel=1e-5), name
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
    data: str, alone: Path, together: Path, metrics: Metrics
) -> None:
    run = together / "cut"
    train_codec(Options("3.1", data, "tiny", run, zero=1, resume=True))
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

"""`vita-model encode`: every utterance of a stage as codec tokens, the same however the work is shared or stopped."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from tests.vita_model.utterances import RATE, save_run, utterance, voice
from vita_data.errors import ShardError, UsageError
from vita_data.prompt.lengths import codec_tokens
from vita_data.shards.read import Place, Stage
from vita_model.batch.codes import Codes, codes_for, read_codes, with_voice
from vita_model.batch.reference import reference_clip
from vita_model.batch.sounds import waveform
from vita_model.cli.main import main
from vita_model.codes.codec import read_codec
from vita_model.codes.program import Options, encode
from vita_model.codes.shard import Work, encode_shard
from vita_model.config.presets import tiny
from vita_model.nets.codec.identity import codec_digest
from vita_model.nets.vita import build
from vita_model.weights.export import export_release

MANY = 10  # shards, so that there is time to stop between the first and the last


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, make_stage: Callable[..., Path]) -> Path:
    """A run with a codec, and a stage of its kind."""
    home = tmp_path_factory.mktemp("codes")
    spoken = partial(make_stage, stage="3.2", loss="codec-tokens", make=utterance)
    spoken(home, shards=MANY, per_shard=4, held_out=3)
    save_run(home / "run")
    return home


@pytest.fixture(scope="module")
def encoded(home: Path) -> Codes:
    """What two processes make of the stage."""
    done = encode(Options(home / "run", str(home / "stages/3.2"), workers=2))
    assert done["encoded"] == MANY + 1
    return codes_for(str(home / "stages/3.2"))


def tables(folder: object) -> dict[str, bytes]:
    """The bytes of everything that was encoded."""
    root = Path(str(folder))
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.suffix}


def bare(home: Path, to: Path) -> Path:
    """A copy of the stage without codes."""
    return Path(shutil.copytree(home / "stages/3.2", to, ignore=shutil.ignore_patterns("codec")))


def call(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["encode", *map(str, arguments)])
    return done.exit_code, done.output


@pytest.mark.slow
def test_tokens_are_those_of_the_codec_alone_and_as_many_as_the_index_says(
    home: Path, encoded: Codes
) -> None:
    stage, codec = Stage(home / "stages/3.2"), save_run(home / "other").codec
    assert stage.held_out is not None
    for part, some in ((stage, MANY * 4), (stage.held_out, 3)):
        places = [
            Place(n, row, key) for n in range(part.shard_count) for row, key in enumerate(part.shard(n).keys)
        ]
        assert len(places) == some
        for place in places:
            codes = encoded.of(part, place)
            row = part.shard(place.shard).table.slice(place.row, 1).to_pylist()[0]
            assert len(codes) == row["audio_tokens"] == codec_tokens(row["sound_samples"])
        sound = waveform(part.sample(places[-1].shard, places[-1].row).media[0], RATE, "the last")
        assert torch.equal(codec.encode([sound])[0][0], encoded.of(part, places[-1]))
    with pytest.raises(ShardError, match="holds other utterances than"):
        encoded.of(stage.held_out, Place(0, 0, stage.shard(0).keys[0]))
    totals = encoded.facts["parts"]
    assert (totals["train"]["utterances"], totals["eval"]["utterances"]) == (MANY * 4, 3)
    assert totals["train"]["tokens"] == sum(
        sum(stage.shard(n).table.column("audio_tokens").to_pylist()) for n in range(MANY)
    )


@pytest.mark.slow
def test_one_process_makes_the_same_bytes_as_two(home: Path, encoded: Codes, tmp_path: Path) -> None:
    stage = bare(home, tmp_path / "3.2")
    done = encode(Options(home / "run", str(stage), workers=1))
    assert tables(done["folder"]) == tables(encoded.folder)


@pytest.mark.slow
def test_a_run_that_was_killed_leaves_nobody_behind_and_is_gone_on_with(
    home: Path, encoded: Codes, tmp_path: Path, outside: Callable[[], dict[str, str]]
) -> None:
    stage = bare(home, tmp_path / "3.2")
    command = [sys.executable, "-m", "vita_model", "encode", "--codec", str(home / "run"), "--workers", "2"]
    process = subprocess.Popen([*command, "--data", str(stage)], env=outside())
    folder = stage / "codec" / Path(encoded.folder).name
    while not list(folder.glob("*.parquet")):
        assert process.poll() is None
        time.sleep(0.001)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.send_signal(signal.SIGKILL)
    process.wait()
    there = len(list(folder.rglob("*.parquet")))
    assert children and there < MANY and not (folder / "codec.json").exists()
    with pytest.raises(UsageError, match="has no codec tokens; run `vita-model encode --codec RUN"):
        codes_for(str(stage))
    deadline = time.monotonic() + 20
    while any(alive(child) for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (folder / "00000.parquet.tmp-1-1").write_bytes(b"half of one")
    there = len(list(folder.rglob("*.parquet")))
    assert encode(Options(home / "run", str(stage), workers=1))["encoded"] == MANY + 1 - there
    assert tables(folder) == tables(encoded.folder)


def alive(child: str) -> bool:
    path = Path(f"/proc/{child}/stat")
    return path.exists() and path.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.slow
def test_what_is_there_is_not_encoded_again_and_what_is_damaged_is(
    home: Path, encoded: Codes, tmp_path: Path
) -> None:
    stage = Path(shutil.copytree(home / "stages/3.2", tmp_path / "3.2"))
    options = Options(home / "run", str(stage), workers=1)
    folder = stage / "codec" / Path(encoded.folder).name
    assert encode(options)["encoded"] == 0
    (folder / "00003.parquet").write_bytes(b"PAR1")
    with pytest.raises(ShardError, match=r"00003.parquet is not what was encoded; .* again"):
        codes_for(str(stage))
    assert encode(options)["encoded"] == 1 and tables(folder) == tables(encoded.folder)


@pytest.mark.slow
def test_a_clip_gives_the_voice_and_keeps_giving_it(home: Path, encoded: Codes, tmp_path: Path) -> None:
    stage = Path(shutil.copytree(home / "stages/3.2", tmp_path / "3.2"))
    first = codes_for(str(stage))
    rows = [row for n in range(MANY) for row in read_codes(f"{first.folder}/{n:05d}.parquet").to_pylist()]
    chosen = next(row for row in rows if row["key"] == first.facts["voice_of"]["utterance"])
    assert chosen["global_codes"] == list(first.voice)
    clip = tmp_path / "me.wav"
    clip.write_bytes(voice(4, 44100, rate=44100, kind="WAV", channels=2))
    status, output = call("--codec", home / "run", "--data", stage, "--voice", clip, "--workers", 1, "--json")
    said = json.loads(output)
    sound = reference_clip(str(clip), RATE)
    assert status == 0 and len(sound) == RATE
    assert said["voice"] == read_codec(home / "run/checkpoints/step-00000009").encode([sound])[0][1].tolist()
    assert said["encoded"] == 0 and list(said["voice_of"]) == ["clip"]
    assert encode(Options(home / "run", str(stage)))["voice"] == said["voice"]
    config = with_voice(tiny(), codes_for(str(stage)))
    assert config.codec.voice == tuple(said["voice"])


def test_the_digest_changes_with_what_makes_codes_and_with_nothing_else(tmp_path: Path) -> None:
    model = save_run(tmp_path / "run")
    digest = codec_digest(model.codec)
    assert codec_digest(read_codec(tmp_path / "run/checkpoints/step-00000009")) == digest
    with torch.no_grad():
        next(model.codec.generator.parameters()).add_(1.0)
    model.codec.quantiser.frames.idle += 5
    assert codec_digest(model.codec) == digest
    released = replace(tiny(), decoder=replace(tiny().decoder, nar_layers=1))  # as the public code builds it
    export_release(build(released, 0), tmp_path / "released")
    assert codec_digest(read_codec(tmp_path / "released")) == digest
    for weight in (model.codec.quantiser.frames.vectors, next(model.codec.encoder.parameters())):
        with torch.no_grad():
            weight.view(-1)[0].add_(1e-3)
        assert codec_digest(model.codec) != digest
        digest = codec_digest(model.codec)


@pytest.mark.slow
def test_codes_are_those_of_the_models_codec_and_of_the_stage_as_it_is(
    home: Path, encoded: Codes, tmp_path: Path, make_stage: Callable[..., Path]
) -> None:
    stage = Path(shutil.copytree(home / "stages/3.2", tmp_path / "3.2"))
    mine = encoded.codec
    assert codes_for(str(stage), mine).codec == mine
    with pytest.raises(
        UsageError, match=rf"no tokens of the codec 0123, .* but of {mine}; run `vita-model encode"
    ):
        codes_for(str(stage), "0123")
    other = make_stage(tmp_path / "new", "3.2", shards=1, loss="codec-tokens", make=utterance)
    shutil.copytree(stage / "codec", other / "codec")
    with pytest.raises(UsageError, match="was built again after its speech had been encoded; run"):
        codes_for(str(other))
    later = make_stage(
        tmp_path / "later",
        "3.2",
        shards=MANY,
        per_shard=4,
        held_out=3,
        loss="codec-tokens",
        make=utterance,
        schedule={"learning_rate": 0.5},
    )
    shutil.copytree(stage / "codec", later / "codec")
    assert codes_for(str(later)).voice == encoded.voice  # another schedule is no other speech


def test_an_utterance_whose_tokens_the_index_counts_otherwise_is_named(
    home: Path, tmp_path: Path, make_stage: Callable[..., Path]
) -> None:
    wrong = partial(utterance, audio_tokens=12)
    stage = make_stage(tmp_path, "3.2", shards=1, per_shard=2, held_out=0, loss="codec-tokens", make=wrong)
    work = Work(str(stage), 0, str(home / "run/checkpoints/step-00000009"), "0", str(tmp_path / "0.parquet"))
    with pytest.raises(ShardError, match=r"^voices-\w{16} makes 15 codec tokens and its index says 12"):
        encode_shard(work)
    assert not (tmp_path / "0.parquet").exists()


def test_what_cannot_be_encoded_is_refused_in_one_sentence(
    home: Path, tmp_path: Path, make_stage: Callable[..., Path]
) -> None:
    stage, run = home / "stages/3.2", home / "run"
    seen = make_stage(tmp_path, "1.2", shards=1, per_shard=2, held_out=0)
    noise = tmp_path / "noise.wav"
    noise.write_bytes(os.urandom(1000))
    (tmp_path / "blip.wav").write_bytes(voice(0, 4000, kind="WAV"))
    for data, codec, clip, status, words in (
        (seen, run, None, 2, "is stage 1.2, which learns no codec tokens; give the folder of stage 3.2"),
        (stage, tmp_path, None, 2, "holds no complete checkpoint"),
        (tmp_path, run, None, 1, "has no stage.json"),
        (stage, run, noise, 2, "cannot be read as sound"),
        (stage, run, tmp_path / "blip.wav", 2, "is 0.17 s long; a voice takes 0.5 s or more"),
        (stage, run, tmp_path / "none.wav", 2, "cannot be read as sound (No such file"),
    ):
        options = ["--codec", codec, "--data", data, *(["--voice", clip] if clip else [])]
        found, output = call(*options)
        assert found == status and words in output and len(output.strip().splitlines()) == 1
